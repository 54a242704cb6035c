"""The running app that the attacks are made on, and how an attacker and a child talk to it."""

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from analytics.store.records import Lesson
from tests.running_app import RunningApp
from tests.stations import PICTURE

FRAME = PICTURE.read_bytes()


@dataclass
class Target:
    """The app that is attacked, with a lesson of anna's that children take part in."""

    app: RunningApp
    folder: Path
    lesson: Lesson
    codes: list[str]

    def frame(self, child: int = 0, **headers: str) -> httpx.Response:
        """One frame of a child of the lesson."""
        query = {"lesson": self.lesson.code, "child": self.codes[child]}
        return httpx.post(self.app.url + "/observe", params=query, content=FRAME, headers=headers, timeout=60)

    def call(self, endpoint: str, *data: Any) -> str:
        """The answer of a named endpoint of the station, as it comes over the wire."""
        joined = httpx.post(f"{self.app.url}/gradio_api/call/{endpoint}", json={"data": data}, timeout=60)
        if joined.status_code != 200:
            return joined.text
        event = joined.json()["event_id"]
        return httpx.get(f"{self.app.url}/gradio_api/call/{endpoint}/{event}", timeout=60).text

    def log_text(self) -> str:
        """What the app has written into its log so far."""
        return self.app.log.read_text(encoding="utf-8")

    def raw(self, request: bytes, seconds: float = 20) -> bytes:
        """What the server answers to bytes; empty if it closes the connection."""
        with socket.create_connection(self.address, timeout=seconds) as connection:
            try:
                connection.sendall(request)
                return connection.recv(65536)
            except (ConnectionResetError, BrokenPipeError):
                return b""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        url = httpx.URL(self.app.url)
        return url.host, int(url.port or 0)
