"""A small server that speaks as much of the Hugging Face Hub's protocol as a snapshot download needs, and a commit of
regular files."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

REPOSITORY = "school/expressions"
REVISION = "v1"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def hub(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Serves ``folder`` as `REPOSITORY` at `REVISION` and main on a free port, and writes into it what is pushed;
    yields the address and the list of paths asked for.
    """
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_POST(self) -> None:
            path, content = unquote(urlsplit(self.path).path), self.rfile.read(int(self.headers["Content-Length"] or 0))
            asked.append(path)
            api, url = f"/api/models/{REPOSITORY}", f"http://{self.headers['Host']}/{REPOSITORY}"
            if path == "/api/repos/create":
                self._send_json({"url": url, "id": REPOSITORY}, body=True)
            elif path == "/api/validate-yaml":
                self._send_json({"errors": [], "warnings": []}, body=True)
            elif path == f"{api}/preupload/main":
                files = json.loads(content)["files"]
                modes = [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in files]
                self._send_json({"files": modes}, body=True)
            elif path == f"{api}/commit/main":
                for change in map(json.loads, content.splitlines()):
                    if change["key"] == "file":
                        (folder / change["value"]["path"]).write_bytes(base64.b64decode(change["value"]["content"]))
                self._send_json({"commitUrl": f"{url}/commit/{COMMIT}", "commitOid": COMMIT}, body=True)
            else:
                self._send_error("RepoNotFound", "Repository not found", body=True)

        def _answer(self, body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            asked.append(path)
            if path.startswith(f"/api/models/{REPOSITORY}"):
                rest = path.removeprefix(f"/api/models/{REPOSITORY}")
                if rest in ("", "/revision/main", f"/revision/{REVISION}", f"/revision/{COMMIT}"):
                    return self._send_json(self._description(), body)
                if rest.startswith("/tree/"):
                    return self._send_json(self._tree(), body)
                return self._send_error("RevisionNotFound", "Invalid rev id", body)
            prefix = f"/{REPOSITORY}/resolve/{COMMIT}/"
            file = folder / path.removeprefix(prefix)
            if path.startswith(prefix) and file.is_file():
                return self._send(200, file.read_bytes(), "application/octet-stream", body)
            return self._send_error("RepoNotFound", "Repository not found", body)

        def _description(self) -> dict[str, object]:
            return {
                "id": REPOSITORY,
                "modelId": REPOSITORY,
                "sha": COMMIT,
                "private": False,
                "siblings": [{"rfilename": file.name} for file in folder.iterdir()],
            }

        def _tree(self) -> list[dict[str, object]]:
            return [
                {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": _digest(file.read_bytes())}
                for file in folder.iterdir()
            ]

        def _send_json(self, value: object, body: bool) -> None:
            self._send(200, json.dumps(value).encode(), "application/json", body)

        def _send_error(self, code: str, message: str, body: bool) -> None:
            self._send(404, json.dumps({"error": message}).encode(), "application/json", body, {"X-Error-Code": code})

        def _send(
            self, status: int, content: bytes, kind: str, body: bool, headers: dict[str, str] | None = None
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{_digest(content)}"')
            self.send_header("X-Repo-Commit", COMMIT)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Quiet: the test's own report is enough."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _digest(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
