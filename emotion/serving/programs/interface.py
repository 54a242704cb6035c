"""The application behind ``/api/v1/``: how refusals look, its OpenAPI description, and a readable page of that. What it
serves is put into it by the station and by the teacher's page.
"""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from emotion.serving.language import language_of
from emotion.serving.programs.answers import PREFIX, VERSION, reason_of
from emotion.serving.rendering import templates_in
from emotion.serving.texts import say

TEMPLATES = templates_in(Path(__file__).parent / "templates")
PAGE, DESCRIPTION = "/", "/openapi.json"
ABOUT = (
    "Lessons, children and consent, frames, events, signals. Every answer carries server_time (ISO 8601, UTC) and "
    "version of the app. Every refusal has a 4xx or 5xx status, reason (stable, for programs) and error (a "
    "sentence, in English, or in Russian for Accept-Language: ru). Names and meanings stay as they are within v1; "
    "answers may get further fields."
)


class Refusal(BaseModel):
    """Why a call was not served."""

    reason: str = Field(description="Stable key")
    error: str = Field(description="Cause and remedy in a sentence")
    server_time: str
    version: str


def make_interface() -> FastAPI:
    """The application, to be mounted at `PREFIX`, with nothing but its description in it."""
    api = FastAPI(
        title="PiktoMir expressions",
        version=VERSION,
        description=ABOUT,
        openapi_url=DESCRIPTION,
        docs_url=None,  # both pages would load their scripts from another site
        redoc_url=None,
        redirect_slashes=False,
        servers=[{"url": PREFIX}],
        root_path_in_servers=False,
        responses={"4XX": {"model": Refusal}, "5XX": {"model": Refusal}},
    )

    @api.get(PAGE, include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(described(api))

    @api.exception_handler(RequestValidationError)
    async def misfit(request: Request, error: RequestValidationError) -> JSONResponse:
        language = language_of(request)
        if any(one["type"] == "json_invalid" for one in error.errors()):
            return JSONResponse({"reason": "bad_request", "error": say(language, "error_no_json")}, 400)
        where = ", ".join(dict.fromkeys(".".join(map(str, one["loc"][1:])) or "body" for one in error.errors()))
        words = say(language, "error_arguments", where=where[:200], address=PREFIX + PAGE)
        return JSONResponse({"reason": "bad_arguments", "error": words}, 422)

    @api.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        """Of the framework (no such address, another method, no JSON) or of the limits for bodies."""
        keys = {400: "error_no_json", 404: "error_no_address", 405: "error_method"}
        known = error.status_code in keys
        words = say(language_of(request), keys[error.status_code]) if known else str(error.detail)
        answer = {"reason": reason_of(error.status_code), "error": words}
        return JSONResponse(answer, error.status_code, error.headers)

    @api.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"reason": "unexpected", "error": say(language_of(request), "error_unexpected")}, 500)

    return api


def described(api: FastAPI) -> str:
    """The description of ``api`` as a page that loads nothing."""
    schema = api.openapi()
    operations = [
        {"method": method.upper(), "path": PREFIX + path, "body": _body(schema, operation), **operation}
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    return TEMPLATES.get_template("interface.html").render(
        info=schema["info"], operations=operations, description=PREFIX + DESCRIPTION
    )


def _body(schema: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of an operation's JSON body."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    if not name:
        return []
    model = schema["components"]["schemas"][name]
    return [
        {"name": field, "required": field in model.get("required", ()), **details}
        for field, details in model["properties"].items()
    ]
