"""The animals that stand for children, (English, Russian), by the keys of codes."""

from analytics.classroom.animals import RUSSIAN_NAMES

ANIMALS: dict[str, tuple[str, str]] = {
    f"animal_{animal}": (animal.capitalize(), russian) for animal, russian in RUSSIAN_NAMES.items()
}
