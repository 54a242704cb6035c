"""What lies in a folder of one's own: images of any suffix are read, everything left out is counted and named."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_data import CROP, labelled, write_class_folder

from emotion.labels import KEYS
from emotion.training.class_folders import list_class_images, survey
from emotion.training.data import DataError, check_groups, check_split, load_folder, split_folder


@pytest.mark.parametrize("suffix", [".jfif", ".JPG", ".jpe", ".pgm", ".avif", ".heic", ".dat", ""])
def test_an_image_is_read_by_its_content_whatever_its_suffix(tmp_path: Path, suffix: str) -> None:
    folder = write_class_folder(tmp_path / "set", per_class=1)
    form = {".pgm": "PPM", ".avif": "AVIF"}.get(suffix, "JPEG")
    Image.new("L", (60, 50), 200).convert("L" if form == "PPM" else "RGB").save(folder / "sad" / f"other{suffix}", form)
    faces = load_folder(folder, CROP)
    assert len(faces) == 9
    assert f"sad/other{suffix}" in faces.names
    assert faces.skipped == ()


def test_a_file_that_is_no_image_is_named_with_its_format(tmp_path: Path) -> None:
    folder = write_class_folder(tmp_path / "set", per_class=1)
    (folder / "fear" / "IMG_1.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50))
    (folder / "fear" / "notes.txt").write_text("taken on Monday")
    skipped = load_folder(folder, CROP).skipped
    assert [line.split(":")[0] for line in skipped] == ["fear/IMG_1.heic", "fear/notes.txt"]
    assert "HEIC" in skipped[0]


STRAYS = [
    "__MACOSX/happy/._a.jpg", "@eaDir/happy/a.jpg", "happy/@eaDir/0.png/thumbnail.jpg", ".git/config", ".DS_Store",
    "happy/.DS_Store", "happy/._0.png", "happy/Thumbs.db", "desktop.ini", "#recycle/a.jpg", "$RECYCLE.BIN/a.jpg",
    "System Volume Information/x", "lost+found/x", "README.txt",
]  # fmt: skip


def test_what_computers_leave_is_no_image_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = write_class_folder(tmp_path / "set", per_class=1)
    for stray in STRAYS:
        (folder / stray).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (60, 50)).save(folder / stray, "PNG")
    faces = load_folder(folder, CROP)
    assert len(faces) == 8
    assert faces.skipped == ()
    printed = capsys.readouterr().err
    for stray in STRAYS:
        parts = Path(stray).parts
        places = {Path(*parts[:depth]).as_posix() for depth in range(1, len(parts) + 1)}
        assert any(f"ignored {place}:" in printed for place in places), stray


def test_pipes_dead_links_and_linked_folders_are_named_and_nothing_waits_for_them(tmp_path: Path) -> None:
    folder = write_class_folder(tmp_path / "set", per_class=1)
    os.mkfifo(folder / "happy" / "pipe.jpg")
    (folder / "happy" / "dead.jpg").symlink_to(tmp_path / "gone.jpg")
    (folder / "happy" / "circle").symlink_to(folder)
    (folder / "happy" / "link.png").symlink_to(folder / "happy" / "0.png")
    files, ignored = survey(folder)
    assert len(files) == 9  # a link to an image is one
    assert sorted(line.split(":")[0] for line in ignored) == ["happy/circle", "happy/dead.jpg", "happy/pipe.jpg"]


def test_images_in_folders_of_a_class_are_found_and_underscores_are_cameras(tmp_path: Path) -> None:
    folder = write_class_folder(tmp_path / "set", per_class=1)
    (folder / "happy" / "monday").mkdir()
    Image.new("L", (60, 50)).save(folder / "happy" / "monday" / "_DSC0001.JPG", "JPEG")
    assert (folder / "happy" / "monday" / "_DSC0001.JPG") in [path for path, _ in list_class_images(folder)]


def test_an_empty_class_is_no_hindrance_to_judging_but_no_image_at_all_is(tmp_path: Path) -> None:
    folder = write_class_folder(tmp_path / "set", per_class=1)
    (folder / "contempt" / "0.png").unlink()
    (folder / "fear" / "0.png").write_text("not a picture")
    faces = load_folder(folder, CROP, every_class=False)
    assert set(faces.labels.tolist()) == set(range(8)) - {KEYS.index("contempt"), KEYS.index("fear")}
    (tmp_path / "bare" / "happy").mkdir(parents=True)
    with pytest.raises(DataError, match="holds no image"):
        load_folder(tmp_path / "bare", CROP, every_class=False)
    (tmp_path / "bare" / "happy" / "a.png").write_text("not a picture")
    with pytest.raises(DataError, match=r"No image of .* could be used"):
        load_folder(tmp_path / "bare", CROP, every_class=False)


def test_a_name_that_is_not_utf8_is_read_and_shown_with_replacements(tmp_path: Path, capsys) -> None:
    folder = write_class_folder(tmp_path / "set", per_class=1)
    name = os.fsdecode(b"\x8f\xa5\xe2\xef.png")
    (folder / "sad" / "0.png").rename(folder / "sad" / name)
    (folder / "sad" / (name + ".txt")).write_text("x")
    faces = load_folder(folder, CROP)
    assert f"sad/{name}" in faces.names  # as it is: tables and the disk know it so
    assert all(line.encode("utf-8") for line in faces.skipped)
    assert "skipped sad/����.png.txt" in capsys.readouterr().err


# --- tables beside the images --------------------------------------------------------------------------------------


def test_tables_are_checked_against_the_names_alone(tmp_path: Path) -> None:
    folder = write_class_folder(tmp_path / "set")
    for path, _ in list_class_images(folder):
        path.write_bytes(b"never opened")
    (folder / "groups.csv").write_text("image,light\nhappy/0.png,dark\n")
    with pytest.raises(DataError, match="says nothing of 31 images"):
        check_groups(folder)
    (folder / "people.csv").write_text("image;person\nhappy/0.png\n")
    with pytest.raises(DataError, match=r"people\.csv, line 2"):
        check_split(folder, 0)
    names = [path.relative_to(folder).as_posix() for path, _ in list_class_images(folder)]
    (folder / "people.csv").write_text("\n".join(["image;person", *(f"{name};" for name in names)]))
    with pytest.raises(DataError, match="column 'person': nobody is named"):
        check_split(folder, 0)
    (folder / "people.csv").write_text("\n".join(["image;person", *(f"{name};one" for name in names)]))
    with pytest.raises(DataError, match="side has no"):  # one person cannot be divided
        check_split(folder, 0)


def test_dividing_the_names_alone_is_dividing_the_faces(tmp_path: Path) -> None:
    folder = write_class_folder(tmp_path / "set", per_class=2)
    with pytest.raises(DataError, match="test side has no"):
        check_split(folder, 0)
    with pytest.raises(DataError, match="test side has no"):
        split_folder(folder, labelled(np.repeat(np.arange(8), 2).tolist()), 0)
