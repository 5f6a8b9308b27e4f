"""Settings that every service shares: typed, from ``DELTACLOUD_*``, read once at the start."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, TypeVar
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "DELTACLOUD_"
LogLevel = Literal["debug", "info", "warning", "error"]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Port = Annotated[int, Field(ge=0, le=65_535)]
CommaList = Annotated[tuple[str, ...], NoDecode]
S = TypeVar("S", bound=BaseSettings)


class CommonSettings(BaseSettings):
    """What all services have. ``broker`` is an AMQP URL, which ``broker_file`` may hold instead."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True
    )

    broker: str | None = Field(default=None, repr=False, pattern=r"^amqps?://", description="AMQP URL of the broker")
    broker_file: Path | None = Field(default=None, description="file whose first line is the AMQP URL")
    log_level: LogLevel = Field(default="info", description="debug, info, warning or error")
    deadline_s: Seconds = Field(default=60.0, description="seconds a call may take when its caller does not say")

    @field_validator("broker")
    @classmethod
    def _has_a_host(cls, value: str | None) -> str | None:
        try:
            is_url = value is None or bool(urlsplit(value).hostname and urlsplit(value).port != 0)
        except ValueError:
            is_url = False
        if not is_url:
            raise ValueError("it cannot be read; write amqp://user:password@host:5672/vhost")
        return value

    @model_validator(mode="before")
    @classmethod
    def _read_broker_file(cls, values: dict[str, Any]) -> dict[str, Any]:
        path = values.get("broker_file")
        if not path or values.get("broker"):
            return values
        try:
            return {**values, "broker": Path(path).read_text(encoding="utf-8").strip()}
        except OSError as error:
            raise ValueError(f"{PREFIX}BROKER_FILE cannot be read: {error.strerror} ({path})") from error


def read(cls: type[S], **given: Any) -> S:
    """Return the settings of a service: the given ones (command line) before the environment's.

    A wrong one ends the process with status 2 and a line that says what is wrong and what is allowed.
    """
    try:
        return cls(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        refuse("; ".join(_explain(problem, cls) for problem in error.errors()))


def refuse(text: str) -> NoReturn:
    """End the process with status 2 and one line on standard error."""
    sys.stderr.write(f"{sys.argv[0].rsplit('/', 1)[-1]}: {text}\n")
    raise SystemExit(2)


def variables(name: str, field: FieldInfo) -> list[str]:
    """Return the environment variables of a setting, our own first."""
    alias = field.validation_alias
    if isinstance(alias, str):
        return [alias]
    if not isinstance(alias, AliasChoices):
        return [f"{PREFIX}{name.upper()}"]
    return [choice for choice in alias.choices if isinstance(choice, str) and choice.isupper()]


def _explain(problem: ErrorDetails, cls: type[BaseSettings]) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return message
    place = str(problem["loc"][0])
    for name, field in cls.model_fields.items():
        names = variables(name, field)
        if place in {name, *names}:
            return f"setting {' or '.join(names)} ({field.description or name}): {message}"
    return f"setting {place}: {message}"
