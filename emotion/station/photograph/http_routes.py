"""The plain HTTP routes of the photograph.

``POST /photograph?station=`` takes a picture as its body, or a form with one file, and answers what `predict` tells of
it; ``POST /photograph/picture?face=`` answers it as a JPEG that every browser shows, with the places that spoke for the
expression of a face in warm colours. Nothing is kept. ``station=`` tells the pages of one address apart.
``GET /photograph/example?name=`` is one of the example photographs.
"""

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from emotion.serving.language import language_of
from emotion.station.form_body import read_form
from emotion.station.http_routes import client_address, read_body
from emotion.station.observing import RefusedError, read_identifier
from emotion.station.photograph.photographs import Answer, Photographs
from emotion.station.photograph.texts import WORDS

EXAMPLES = {path.stem: path for path in sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.jpg"))}


def add_photograph_routes(app: FastAPI, photographs: Photographs) -> None:
    """Put the routes on ``app``. A mistake gets a 4xx status with ``reason`` and ``error``."""

    @app.post("/photograph")
    async def read(request: Request, station: str = "") -> JSONResponse:
        async def work(image: bytes, client: str, owner: str, language: str) -> Answer:
            return await photographs.read(image, client, owner, language)

        return await _answered(photographs, request, station, work)

    @app.post("/photograph/picture")
    async def picture(request: Request, station: str = "", face: int | None = None) -> JSONResponse:
        async def work(image: bytes, client: str, owner: str, language: str) -> Answer:
            return await photographs.picture(image, face, client, owner, language)

        return await _answered(photographs, request, station, work)

    @app.get("/photograph/example")
    async def example(request: Request, name: str = "") -> Response:
        if name not in EXAMPLES:
            words = WORDS[language_of(request)]["error_no_example"].format(names=", ".join(EXAMPLES))
            return JSONResponse({"reason": "no_example", "error": words}, 404)
        return FileResponse(EXAMPLES[name], media_type="image/jpeg")


async def _answered(
    photographs: Photographs,
    request: Request,
    station: str,
    work: Callable[[bytes, str, str, str], Awaitable[Answer]],
) -> JSONResponse:
    language, client = language_of(request), client_address(request)
    try:
        owner = read_identifier(station, language) or secrets.token_hex(8)  # who names no station is replaced by nobody
        with photographs.holding(client, language) as arrived:
            body = await read_body(request, photographs.most_bytes, language, arrived)
            image, _ = read_form(body, request.headers.get("content-type", ""), language)
            return JSONResponse(await work(image, client, owner, language))
    except RefusedError as error:
        headers = {"Retry-After": str(round(error.retry_after) + 1)} if error.retry_after else None
        return JSONResponse({"reason": error.reason, "error": str(error)}, error.status, headers)
    except ClientDisconnect:
        return JSONResponse({"reason": "gone", "error": ""}, 499)
