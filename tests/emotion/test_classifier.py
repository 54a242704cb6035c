"""The whole way from a picture to probabilities, with the packaged weights and the real face detector."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from emotion.classifier import EmotionClassifier, Recognition
from emotion.images import ImageError
from emotion.labels import KEYS, Emotion

ORIENTATION = 0x0112  # EXIF tag


@pytest.fixture(scope="module")
def classifier() -> EmotionClassifier:
    return EmotionClassifier(cache=None)


@pytest.fixture(scope="module")
def astronaut() -> Image.Image:
    return Image.fromarray(skimage.data.astronaut())


def encoded(picture: Image.Image, **options: object) -> bytes:
    stream = BytesIO()
    picture.save(stream, "PNG", **options)
    return stream.getvalue()


def test_the_astronaut_is_happy(classifier: EmotionClassifier, astronaut: Image.Image) -> None:
    recognition = classifier.recognise(astronaut)
    (found,) = recognition.faces
    assert found.prediction.expression is Emotion.HAPPY
    assert len(found.prediction.probabilities) == 8
    assert sum(found.prediction.probabilities) == pytest.approx(1, abs=1e-6)
    assert found.prediction.model == recognition.model == classifier.checkpoint.version
    assert 0 < found.prediction.face_quality <= 1
    assert (recognition.width, recognition.height) == (512, 512)
    assert recognition.milliseconds > 0


def test_a_picture_an_array_a_path_and_bytes_are_the_same(
    classifier: EmotionClassifier, astronaut: Image.Image, tmp_path: Path
) -> None:
    path = tmp_path / "astronaut.png"
    path.write_bytes(encoded(astronaut))
    expected = classifier.recognise(astronaut)
    for source in (np.asarray(astronaut), path, str(path), path.read_bytes()):
        assert alike(classifier.recognise(source), expected)


def test_a_photo_taken_with_the_camera_on_its_side_is_turned_upright(
    classifier: EmotionClassifier, astronaut: Image.Image
) -> None:
    sideways = astronaut.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # turn by 90 degrees clockwise to see it upright
    assert alike(classifier.recognise(encoded(sideways, exif=exif)), classifier.recognise(astronaut))


def test_a_picture_without_a_face_is_answered_without_one(classifier: EmotionClassifier) -> None:
    recognition = classifier.recognise(np.full((300, 400, 3), 127, np.uint8))
    assert recognition.faces == ()
    assert (recognition.width, recognition.height) == (400, 300)


def test_several_faces_come_largest_first(classifier: EmotionClassifier, astronaut: Image.Image) -> None:
    both = Image.new("RGB", (1024, 512), "grey")
    both.paste(astronaut.resize((300, 300)), (20, 100))
    both.paste(astronaut, (512, 0))
    recognition = classifier.recognise(both)
    assert len(recognition.faces) == recognition.faces_seen == 2, "of a photograph all are classified"
    widths = [found.face.box[2] - found.face.box[0] for found in recognition.faces]
    assert widths[0] > widths[1]
    assert {found.prediction.expression for found in recognition.faces} == {Emotion.HAPPY}


def test_a_cameras_frame_is_answered_like_a_photo(classifier: EmotionClassifier, astronaut: Image.Image) -> None:
    frame = astronaut.crop((60, 0, 380, 240)).resize((640, 480), Image.Resampling.BICUBIC)
    thorough, quick = classifier.recognise(frame).faces[0], classifier.recognise_frame(frame).faces[0]
    assert quick.prediction.expression is thorough.prediction.expression is Emotion.HAPPY
    width = thorough.face.box[2] - thorough.face.box[0]
    np.testing.assert_allclose(quick.face.landmarks, thorough.face.landmarks, atol=0.05 * width)


def test_a_frame_whose_face_is_far_away_is_searched_thoroughly(
    classifier: EmotionClassifier, astronaut: Image.Image
) -> None:
    frame = Image.new("RGB", (640, 480), "grey")
    frame.paste(astronaut.resize((280, 280), Image.Resampling.BICUBIC), (200, 100))  # the face: 48 by 65 pixels
    assert alike(classifier.recognise_frame(frame), classifier.recognise(frame))
    assert len(classifier.recognise_frame(frame).faces) == 1


def test_a_large_frame_is_answered_in_its_own_pixels(classifier: EmotionClassifier, astronaut: Image.Image) -> None:
    stream = BytesIO()
    astronaut.crop((60, 0, 380, 240)).resize((3200, 2400), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=90)
    thorough, quick = classifier.recognise(stream.getvalue()), classifier.recognise_frame(stream.getvalue())
    assert (quick.width, quick.height) == (thorough.width, thorough.height) == (3200, 2400)
    one, other = quick.faces[0], thorough.faces[0]
    assert one.prediction.expression is other.prediction.expression
    width = other.face.box[2] - other.face.box[0]
    np.testing.assert_allclose(one.face.landmarks, other.face.landmarks, atol=0.05 * width)
    np.testing.assert_allclose(one.face.box, other.face.box, atol=0.1 * width)


def test_a_frame_without_a_face_is_answered_without_one(classifier: EmotionClassifier) -> None:
    assert classifier.recognise_frame(np.full((480, 640, 3), 90, np.uint8)).faces == ()


def crowd(astronaut: Image.Image, count: int) -> Image.Image:
    """One child in front of a poster with ``count`` faces."""
    picture = Image.new("RGB", (1280, 1280), "grey")
    face = astronaut.crop((150, 10, 310, 210)).resize((60, 60), Image.Resampling.BICUBIC)
    for number in range(count):
        picture.paste(face, (64 * (number % 20), 64 * (number // 20)))
    picture.paste(astronaut.resize((400, 400), Image.Resampling.BICUBIC), (440, 880))
    return picture


def test_of_a_crowd_in_a_frame_the_largest_face_is_classified_and_all_are_counted(
    classifier: EmotionClassifier, astronaut: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    crops: list[int] = []
    network = classifier.classify_crops
    monkeypatch.setattr(
        classifier, "classify_crops", lambda found, *more: crops.append(len(found)) or network(found, *more)
    )
    recognition = classifier.recognise_frame(crowd(astronaut, 400))
    assert crops == [1]
    assert recognition.faces_seen > 255, "more than the store's byte holds"
    assert recognition.faces[0].prediction.expression is Emotion.HAPPY
    assert recognition.faces[0].face.box[2] - recognition.faces[0].face.box[0] > 55, "the child, no face of the poster"


def test_many_pictures_are_answered_in_their_order(classifier: EmotionClassifier, astronaut: Image.Image) -> None:
    empty = Image.new("RGB", (64, 64))
    answers = classifier.recognise_many([empty, astronaut, empty, astronaut.resize((256, 256))])
    assert [len(answer.faces) for answer in answers] == [0, 1, 0, 1]
    assert [answer.width for answer in answers] == [64, 512, 64, 256]


def test_no_pictures_are_no_answers(classifier: EmotionClassifier) -> None:
    assert classifier.recognise_many([]) == []


@pytest.mark.parametrize("turned", [False, True])
def test_a_face_turned_or_in_a_corner_keeps_its_top_class(
    classifier: EmotionClassifier, astronaut: Image.Image, turned: bool
) -> None:
    if turned:
        changed = astronaut.rotate(25, Image.Resampling.BICUBIC)
    else:
        changed = Image.new("RGB", (700, 700), "grey")
        changed.paste(astronaut.crop((100, 0, 380, 280)), (0, 420))
    assert classifier.recognise(changed).faces[0].prediction.expression is Emotion.HAPPY


def test_what_is_no_picture_raises_the_readers_error(classifier: EmotionClassifier) -> None:
    with pytest.raises(ImageError):
        classifier.recognise(b"not a picture")


def test_threads_do_not_mix_up_their_answers(classifier: EmotionClassifier, astronaut: Image.Image) -> None:
    pictures = [astronaut, astronaut.transpose(Image.Transpose.FLIP_LEFT_RIGHT), Image.new("RGB", (99, 99))]
    expected = [classifier.recognise(picture) for picture in pictures]
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda i: classifier.recognise(pictures[i % 3]), range(18)))
    for number, answer in enumerate(answers):
        assert alike(answer, expected[number % 3])


def alike(left: Recognition, right: Recognition) -> bool:
    """The same faces and, up to the rounding that a batch's company may change, the same probabilities."""
    return (left.width, left.height, len(left.faces)) == (right.width, right.height, len(right.faces)) and all(
        np.allclose(a.face.box, b.face.box, atol=0.5)
        and np.allclose(a.prediction.probabilities, b.prediction.probabilities, atol=0.02)
        for a, b in zip(left.faces, right.faces, strict=True)
    )


