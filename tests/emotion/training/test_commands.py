"""The commands as a person types them: what is wrong is said in a sentence, before any work, and nothing is lost."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from emotion.labels import KEYS, Emotion
from emotion.network.checkpoint import PACKAGED_CHECKPOINT as PACKAGED
from emotion.training import augment, card, data, evaluate, package, soup, template, train
from emotion.training.command_line import write_atomically, write_text

ROOT = Path(__file__).parents[3]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with what commands ask for: class folders "set", a folder of arrays "ferplus", a text, weights."""
    for emotion in Emotion:
        (tmp_path / "set" / emotion.key).mkdir(parents=True)
        for number in range(4):
            Image.new("L", (48, 48), 20 * emotion + number).save(tmp_path / "set" / emotion.key / f"{number}.png")
    (tmp_path / "ferplus").mkdir()
    for part in ("train", "valid", "test"):
        np.savez(
            tmp_path / "ferplus" / f"{part}.npz",
            images=np.zeros((2, 48, 48), np.uint8),
            votes=np.eye(10, dtype=np.uint8)[:2] * 9,
            names=np.array(["a", "b"]),
        )
    (tmp_path / "text.txt").write_text("neither weights nor arrays nor a picture")
    save_file({"a": torch.zeros(2)}, tmp_path / "small.safetensors")
    return tmp_path


