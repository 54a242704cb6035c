"""No frame of a lesson reaches a disk: the system is asked which files the app opened, and each of them is searched."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from analytics.classroom.recorder import LessonRecorder
from analytics.store.lesson_store import LessonStore
from emotion.serving.uploads import MEMORY_FOLDER
from tests.calibrations import called
from tests.composed import CLASSES, PASSWORD, account_variable, composed_app
from tests.running_app import ROOT, SECRET, environment_for, free_port
from tests.stations import PICTURE

pytestmark = pytest.mark.slow

PHOTO = PICTURE
# How pictures begin: JPEG with JFIF, Exif or tables, PNG, GIF, WebP.
SIGNATURES = re.compile(
    rb"\xff\xd8\xff\xe0..JFIF|\xff\xd8\xff\xe1..Exif|\xff\xd8\xff\xdb\x00[\x43\x84]\x00|\x89PNG\r\n\x1a\n|GIF8[79]a"
    rb"|RIFF....WEBPVP8",
    re.DOTALL,
)
WRITES = re.compile(
    r'(?:openat2?|open|creat)\((?:[^"]*, )?"(?P<path>[^"]+)", [^)]*(?:O_WRONLY|O_RDWR|O_CREAT)[^)]*\) = \d'
)
SEARCHED = 300_000_000  # bytes


def frame() -> bytes:
    """A frame of a tablet's camera, noisy enough for any piece of it to occur nowhere else."""
    picture = Image.open(PHOTO).convert("RGB").resize((640, 480))
    noise = np.random.default_rng(1).integers(-12, 13, (480, 640, 3))
    noisy = Image.fromarray(np.clip(np.asarray(picture).astype(int) + noise, 0, 255).astype(np.uint8))
    stream = BytesIO()
    noisy.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def pieces(jpeg: bytes) -> list[bytes]:
    """Stretches of the file and of its decoded pixels, which would give away a copy in any container."""
    pixels = np.asarray(Image.open(BytesIO(jpeg)).convert("RGB"))
    rows = [pixels[row, 200:248].tobytes() for row in range(60, 300, 20)]
    return [jpeg[start : start + 48] for start in range(2000, len(jpeg) - 48, 3000)] + rows


def pictures_in(content: bytes, known: list[bytes]) -> list[str]:
    """What of a picture is in ``content``."""
    found = [f"begins like a picture: {match[:12]!r}" for match in SIGNATURES.findall(content)]
    return found + ["a piece of the frame" for piece in known if piece in content]