def test_the_checkpoint_at_the_paper_s_224_pixels_reads_a_face() -> None:
    larger = EmotionClassifier(cache=None)
    assert larger.checkpoint.configuration.input_size == 224
    (found,) = larger.recognise(skimage.data.astronaut()).faces
    assert found.prediction.expression is Emotion.HAPPY
    assert larger.runtime.evidence(np.zeros((1, 48, 48, 1), np.uint8)).shape == (1, 8, 7, 7)


def test_called_with_one_image_it_answers_once_with_several_once_for_each(
    classifier: EmotionClassifier, astronaut: Image.Image
) -> None:
    assert alike(classifier(astronaut), classifier.recognise(astronaut))
    answers = classifier([astronaut, np.zeros((64, 64, 3), np.uint8)])
    assert [len(answer.faces) for answer in answers] == [1, 0]
    assert [len(answer.faces) for answer in classifier(np.zeros((2, 64, 64, 3), np.uint8))] == [0, 0]


def test_a_folder_becomes_a_table_in_which_a_broken_file_costs_its_own_row(
    classifier: EmotionClassifier, astronaut: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "inner").mkdir()
    astronaut.save(tmp_path / "inner" / "astronaut.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "dark.png")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / ".DS_Store").write_bytes(b"left by a computer")
    table = classifier.classify_folder(tmp_path).set_index("image")
    assert list(table.index) == ["broken.jpg", "dark.png", "inner/astronaut.png"]
    assert table.loc["inner/astronaut.png", "expression"] == "happy"
    assert table.loc["inner/astronaut.png", list(KEYS)].sum() == pytest.approx(1, abs=1e-6)
    assert list(table["error"] == "") == [False, True, True]
    assert list(table["faces_seen"].isna()) == [True, False, False]
    assert list(table["happy"].isna()) == [True, True, False]
    assert (table["milliseconds"] > 0).all()
    assert "3/3" in capsys.readouterr().err
    with pytest.raises(NotADirectoryError, match="check the path"):
        classifier.classify_folder(tmp_path / "nowhere")


def test_an_empty_folder_is_a_table_without_rows(classifier: EmotionClassifier, tmp_path: Path) -> None:
    assert classifier.classify_folder(tmp_path).empty


def test_features_are_a_row_for_each_image_and_missing_without_a_face(
    classifier: EmotionClassifier, astronaut: Image.Image
) -> None:
    features = classifier.features([astronaut, np.zeros((64, 64, 3), np.uint8)])
    assert (features.shape, features.dtype) == ((2, 2048), np.float32)
    assert np.isfinite(features[0]).all()
    assert np.isnan(features[1]).all()
    assert classifier.features([]).shape == (0, 2048)
