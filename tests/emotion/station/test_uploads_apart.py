"""What a program uploads is its own: taking it away harms neither the page's examples nor another program's frame."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from fastapi import FastAPI
from gradio.route_utils import delete_files_created_by_app
from starlette.testclient import TestClient

from emotion.serving.input_guard import guard_inputs
from emotion.serving.upload_limits import keep_uploads_apart
from emotion.station.endpoints import add_endpoints
from emotion.station.photograph.http_routes import EXAMPLES

PHOTO = EXAMPLES["astronaut"]


class Intake:
    """Takes every frame and remembers its bytes."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    async def observe(self, lesson: str, child: str, image: bytes, *_: object) -> dict[str, object]:
        self.frames.append(image)
        return {"recorded": True}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def station(folder: Path) -> Iterator[tuple[TestClient, Intake, gr.Blocks, Path]]:
    """A page with the app's own example and its `observe`, served; and where the example lies."""
    intake = Intake()
    keep_uploads_apart()
    with gr.Blocks(analytics_enabled=False) as page:
        photo = gr.Image(type="filepath")
        gr.Examples([str(PHOTO)], photo)
        add_endpoints(intake, None, lambda _request: "en", page.upload_file_set)  # type: ignore[arg-type]
    guard_inputs(page)
    app = gr.mount_gradio_app(FastAPI(), page, "/", show_error=False)
    (example,) = folder.rglob(PHOTO.name)
    with TestClient(app, client=("127.0.0.1", 1)) as client:
        yield client, intake, page, example


def upload(client: TestClient) -> str:
    answer = client.post("/gradio_api/upload", files={"files": (PHOTO.name, PHOTO.read_bytes(), "image/jpeg")})
    assert answer.status_code == 200
    return str(answer.json()[0])


def observe(client: TestClient, path: str) -> bool:
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    answer = client.post("/gradio_api/run/observe", json={"data": ["lesson", "child", file, None, None]})
    return answer.status_code == 200 and bool(answer.json()["data"][0]["recorded"])


def test_a_program_that_sends_the_pages_example_does_not_take_it_away(
    station: tuple[TestClient, Intake, gr.Blocks, Path],
) -> None:
    client, intake, page, example = station
    path = upload(client)
    assert observe(client, path)
    assert intake.frames == [PHOTO.read_bytes()]
    assert not Path(path).exists(), "a frame does not stay"
    assert client.get(f"/gradio_api/file={example}").status_code == 200
    left = upload(client)
    delete_files_created_by_app(page, None)
    assert not Path(left).exists()
    assert example.exists(), "the page's own clean-up leaves it too"


def test_two_programs_may_send_the_same_picture_at_the_same_moment(
    station: tuple[TestClient, Intake, gr.Blocks, Path],
) -> None:
    client, _, _, _ = station
    first, second = upload(client), upload(client)
    assert observe(client, first)
    assert observe(client, second)


def test_a_taken_frame_leaves_no_folder_behind(
    station: tuple[TestClient, Intake, gr.Blocks, Path], folder: Path
) -> None:
    client, _, _, _ = station
    before = sorted(folder.rglob("*"))
    assert observe(client, upload(client))
    assert sorted(folder.rglob("*")) == before


def test_an_example_itself_is_nothing_to_observe(station: tuple[TestClient, Intake, gr.Blocks, Path]) -> None:
    client, intake, _, example = station
    assert not observe(client, str(example))
    assert intake.frames == []
    assert example.exists()


def test_what_nobody_foresaw_is_said_in_a_sentence(
    station: tuple[TestClient, Intake, gr.Blocks, Path], caplog: pytest.LogCaptureFixture
) -> None:
    from emotion.serving.texts import TEXTS
    from emotion.serving.unexpected_errors import tell_in_a_sentence

    client, intake, page, _ = station
    tell_in_a_sentence(page)

    async def breaks(*_: object) -> dict[str, object]:
        await asyncio.sleep(0)
        raise RuntimeError("text of a library")

    intake.observe = breaks  # type: ignore[method-assign]
    file = {"path": upload(client), "meta": {"_type": "gradio.FileData"}}
    for language, sentence in ((tag, TEXTS[tag]["error_unexpected"]) for tag in ("en", "ru")):
        file["path"] = upload(client)
        answer = client.post(
            "/gradio_api/run/observe",
            json={"data": ["lesson", "child", file, None, None]},
            headers={"Accept-Language": language},
        )
        assert answer.json()["error"] == sentence
    assert "text of a library" in caplog.text