@dataclass
class Watched:
    """The app under strace; ``seen``: pictures in files that exist only for a moment."""

    url: str
    process: subprocess.Popen[bytes]
    folder: Path
    trace: Path
    known: list[bytes]
    seen: list[str] = field(default_factory=list)

    def look(self, stop: threading.Event) -> None:
        """Search what lies beside the database, its log above all, again and again."""
        while not stop.wait(0.3):
            for path in list(self.folder.rglob("*")):
                try:
                    content = path.read_bytes() if path.is_file() and path != self.trace else b""
                except OSError:
                    continue
                self.seen += [f"{path.name}: {what}" for what in pictures_in(content, self.known)]

    def written(self, since: int = 0) -> set[Path]:
        """Every file that any thread of the app opened for writing, from character ``since`` of the trace on."""
        text = self.trace.read_text(errors="replace")[since:]
        found = {Path(match["path"]) for match in WRITES.finditer(text)}
        return {path if path.is_absolute() else self.folder / path for path in found}


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Watched, LessonRecorder, list[str], str]]:
    if not shutil.which("strace"):
        pytest.skip("needs strace (Debian: apt-get install strace)")
    with LessonStore(tmp_path / "lessons.duckdb") as store:
        recorder = LessonRecorder(store, SECRET.encode())
        lesson = recorder.start_lesson("Robots", CLASSES["anna"], 45)
        codes = [recorder.enrol(CLASSES["anna"], "parent", "1")[0] for _ in range(3)]
    port, trace = free_port(), tmp_path / "trace"
    environment = environment_for(tmp_path, port, EMOTION_ACCOUNTS=account_variable(CLASSES))
    command = ["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-s", "4096", "-e", "trace=open,openat,openat2,creat",
               "-o", str(trace), sys.executable, str(ROOT / "app.py")]  # fmt: skip
    with (tmp_path / "app.log").open("ab") as output:
        process = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=output, stderr=output)
    app = Watched(f"http://127.0.0.1:{port}", process, tmp_path, trace, pieces(frame()))
    try:
        deadline = time.monotonic() + 300
        while True:
            try:
                httpx.get(app.url + "/healthz", timeout=5)
                break
            except httpx.TransportError:
                log = (tmp_path / "app.log").read_text()
                if "Operation not permitted" in log:
                    pytest.skip("strace may not watch processes here")
                assert process.poll() is None, log[-2000:]
                assert time.monotonic() < deadline
                time.sleep(0.3)
        yield app, recorder, codes, lesson.code
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def test_in_a_whole_lesson_no_picture_is_written_to_a_disk(watched, tmp_path: Path) -> None:
    app, _, codes, code = watched
    started = len(app.trace.read_text(errors="replace"))  # libraries try at their start whether they can write
    stop = threading.Event()
    watcher = threading.Thread(target=app.look, args=(stop,))
    watcher.start()
    jpeg = frame()
    recorded = 0
    with httpx.Client(base_url=app.url, timeout=120) as station:
        for number in range(10):
            for child in codes:
                answer = station.post("/observe", params={"lesson": code, "child": child}, content=jpeg)
                recorded += bool(answer.json().get("recorded"))
            assert number or recorded == 3
        assert station.post("/photograph", content=jpeg).json()["faces"]
        assert station.post("/photograph/picture", params={"face": 0}, content=jpeg).json()["picture"]
    sent = tmp_path.parent / f"{tmp_path.name}-sent.jpg"  # outside of the folder that is searched
    sent.write_bytes(jpeg)
    client = Client(app.url, verbose=False)
    for child in codes:
        recorded += client.predict(code, child, handle_file(str(sent)), api_name="/observe")["recorded"]
    drawn, _, details = client.predict(handle_file(str(sent)), api_name="/predict")
    assert details["faces"]
    assert client.predict([handle_file(str(sent))], api_name="/predict_batch")[0]["faces"]
    with httpx.Client(base_url=app.url, timeout=120) as anna:
        anna.post("/teacher/login", data={"username": "anna", "password": PASSWORD})
        child = (codes[0], CLASSES["anna"])
        called(app.url, "set_consent", *child, True, "parent", 30, "calibration", client=anna)
        link = called(app.url, "calibration_link", *child, client=anna)["code"]
        for _ in range(3):  # the game "show me a face", by its route and by its endpoint
            query = {"code": link, "label": "happy", "burst": 0}
            answer = anna.post("/teach", params=query, content=jpeg).json()
            assert answer.get("kept"), answer
        assert client.predict(link, "happy", 0, handle_file(str(sent)), api_name="/teach")["kept"]
        for name, data in (("export_lesson", [code, "json"]), ("end_lesson", [code])):
            event = anna.post(f"/teacher/gradio_api/call/{name}", json={"data": data}).json()["event_id"]
            assert "event: complete" in anna.get(f"/teacher/gradio_api/call/{name}/{event}").text
    memory = list(MEMORY_FOLDER.glob(f"expression-uploads-{app.process.pid}-*"))
    in_memory = [path for folder in memory for path in folder.rglob("*") if path.is_file()]
    app.process.terminate()
    assert app.process.wait(60) == 0
    stop.set()
    watcher.join()
    assert recorded >= 20

    filesystems = {line.split()[1]: line.split()[2] for line in Path("/proc/mounts").read_text().splitlines()}
    assert filesystems.get(str(MEMORY_FOLDER)) == "tmpfs", "what Gradio needs as a file lies in memory"
    assert memory, "and it is there that the uploads were"
    assert in_memory, "what a program sent is there for a while"
    written = app.written()
    assert tmp_path / "lessons.duckdb" in written, "the watch sees what it should see"
    assert any(path.is_relative_to(memory[0]) for path in written)
    on_disk = {path for path in written if not path.is_relative_to(MEMORY_FOLDER) and not str(path).startswith("/dev/")}
    elsewhere = {path for path in app.written(started) & on_disk if not path.is_relative_to(tmp_path)}
    assert {path for path in elsewhere if not path.exists()} == set(), "nothing was written and taken away again"
    for path in sorted(on_disk):
        if path.is_file() and path.stat().st_size < SEARCHED:
            assert pictures_in(path.read_bytes(), app.known) == [], path
    assert app.seen == []
    assert not [folder for folder in memory if folder.exists()], "and nothing stays in memory"
    assert drawn
    sent.unlink()


