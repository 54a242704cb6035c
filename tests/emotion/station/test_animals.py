"""The animals that the lesson panel draws are those that codes are made of, under the names of the teacher's page."""

from analytics.classroom.animals import ANIMALS as ANIMALS_OF_CODES
from analytics.words.sentences import animal_name
from emotion.station.animals import ANIMALS


def test_every_animal_of_a_code_has_its_drawing_and_its_names() -> None:
    assert tuple(ANIMALS) == ANIMALS_OF_CODES
    for key, (_, english, russian) in ANIMALS.items():
        assert (english, russian) == (animal_name("en", key), animal_name("ru", key))


def test_a_drawing_is_one_character_of_its_own_and_few_animals_have_none() -> None:
    drawn = [picture for picture, _, _ in ANIMALS.values() if picture]
    assert len(drawn) == len(set(drawn)) == len(ANIMALS) - 2
    assert all(len(picture.rstrip("\ufe0f")) == 1 and not picture.isascii() for picture in drawn)
