"""A small server that speaks as much of the Hub's protocol as one file in one data set needs."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

DATASET = "school/lessons"
API = f"/api/datasets/{DATASET}"


@dataclass
class HubDataset:
    """``revisions``: the files of each commit, the newest last. ``asked``: method and path of each request."""

    private: bool = True
    revisions: list[dict[str, bytes]] = field(default_factory=lambda: [{}])
    asked: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def commit(self) -> str:
        """The newest commit."""
        return hashlib.sha1(b"".join(sorted(self.revisions[-1].values()))).hexdigest()


@contextmanager
def hub_dataset() -> Iterator[HubDataset]:
    """Serves `DATASET` on a free port of this computer."""
    state = HubDataset()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = self._path()
            prefix = f"/datasets/{DATASET}/resolve/"
            if path.startswith(API):
                self._json({"id": DATASET, "private": state.private, "sha": state.commit, "siblings": []})
            elif path.startswith(prefix) and path.rpartition("/")[2] in state.revisions[-1]:
                self._send(200, state.revisions[-1][path.rpartition("/")[2]], {})
            else:
                self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"})

        def do_POST(self) -> None:
            path, body = self._path(), self.rfile.read(int(self.headers["Content-Length"] or 0))
            if path == f"{API}/preupload/main":
                files = json.loads(body)["files"]
                modes = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in files]
                self._json({"files": modes})
            elif path == f"{API}/commit/main":
                files = dict(state.revisions[-1])
                for line in body.splitlines():
                    change = json.loads(line)
                    if change["key"] == "file":
                        files[change["value"]["path"]] = base64.b64decode(change["value"]["content"])
                state.revisions.append(files)
                self._json({"commitUrl": f"{state.url}/datasets/{DATASET}/commit/x", "commitOid": state.commit})
            elif path == f"{API}/super-squash/main":
                state.revisions = state.revisions[-1:]
                self._json({})
            else:
                self._send(404, b"{}", {})

        def _path(self) -> str:
            path = unquote(urlsplit(self.path).path)
            state.asked.append(f"{self.command} {path}")
            return path

        def _json(self, value: object) -> None:
            self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

        def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            given = {"Content-Length": str(len(content)), "X-Repo-Commit": state.commit, "ETag": f'"{state.commit}"'}
            for name, value in (given | headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Quiet: the test's own report is enough."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
