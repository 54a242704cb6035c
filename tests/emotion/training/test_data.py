"""Reading, building and splitting data sets."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from emotion.labels import KEYS, Emotion
from emotion.network.checkpoint import load_checkpoint
from emotion.training.crops import centre_square_crop
from emotion.training.data import (
    DataError,
    FaceDataset,
    build_ferplus,
    list_class_images,
    load_ferplus,
    load_folder,
    read_column,
    split_folder,
    split_training_test,
)
from emotion.training.duplicates import highest_similarity, is_duplicate

SHARED = Path(__file__).parents[4] / "shared" / "data" / "ferplus"
CROP = centre_square_crop(load_checkpoint().configuration)


def write_class_folder(folder: Path, per_class: int = 4) -> Path:
    """A class folder of plain images, each a grey of its own."""
    for emotion in Emotion:
        (folder / emotion.key).mkdir(parents=True)
        for number in range(per_class):
            Image.new("L", (60, 50), 20 * emotion + number).save(folder / emotion.key / f"{number}.png")
    return folder


def labelled(labels: list[int]) -> FaceDataset:
    """Faces of which only the classes matter."""
    count = len(labels)
    images = np.zeros((count, 48, 48, 1), np.uint8)
    names = np.array([f"{number}.png" for number in range(count)])
    return FaceDataset(images, np.eye(8, dtype=np.float32)[labels], np.ones(count, bool), names)


def test_a_class_folder_is_read_with_its_classes(tmp_path: Path) -> None:
    faces = load_folder(write_class_folder(tmp_path / "set"), CROP)
    assert faces.images.shape == (32, 48, 48, 1)
    assert faces.images[5].max() == 21
    assert faces.labels.tolist() == [index // 4 for index in range(32)]
    assert faces.names[5] == "disgust/1.png"


def test_an_unreadable_image_is_named_skipped_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = write_class_folder(tmp_path / "set")
    whole = (folder / "sad" / "1.png").read_bytes()
    (folder / "sad" / "1.png").write_bytes(whole[: len(whole) // 2])
    (folder / "happy" / "2.png").write_text("not a picture")
    faces = load_folder(folder, CROP)
    assert len(faces) == 30
    assert [line.split(":")[0] for line in faces.skipped] == ["sad/1.png", "happy/2.png"]
    printed = capsys.readouterr().err
    assert "skipped sad/1.png" in printed
    assert "2 of 32 images" in printed


def test_an_image_without_a_face_is_skipped_too(tmp_path: Path) -> None:
    folder = write_class_folder(tmp_path / "set")
    faces = load_folder(folder, lambda image: None if image.max() == 0 else CROP(image))
    assert faces.skipped == ("surprise/0.png: no face was found",)


def test_an_empty_class_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    folder = write_class_folder(tmp_path / "set")
    for path in (folder / "fear").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"'fear' is empty.*set/fear"):
        list_class_images(folder)


def test_a_class_of_which_nothing_can_be_read_is_an_error(tmp_path: Path) -> None:
    folder = write_class_folder(tmp_path / "set", per_class=1)
    (folder / "fear" / "0.png").write_text("not a picture")
    with pytest.raises(DataError, match="'fear'"):
        load_folder(folder, CROP)


def test_a_folder_with_a_wrong_name_is_an_error_that_lists_the_classes(tmp_path: Path) -> None:
    folder = write_class_folder(tmp_path / "set")
    (folder / "happy").rename(folder / "happiness")
    with pytest.raises(DataError, match=r"happiness is not named after a class.*surprise, disgust, sad"):
        list_class_images(folder)


def test_a_missing_class_is_an_error_for_training_but_not_for_judging(tmp_path: Path) -> None:
    folder = write_class_folder(tmp_path / "set")
    for path in (folder / "contempt").iterdir():
        path.unlink()
    (folder / "contempt").rmdir()
    with pytest.raises(DataError, match="contempt"):
        list_class_images(folder)
    assert len(list_class_images(folder, every_class=False)) == 28


def test_a_data_set_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a folder"):
        list_class_images(tmp_path / "nothing")
    with pytest.raises(DataError, match="does not exist"):
        load_ferplus(tmp_path / "train.npz")


@given(counts=st.lists(st.integers(4, 60), min_size=8, max_size=8), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_a_quarter_of_each_class_is_held_out(counts: list[int], seed: int) -> None:
    faces = labelled([emotion for emotion, count in enumerate(counts) for _ in range(count)])
    training, test = split_training_test(faces, seed)
    assert set(training.names).isdisjoint(test.names)
    assert len(training) + len(test) == len(faces)
    for emotion, count in enumerate(counts):
        assert abs((test.labels == emotion).sum() - count / 4) <= 0.5


def test_a_split_is_repeated_by_its_seed() -> None:
    faces = labelled([emotion for emotion in range(8) for _ in range(20)])
    assert split_training_test(faces, 3)[1].names.tolist() == split_training_test(faces, 3)[1].names.tolist()
    assert split_training_test(faces, 3)[1].names.tolist() != split_training_test(faces, 4)[1].names.tolist()


@given(seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_nobody_is_on_both_sides_of_a_split_by_person(seed: int) -> None:
    generator = np.random.default_rng(seed)
    faces = labelled([emotion for emotion in range(8) for _ in range(40)])
    people = generator.integers(0, 30, len(faces)).astype(str)
    training, test = split_training_test(faces, seed, people=people)
    on_side = [set(people[np.isin(faces.names, side.names)]) for side in (training, test)]
    assert not on_side[0] & on_side[1]
    assert 0.15 < len(test) / len(faces) < 0.35


def test_a_class_too_small_to_split_is_an_error() -> None:
    with pytest.raises(DataError, match="test side has no 'contempt'"):
        split_training_test(labelled([emotion for emotion in range(8) for _ in range(1 if emotion == 6 else 8)]), 0)


def test_without_people_csv_a_warning_says_what_that_means(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = write_class_folder(tmp_path / "set")
    faces = load_folder(folder, CROP)
    split_folder(folder, faces, 0)
    assert "people.csv is missing" in capsys.readouterr().err
    rows = [f"{name},{name.split('/')[1]}" for name in faces.names]  # persons 0.png to 3.png, each in every class
    (folder / "people.csv").write_text("\n".join(["image,person", *rows]))
    training, test = split_folder(folder, faces, 0)
    assert "people.csv" not in capsys.readouterr().err
    assert (len(training), len(test)) == (24, 8)


def test_a_table_without_the_column_or_an_image_says_which(tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text("image,light\na.png,dark\n")
    with pytest.raises(DataError, match="no column 'glasses'"):
        read_column(tmp_path / "groups.csv", np.array(["a.png"]), "glasses")
    with pytest.raises(DataError, match=r"1 images, first 'b\.png'"):
        read_column(tmp_path / "groups.csv", np.array(["a.png", "b.png"]), "light")


HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


def write_csvs(folder: Path) -> tuple[Path, Path]:
    pixels = [" ".join([str(value)] * 2304) for value in (10, 20, 30, 40)]
    images = ["emotion,pixels,Usage", *(f'0,"{p}",Training' for p in pixels)]
    votes = [
        HEADER,
        "Training,fer0000000.png,6,3,0,0,0,0,0,1,0,0",  # contempt's single vote is noise
        "Training,,0,0,0,0,0,0,0,0,0,10",  # without a name: taken out by FER+
        "PublicTest,fer0000002.png,0,2,0,0,0,0,0,0,7,1",  # most voters did not know
        "PrivateTest,fer0000003.png,4,0,0,4,2,0,0,0,0,0",  # four of ten is no majority
    ]
    (folder / "fer2013.csv").write_text("\n".join(images) + "\n")
    (folder / "fer2013new.csv").write_text("\n".join(votes) + "\n")
    return folder / "fer2013.csv", folder / "fer2013new.csv"


def test_ferplus_arrays_are_built_from_the_two_published_files(tmp_path: Path) -> None:
    assert build_ferplus(*write_csvs(tmp_path), tmp_path / "out") == {"train": 1, "valid": 1, "test": 1}
    train = load_ferplus(tmp_path / "out" / "train.npz")
    assert train.images.shape == (1, 48, 48, 1)
    assert train.images.max() == 10
    assert train.targets[0, Emotion.NEUTRAL] == pytest.approx(6 / 9)
    assert train.targets[0, Emotion.HAPPY] == pytest.approx(3 / 9)
    assert train.targets[0, Emotion.CONTEMPT] == 0
    assert train.majority[0]
    assert train.children is None

    valid = load_ferplus(tmp_path / "out" / "valid.npz")
    assert len(valid) == 0
    assert len(valid.skipped) == 1
    test = load_ferplus(tmp_path / "out" / "test.npz")
    assert test.names.tolist() == ["fer0000003.png"]
    assert not test.majority[0]


def test_a_damaged_csv_is_named_with_its_line(tmp_path: Path) -> None:
    images, votes = write_csvs(tmp_path)
    images.write_text(images.read_text().replace(" 20 20", " 20", 1))
    with pytest.raises(DataError, match=r"fer2013\.csv, line 3: 2303 pixels"):
        build_ferplus(images, votes, tmp_path / "out")


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the FER+ arrays in ../shared")
@pytest.mark.parametrize(("part", "plurality", "majority"), [("valid", 3553, 3199), ("test", 3546, 3153)])
def test_ferplus_protocols_keep_the_published_numbers_of_images(part: str, plurality: int, majority: int) -> None:
    faces = load_ferplus(SHARED / f"{part}.npz")
    assert len(faces) == plurality
    assert faces.majority.sum() == majority
    assert np.allclose(faces.targets.sum(1), 1)
    if part == "test":
        counts = dict(zip(KEYS, np.bincount(faces.labels[faces.majority], minlength=8).tolist(), strict=True))
        assert counts == {
            "neutral": 1090,
            "happy": 893,
            "surprise": 396,
            "sad": 384,
            "angry": 273,
            "disgust": 18,
            "fear": 83,
            "contempt": 16,
        }
        assert faces.children is not None
        assert faces.children.sum() == 384


def test_a_repeated_photograph_is_found_also_mirrored_dimmed_or_noisy() -> None:
    generator = np.random.default_rng(0)
    smooth = generator.random((20, 12, 12))
    images = np.kron(smooth, np.ones((4, 4))) * 200
    copies = np.stack([
        images[0],
        images[1][:, ::-1],
        images[2] * 0.6 + 20,
        images[3] + generator.normal(0, 6, (48, 48)),
        *images[10:],
    ])  # fmt: skip
    found = is_duplicate(copies.clip(0, 255).astype(np.uint8), images[:10].astype(np.uint8))
    assert found.tolist() == [True] * 4 + [False] * 10


def test_a_flat_image_is_similar_to_nothing() -> None:
    flat = np.full((1, 48, 48), 90, np.uint8)
    assert highest_similarity(flat, flat)[0] == 0


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the FER+ arrays in ../shared")
def test_ferplus_repeats_photographs_across_its_splits() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    train, valid, test = (np.load(SHARED / f"{part}.npz")["images"] for part in ("train", "valid", "test"))
    assert is_duplicate(train, np.concatenate([valid, test])).sum() == 1620
