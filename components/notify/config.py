"""Who is told what about a run."""

from __future__ import annotations

import re
from typing import Self

from pydantic import Field, field_validator, model_validator

from components.notify.event import KINDS, EventKind
from components.secrets import expanded, redacted
from models.section import Section

_VARIABLE = re.compile(r"\$\{[^}]*\}")
_TOKEN = re.compile(r"(?=[^/?#]*[0-9])(?=[^/?#]*[A-Za-z])[A-Za-z0-9_-]{16,}")
_SECRET_HEADER = re.compile(r"auth|token|key|secret|cookie|pass|signature", re.I)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class WebhookConfig(Section):
    """A POST of the event as JSON, tried again with growing pauses while the server is away.

    `${NAME}` in `url` and in values of `headers` is taken from the environment when it is sent,
    and shown nowhere.
    """

    url: str = Field(min_length=1, description="`http(s)://...`; secrets as `${NAME}`")
    headers: dict[str, str] = Field(default={}, description="further headers; secrets as `${NAME}`")
    on: tuple[EventKind, ...] = Field(
        default=KINDS, min_length=1, description="events that are sent"
    )
    timeout: float = Field(default=10.0, gt=0, le=300, description="seconds for each attempt")
    retries: int = Field(default=3, ge=0, le=10, description="further attempts")

    @field_validator("url")
    @classmethod
    def _no_secret_and_a_server(cls, value: str) -> str:
        _names(value)
        bare = _VARIABLE.sub("", value)
        path = bare.partition("://")[2].partition("/")[2]
        if redacted(value) != value or any(_TOKEN.fullmatch(p) for p in re.split("[/?#&=]", path)):
            raise ValueError(
                f"received {shown(value)!r} with what looks like a secret in plain text; "
                "configurations are committed and tracked: write ${NAME} in its place and set the "
                "environment variable NAME"
            )
        if not value.startswith(("http://", "https://", "${")):
            raise ValueError(
                f"received {shown(value)!r}, expected http://..., https://..., or ${{NAME}} for "
                "all of it"
            )
        return value

    @field_validator("headers")
    @classmethod
    def _headers(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not _HEADER_NAME.fullmatch(name):
                raise ValueError(f"received the header name {name!r}, expected one such as X-Team")
            if "\n" in text or "\r" in text:
                raise ValueError(f"the value of the header {name} has a line break; remove it")
            _names(text)
            if _SECRET_HEADER.search(name) and not _VARIABLE.search(text):
                raise ValueError(
                    f"received the header {name} with its value in plain text; configurations are "
                    f"committed and tracked: write {name}: ${{NAME}} and set the environment "
                    "variable NAME"
                )
        return value


class CommandConfig(Section):
    """A program that is started with the event as JSON on standard input.

    It runs in the folder of the configuration file, without a shell, with the environment of the
    run and `ELMAN_EVENT`, `ELMAN_TITLE`, `ELMAN_PIPELINE`, `ELMAN_RUN_ID` and `ELMAN_CONFIG`. A
    secret belongs into the environment, where the program finds it: `${NAME}` is not replaced.
    """

    run: tuple[str, ...] = Field(min_length=1, description="the program and its arguments")
    on: tuple[EventKind, ...] = Field(
        default=KINDS, min_length=1, description="events that start it"
    )
    timeout: float = Field(
        default=60.0, gt=0, le=3600, description="seconds, after which it is killed"
    )

    @field_validator("run")
    @classmethod
    def _a_program(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value[0].strip():
            raise ValueError(f"received {value[0]!r}, expected the name of a program first")
        if any("\0" in part for part in value):
            raise ValueError("an argument holds a zero byte, which no program can be given")
        return value


class NotifyConfig(Section):
    """Hooks that are told how a run ended. A hook that fails is a warning; it never ends a run.

    Events: `failed`, `blocked` (data or configuration refused), `not_blessed`, `promoted` and
    `drift`.
    """

    webhook: WebhookConfig | None = Field(default=None, description="an HTTP server that is told")
    command: CommandConfig | None = Field(default=None, description="a program that is started")

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.webhook is None and self.command is None:
            raise ValueError(
                "received neither webhook nor command; give one of them, or leave out notify"
            )
        return self


def shown(url: str) -> str:
    """`url` for people: its scheme and server, or the variable that holds all of it.

    The path of a webhook is often its secret.
    """
    text = redacted(url)
    scheme, slashes, rest = text.partition("://")
    if not slashes:
        found = _VARIABLE.match(text)
        return found[0] if found else "an address"
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    return f"{scheme}://{host}" + ("/..." if rest.partition(host)[2] else "")


def _names(text: str) -> None:
    """Refuses `${...}` that is no name; whether it is set is seen when it is used."""

    class Any(dict[str, str]):
        def __contains__(self, key: object) -> bool:
            return True

        def __missing__(self, key: str) -> str:
            return "x"

    expanded(text, environment=Any())