def test_the_search_finds_pictures_of_every_format() -> None:
    """Without this, the test above would pass with a search that finds nothing."""
    jpeg = frame()
    known = pieces(jpeg)
    crop = Image.open(BytesIO(jpeg)).convert("RGB").crop((180, 40, 330, 320))
    for kind in ("PNG", "WEBP", "GIF", "JPEG"):
        stream = BytesIO()
        crop.save(stream, kind)
        assert pictures_in(b"rows" + stream.getvalue() + b"rows", known), kind
    assert pictures_in(b"x" + np.asarray(Image.open(BytesIO(jpeg)).convert("RGB")).tobytes(), known), "raw pixels"
    assert pictures_in(b"x" + jpeg[5000:20000], known), "a part of the file"
    assert not pictures_in(os.urandom(1_000_000), known)


def test_photographs_and_exports_leave_the_memory_after_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "memory"))
    monkeypatch.setattr("emotion.station.page.DELETE_CACHE", (1, 8))
    monkeypatch.setattr("analytics.teacher.page.COPY_SECONDS", 8)
    with composed_app(tmp_path, accounts='{"accounts": {}}') as server:
        station, teacher = (Client(server.url + path, verbose=False) for path in ("/", "/teacher/"))
        station.predict(handle_file(str(PHOTO)), api_name="/predict")
        assert [path for path in files_of(tmp_path / "memory") if path.name == "image.jpeg"], "the drawn photograph"
        teacher.predict(server.taught["anna"].lesson.id, "json", api_name="/export_lesson")
        assert [path for path in files_of(tmp_path / "memory") if path.suffix == ".json"]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len(files_of(tmp_path / "memory")) > examples(tmp_path / "memory"):
            time.sleep(0.5)
        left = files_of(tmp_path / "memory")
        assert not [path for path in left if path.suffix == ".json" or path.name == "image.jpeg"]
        assert len(left) == examples(tmp_path / "memory")


def files_of(folder: Path) -> list[Path]:
    """All files below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def examples(folder: Path) -> int:
    """How many of the files are the page's own example photographs, which stay."""
    shown = {path.read_bytes() for path in PHOTO.parent.glob("*.jpg")}
    return sum(path.read_bytes() in shown for path in files_of(folder))


@pytest.mark.parametrize("kind", ["json", "csv", "parquet"])
def test_an_erased_child_is_in_no_file_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Exported, backed up, fetched and then erased: the bytes of the pseudonym are nowhere below the app's folders."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "memory"))
    with composed_app(tmp_path / "data", accounts='{"accounts": {}}') as server:
        taught = server.taught["anna"]
        pseudonym = taught.children[0].pseudonym
        teacher = Client(server.url + "/teacher/", verbose=False, download_files=str(tmp_path.parent / "fetched"))
        fetched = teacher.predict(taught.lesson.id, kind, api_name="/export_lesson")
        assert Path(fetched).stat().st_size > 0
        server.store.backup()
        assert places(tmp_path, pseudonym), "it is there before"
        assert len(files_of(tmp_path / "memory" / "exports")) == 1
        rows = teacher.predict(pseudonym, "", api_name="/erase_child")["rows"]
        assert rows >= 2
        assert places(tmp_path, pseudonym) == []
        assert files_of(tmp_path / "memory" / "exports") == []
        assert files_of(tmp_path / "data" / "exports") == []
    assert places(tmp_path, pseudonym) == []
    assert places(tmp_path, taught.children[1].pseudonym), "the others stay"


def places(folder: Path, word: str) -> list[str]:
    """Files in which a word stands."""
    return [path.name for path in files_of(folder) if word.encode() in path.read_bytes()]