def refusal(module: object, arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> str:
    """The last line with which a command ends that must not do anything."""
    monkeypatch.setattr(sys, "argv", ["command", *arguments.split()])
    with pytest.raises(SystemExit) as ended:
        module.main()  # type: ignore[attr-defined]
    assert ended.value.code not in (0, None)
    return str(ended.value.code) if isinstance(ended.value.code, str) else capsys.readouterr().err.splitlines()[-1]


TRAIN = f"--preset paper --crops --data set --start {PACKAGED} --out run"
FERPLUS = "--preset ferplus --data ferplus --out run"
EVALUATE = f"--checkpoint {PACKAGED} --crops --out out"
REFUSED = [
    (train, f"{TRAIN} --epochs 0", "--epochs: '0' is not a whole number from 1"),
    (train, f"{TRAIN} --epochs 1.5", "'1.5' is not a whole number"),
    (train, f"{TRAIN} --minutes -1", "--minutes: '-1' is not a number above 0"),
    (train, f"{TRAIN} --minutes nan", "'nan' is not a number above 0"),
    (train, f"{TRAIN} --minutes inf", "'inf' is not a number above 0"),
    (train, f"{TRAIN} --minutes 1 --epochs 1", "not allowed with"),
    (train, f"{TRAIN} --batch 0", "'0' is not a whole number from 2"),
    (train, f"{TRAIN} --batch 1", "'1' is not a whole number from 2"),
    (train, f"{TRAIN} --size 64 16", "--size: '16' is not a whole number from 32 to 512"),
    (train, f"{TRAIN} --size 1024", "'1024' is not a whole number from 32 to 512"),
    (train, f"{TRAIN} --rate 0", "--rate/--lr: '0' is not a number above 0"),
    (train, f"{TRAIN} --rate nan", "--rate/--lr: 'nan'"),
    (train, f"{TRAIN} --seed -1", "--seed: '-1'"),
    (train, f"{TRAIN} --data nowhere", "nowhere is not a folder that is there"),
    (train, f"{TRAIN} --out text.txt", "text.txt cannot be written"),
    (train, f"{TRAIN} --out text.txt/run", "text.txt/run cannot be written"),
    (train, f"{TRAIN} --start text.txt", "text.txt is cut off, damaged or holds no weights"),
    (train, f"{TRAIN} --start nowhere.pth", "there are no weights at nowhere.pth"),
    (train, f"{TRAIN} --start small.safetensors", "another network's"),
    (train, f"{FERPLUS} --start {PACKAGED} --data set", "set/train.npz does not exist"),
    (evaluate, f"{EVALUATE} --data nowhere", "nowhere is not a folder"),
    (evaluate, f"{EVALUATE} --data nowhere.npz", "nowhere.npz does not exist"),
    (evaluate, f"{EVALUATE} --data set --fit-temperature nowhere.npz", "nowhere.npz does not exist"),
    (evaluate, f"{EVALUATE} --data set --out text.txt", "text.txt cannot be written"),
    (evaluate, "--checkpoint nowhere --data set", "nowhere is no folder and no Hub repository"),
    (soup, f"--weights {PACKAGED} --data ferplus --out soup.safetensors --size 16", "from 32 to 512"),
    (soup, f"--weights {PACKAGED} --data ferplus --out none/soup.safetensors", "none/soup.safetensors cannot be"),
    (soup, f"--weights {PACKAGED} small.safetensors --data ferplus --out a.safetensors", "another network's"),
    (soup, f"--weights {PACKAGED} --data nowhere --out soup.safetensors", "nowhere is not a folder"),
    (soup, f"--weights {PACKAGED} --data set --out soup.safetensors", "train.npz does not exist"),
    (template, "--data ferplus --count 0", "--count: '0'"),
    (template, "--data ferplus --write nowhere.json", "nowhere.json is not a file"),
    (template, "--data ferplus --write text.txt", "text.txt is not JSON"),
    (package, f"--weights nowhere --template {PACKAGED}/config.json --out p", "nowhere is not a file"),
    (package, f"--weights text.txt --template {PACKAGED}/config.json --out p", "text.txt is cut off, or no"),
    (package, f"--weights small.safetensors --template {PACKAGED}/config.json --out p", "no ResNet152"),
    (package, "--weights small.safetensors --template text.txt --out p", "text.txt is no configuration"),
    (package, f"--weights small.safetensors --template {PACKAGED}/config.json --out p --input-size 16", "32 to 512"),
    (package, f"--weights small.safetensors --template {PACKAGED}/config.json --out p --temperature 0", "above 0"),
    (augment, "--image text.txt --out sheet.png", "text.txt is not a picture"),
    (augment, "--image set/sad/0.png --out none/sheet.png", "none/sheet.png cannot be written"),
    (augment, "--image nowhere --out sheet.png", "nowhere is not a file"),
    (card, "--checkpoint set", "config.json is missing"),
    (data, "--images nowhere --votes text.txt --out arrays", "nowhere is not a file"),
    (data, "--images text.txt --votes text.txt --out arrays", "no column 'pixels'"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "arguments", "words"), REFUSED, ids=[f"{m.__name__}-{w}" for m, _, w in REFUSED])
def test_what_cannot_be_done_is_said_in_a_sentence_before_any_work(
    place: Path, module: object, arguments: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(place)
    before = sorted(place.rglob("*"))
    assert words in refusal(module, arguments, monkeypatch, capsys)
    made = {path.name for path in set(place.rglob("*")) - set(before)}
    assert made <= {"run", "out"}  # at most an empty folder to write to


def test_quantising_has_limits_too(place: Path, monkeypatch, capsys) -> None:
    quantise = pytest.importorskip("emotion.training.quantise", reason="needs nncf")
    monkeypatch.chdir(place)
    assert "from 1 to" in refusal(quantise, "--data ferplus --calibration 0", monkeypatch, capsys)
    assert "from 0 to" in refusal(quantise, "--data ferplus --images -1", monkeypatch, capsys)
    assert "nowhere is not a folder" in refusal(quantise, "--data nowhere", monkeypatch, capsys)
    (place / "empty").mkdir()
    assert "train.npz does not exist" in refusal(quantise, "--data empty", monkeypatch, capsys)
    assert "config.json is missing" in refusal(quantise, "--data ferplus --checkpoint set", monkeypatch, capsys)


def test_a_cut_off_state_is_told_before_the_data_are_read(place: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(place)
    (place / "run").mkdir()
    (place / "run" / "state.pt").write_bytes(b"PK\3\4 cut off")
    monkeypatch.setattr(train, "read_data", lambda *_: pytest.fail("the data were read"))
    assert "state.pt is cut off or damaged" in refusal(train, f"{TRAIN} --epochs 1", monkeypatch, capsys)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"images": np.zeros((2, 48, 48), np.uint8)}, "no whole FER"),
        ({"images": np.zeros((2, 48, 48)), "votes": np.zeros((3, 10)), "names": np.array(["a", "b"])}, "do not belong"),
        ({"images": np.zeros((2, 64, 64)), "votes": np.zeros((2, 10)), "names": np.array(["a", "b"])}, "do not belong"),
        ({"images": np.array([{}]), "votes": np.zeros((1, 10)), "names": np.array(["a"])}, "no whole FER"),
        (None, "no whole FER"),
    ],
)
def test_arrays_that_are_cut_off_or_of_something_else_are_refused(tmp_path: Path, arrays, words: str) -> None:
    path = tmp_path / "test.npz"
    if arrays is None:
        np.savez(path, images=np.zeros((2, 48, 48), np.uint8))
        path.write_bytes(path.read_bytes()[:-30])
    else:
        np.savez(path, **arrays)
    with pytest.raises(data.DataError, match=words):
        data.load_ferplus(path)


HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
PIXELS = " ".join(["7"] * 2304)
IMAGE_ROW, VOTE_ROW = f'0,"{PIXELS}",Training\n', "Training,a.png,9,0,0,0,0,0,0,0,0,0\n"


@pytest.mark.parametrize(
    ("images", "votes", "words"),
    [
        (IMAGE_ROW * 2, VOTE_ROW, r"fer2013new\.csv ends before line 3"),
        (IMAGE_ROW, VOTE_ROW * 2, r"fer2013\.csv ends before line 3"),
        (IMAGE_ROW, "Training,a.png,9\n", r"fer2013new\.csv, line 2: 3 cells instead of 12"),
        (IMAGE_ROW, VOTE_ROW.replace("9", "many"), r"fer2013new\.csv, line 2, column 'votes'"),
        (IMAGE_ROW, VOTE_ROW.replace("9", "-9"), r"fer2013new\.csv, line 2, column 'votes'"),
        (IMAGE_ROW.replace("7 7", "7 x", 1), VOTE_ROW, r"fer2013\.csv, line 2, column 'pixels'"),
        (IMAGE_ROW.replace("7 7", "7 256", 1), VOTE_ROW, r"fer2013\.csv, line 2, column 'pixels'"),
        ("0\n", VOTE_ROW, r"fer2013\.csv, line 2: column 'pixels' is missing"),
        (IMAGE_ROW, VOTE_ROW.replace("Training", "Обучение"), "none of Training"),
        ('0,"' + "7 " * 100_000 + '",Training\n', VOTE_ROW, "is no table"),
    ],
)
def test_tables_of_ferplus_that_do_not_fit_leave_the_arrays_that_were_there(
    tmp_path: Path, images: str, votes: str, words: str
) -> None:
    (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n" + images)
    (tmp_path / "fer2013new.csv").write_bytes((HEADER + votes).encode("cp1251"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "train.npz").write_text("earlier")
    with pytest.raises(data.DataError, match=words):
        data.build_ferplus(tmp_path / "fer2013.csv", tmp_path / "fer2013new.csv", tmp_path / "out")
    assert [(path.name, path.read_text()) for path in (tmp_path / "out").iterdir()] == [("train.npz", "earlier")]


# --- files are written whole or not at all -------------------------------------------------------------------------


def test_a_file_is_replaced_whole_or_stays(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_text(path, "earlier")

    def fail(part: Path) -> None:
        part.write_text("half")
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        write_atomically(path, fail)
    assert path.read_text() == "earlier"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_a_text_with_bytes_of_an_old_code_page_is_written_with_replacements(tmp_path: Path) -> None:
    write_text(tmp_path / "a.html", "sad/\udc8f\udca5.jpg \ud800")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == "sad/��.jpg �"


def test_behind_a_link_the_file_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    (tmp_path / "volume" / "config.json").write_text("earlier")
    (tmp_path / "config.json").symlink_to(tmp_path / "volume" / "config.json")
    write_text(tmp_path / "config.json", "later")
    assert (tmp_path / "config.json").is_symlink()
    assert (tmp_path / "volume" / "config.json").read_text() == "later"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_leaves_the_earlier_card_and_says_so_in_a_line(tmp_path: Path) -> None:
    """A real full disk: a tmpfs in a mount namespace of its own."""
    script = """
        mount -t tmpfs -o size=64k tmpfs "$1" && cd "$1" && printf earlier > file
        head -c 40000 /dev/zero > ballast
        "$2" -c '
from pathlib import Path
from emotion.training.command_line import command, write_text
command(lambda: write_text(Path("file"), "x" * 50_000))()
'; echo "exit $?"; cat file; ls
    """
    result = subprocess.run(
        ["unshare", "-m", "bash", "-c", script, "-", str(tmp_path), sys.executable],
        capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert result.stdout.split() == ["exit", "1", "earlierballast", "file"]
    assert "No space left on device" in result.stderr
    assert result.stderr.startswith("error: ")


# --- the names of reports ------------------------------------------------------------------------------------------


def judged(folder: Path, out: Path) -> str:
    stem, identity = evaluate.name_report(folder, out)
    (out / f"{stem}.json").write_text(json.dumps({"data_path_sha256": identity}))
    return stem


def test_every_data_set_has_a_report_of_its_own(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in ("2.A", "2.B", "one/2.A", "two/2.A", "valid", "м" * 90):
        (tmp_path / name).mkdir(parents=True)
    assert judged(tmp_path / "2.A", out) == "evaluation-2.A"
    assert judged(tmp_path / "2.B", out) == "evaluation-2.B"
    assert judged(tmp_path / "one" / "2.A", out) == "evaluation-one-2.A"
    assert judged(tmp_path / "two" / "2.A", out) == "evaluation-two-2.A"
    assert judged(tmp_path / "valid.npz", out) == "evaluation-valid"
    assert judged(tmp_path / "valid", out) != "evaluation-valid"
    # Judged again, a set keeps its report.
    assert judged(tmp_path / "two" / ".." / "one" / "2.A", out) == "evaluation-one-2.A"
    assert judged(tmp_path / "2.A", out) == "evaluation-2.A"
    assert evaluate.name_report(tmp_path / "test.npz", out)[0] == "evaluation"


def test_a_report_of_another_release_or_hand_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "2A").mkdir()
    for text in ("{}", "not JSON", "[]"):
        (tmp_path / "evaluation-2A.json").write_text(text)
        assert evaluate.name_report(tmp_path / "2A", tmp_path)[0] == f"evaluation-{tmp_path.name}-2A"


def test_a_long_or_undecodable_name_fits_into_a_file_name(tmp_path: Path) -> None:
    for name in ("ы" * 127, os.fsdecode(b"\x8f\xa5\xe2\xef")):
        (tmp_path / name).mkdir()
        stem, _ = evaluate.name_report(tmp_path / name, tmp_path)
        write_text(tmp_path / f"{stem}.html", "page")
        assert stem.encode("utf-8")


# --- the real commands ---------------------------------------------------------------------------------------------


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, timeout=900, check=False,
        env=os.environ | environment,
    )  # fmt: skip


@pytest.mark.slow
def test_a_set_as_people_have_it_is_judged_on_what_is_there(place: Path) -> None:
    """No contempt, a name in code page 866, an image without a usual suffix, leftovers of two systems, a pipe; the
    output goes into a pipe that knows no Cyrillic."""
    folder = place / "школа 2.А"
    shutil.move(place / "set", folder)
    shutil.rmtree(folder / "contempt")
    (folder / "sad" / "0.png").rename(folder / "sad" / os.fsdecode(b"\xa8\xac\xef.png"))
    Image.new("RGB", (48, 48), "grey").save(folder / "sad" / "other.jfif", "JPEG")
    (folder / "__MACOSX" / "happy").mkdir(parents=True)
    (folder / "__MACOSX" / "happy" / "._0.png").write_bytes(bytes(100))
    os.mkfifo(folder / "sad" / "pipe.jpg")
    answer = run(
        *("emotion.training.evaluate", "--checkpoint", str(PACKAGED), "--crops"),
        *("--data", str(folder), "--out", str(place / "out")),
        PYTHONIOENCODING="cp1252",
    )
    printed = answer.stdout.decode("cp1252")
    assert answer.returncode == 0, answer.stderr
    assert "judged on 7 of 8 classes; the data have no contempt" in printed
    found = json.loads((place / "out" / "evaluation-школа 2.А.json").read_text(encoding="utf-8"))
    assert found["classes_absent"] == ["contempt"]
    assert (found["faces_judged"], found["faces_in_data"]) == (29, 29)
    assert {line.split(":")[0] for line in found["ignored"]} == {"__MACOSX", "sad/pipe.jpg"}
    page = (place / "out" / "evaluation-школа 2.А.html").read_text(encoding="utf-8")
    assert "Judged on 7 of 8 classes: the data have no contempt" in page
    assert "sad/���.png" in page or found["confusion"][KEYS.index("sad")][KEYS.index("sad")] == 5


@pytest.mark.slow
def test_weights_that_answer_no_number_give_no_report_and_no_temperature(place: Path) -> None:
    copy = shutil.copytree(PACKAGED, place / "copy")
    settings = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    settings |= {"mean": [1e38], "std": [1e-30], "int8": None}  # every pixel becomes infinite
    (copy / "config.json").write_text(json.dumps(settings))
    before = {path.name: path.stat().st_mtime_ns for path in copy.iterdir()}
    common = ["emotion.training.evaluate", "--checkpoint", str(copy), "--runtime", "torch", "--crops"]
    for extra in ([], ["--fit-temperature", str(place / "set")]):
        answer = run(*common, "--data", str(place / "set"), *extra)
        assert answer.returncode == 1
        assert answer.stderr.splitlines()[-1].startswith(b"error: ")
        assert b"is no number (NaN)" in answer.stderr
    assert {path.name: path.stat().st_mtime_ns for path in copy.iterdir()} == before
