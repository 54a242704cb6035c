"""Reads the environment once; nothing else in the project looks at it."""

import ipaddress
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasGenerator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from emotion.network.checkpoint import PACKAGED_CHECKPOINT
from emotion.runtime.base import RUNTIMES, RuntimeName
from emotion.serving.other_origins import OtherOrigins, read_origins

logger = logging.getLogger(__name__)

PREFIX = "EMOTION_"
# Nobody else in the network sees a demonstration that was started without settings.
LOOPBACK, EVERY_ADDRESS = "127.0.0.1", "0.0.0.0"


class SettingsError(ValueError):
    """A variable has a value that cannot be used; the message names the variable, the value and what would do."""


def _file(path: Path) -> Path:
    path = path.expanduser()
    if path.is_dir():
        raise ValueError("is a folder; give the path of a file.")
    return path


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("does not exist; give the path of an existing file.")
    return path


def _addresses(value: str) -> str:
    for part in value.split(","):
        try:
            ipaddress.ip_network(part.strip())
        except ValueError:
            raise ValueError("names no addresses or networks; use for example 127.0.0.1,10.0.0.0/24.") from None
    return value


File = Annotated[Path, AfterValidator(_file)]
ExistingFile = Annotated[File, AfterValidator(_existing)]


class Settings(BaseModel):
    """Everything that can be set from outside, with the defaults of a private demonstration on one's own computer.

    A field is read from the variable ``EMOTION_`` + its name in capitals and described in the README's table; host,
    port and space are read from the variables that Gradio and Hugging Face use: the same file runs there.
    """

    model_config = ConfigDict(
        frozen=True,
        validate_by_name=True,
        alias_generator=AliasGenerator(validation_alias=lambda name: PREFIX + name.upper()),
    )

    checkpoint: str = Field(
        str(PACKAGED_CHECKPOINT), description="Folder of the classifier, or a Hub repository `owner/name@revision`"
    )
    runtime: RuntimeName = Field("auto", description=f"What computes the network: `{'`, `'.join(RUNTIMES)}`")
    database: File = Field(Path(".data/lessons.duckdb"), description="The DuckDB file that keeps the lessons")
    secret: str | None = Field(
        None,
        min_length=32,
        repr=False,
        description="Key of the pseudonyms, 32 characters or more; made at the first local start, needed on a Space",
    )
    retention_days: int = Field(30, ge=1, le=3650, description="Days after which observations are deleted")
    backup_dataset: str | None = Field(
        None, description="Private data set on the Hub, `owner/name`, that keeps a copy of the database"
    )
    frames_per_second: float = Field(
        1.0,
        ge=0.2,
        le=5.0,
        allow_inf_nan=False,
        description="Frames a station sends each second unless set on the page, 0.2 to 5",
    )
    accounts: str = Field(
        ".data/accounts.json",
        repr=False,
        description="Teachers' accounts: a file, or its JSON; without any the teacher page answers this computer only",
    )
    demonstration: bool = Field(
        False,
        description="`1`: whoever has no account may look at the synthetic lessons on the teacher page, and change "
        "nothing; recording and accounts then need `EMOTION_SECRET`. So it is on a Space without a secret",
    )
    session_minutes: int = Field(
        60, ge=1, le=1440, description="Minutes without a request after which a teacher has to log in again"
    )
    requests_per_minute: int = Field(
        6000,
        ge=60,
        le=1_000_000,
        description="Requests an address may make in a minute before it has to wait; "
        "stations that take part are not counted",
    )
    lessons_open: int = Field(10, ge=1, le=1000, description="Lessons a teacher may have open at a time")
    upload_megabytes: int = Field(32, ge=1, le=512, description="Largest upload in megabytes")
    small_groups: Literal["caution", "hide"] = Field(
        "caution",
        description="Figures of a class of which fewer than five children were seen: shown with a `caution`, or `hide`",
    )
    metrics_token: str | None = Field(
        None,
        min_length=16,
        repr=False,
        description="Bearer token for `/metrics` from other computers, 16 characters or more; without it this computer "
        "only",
    )
    trusted_proxies: Annotated[str, AfterValidator(_addresses)] | None = Field(
        None,
        description="Addresses or networks, with commas, of proxies in front whose X-Forwarded-For and -Proto are "
        "believed; one on this computer is `127.0.0.1,::1`",
    )
    allowed_origins: Annotated[str, AfterValidator(read_origins)] | None = Field(
        None,
        description="Origins of other sites, with commas (`https://piktomir.ru`, `app://piktomir`, `null`), whose "
        "pages may call the station's routes, with a token the teacher's, and show the station page in a frame",
    )
    tls_certificate: ExistingFile | None = Field(
        None, description="Certificate for https; other devices' browsers open the camera only over https"
    )
    tls_key: ExistingFile | None = Field(None, description="Key file of that certificate")
    host: Annotated[str, AfterValidator(lambda host: host.strip("[]"))] = Field(
        LOOPBACK, validation_alias="GRADIO_SERVER_NAME"
    )
    port: int = Field(7860, ge=1, le=65535, validation_alias="GRADIO_SERVER_PORT")
    space: str | None = Field(None, validation_alias="SPACE_ID")

    @property
    def other_origins(self) -> OtherOrigins:
        """The sites of `allowed_origins`."""
        return OtherOrigins(frozenset(self.allowed_origins.split(",")) if self.allowed_origins else frozenset())

    @property
    def is_demonstration(self) -> bool:
        """Whether visitors may look at the teacher page, with what was made up on it."""
        return self.demonstration or (self.space is not None and self.secret is None)

    @property
    def keeps_lessons(self) -> bool:
        """Whether children are recorded and teachers log in: a demonstration has no key that would outlive it, and
        anybody could take part."""
        return self.secret is not None or not self.is_demonstration

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read ``environment`` (the process's own if None). Raises SettingsError for a value that cannot be used.

        An empty value counts as not set. A variable with our prefix that no setting has is nearly always a typing
        mistake and gets a warning.
        """
        given = {name: value.strip() for name, value in (os.environ if environment is None else environment).items()}
        given = {name: value for name, value in given.items() if value}
        known = sorted(variables())
        for name in sorted(name for name in given if name.startswith(PREFIX) and name not in known):
            logger.warning("%s is not a setting of this app; known are %s", name, ", ".join(known))
        if "SPACE_ID" in given:
            given.setdefault("GRADIO_SERVER_NAME", EVERY_ADDRESS)
        try:
            settings = cls.model_validate(given, by_name=False)
        except ValidationError as error:
            raise SettingsError(_sentence(error)) from None  # its text would repeat a secret
        if (settings.tls_certificate is None) != (settings.tls_key is None):
            raise SettingsError(f"{PREFIX}TLS_CERTIFICATE and {PREFIX}TLS_KEY belong together: set both or neither.")
        return settings


def variables() -> dict[str, FieldInfo]:
    """The fields of `Settings` that have a variable of ours, by its name."""
    fields = {str(field.validation_alias): field for field in Settings.model_fields.values()}
    return {name: field for name, field in fields.items() if name.startswith(PREFIX)}


def _sentence(error: ValidationError) -> str:
    """The variable, its value unless it is a secret, what is wrong with it and what would do; of the first mistake."""
    details = error.errors()[0]
    name, value, context = details["loc"][0], details["input"], details.get("ctx", {})
    allowed = Settings.model_json_schema(mode="validation")["properties"][name]
    bounds = f"use {allowed.get('minimum')} to {allowed.get('maximum')}."
    match details["type"]:
        case "string_too_short":
            length = context["min_length"]
            return (
                f"{name} is too short; use at least {length} random characters, "
                f"for example `openssl rand -hex {length}`."
            )
        case "int_parsing":
            return f"{name}={value!r} is not a whole number; {bounds}"
        case "float_parsing":
            return f"{name}={value!r} is not a number; {bounds}"
        case "bool_parsing":
            return f"{name}={value!r} is neither yes nor no; use 1 or 0."
        case "literal_error":
            return f"{name}={value!r} is not known; use one of {', '.join(allowed['enum'])}."
        case "value_error":
            return f"{name}={value!r} {context['error']}"
    return f"{name}={value} is out of range; {bounds}"
