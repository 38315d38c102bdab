"""Secrets in URLs: taken from the environment when used, masked wherever they could be seen.

Two ways, because each has a hole: by form (the password of a URL, the value of `?token=`), and by
value (what this process has put in place of a `${NAME}`, and what the environment holds under a
name such as `..._TOKEN`). The first knows nothing of a driver that quotes a password alone, the
second nothing of what others wrote.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, quote_plus, unquote

from models.errors import BadInputError

MASK = "***"
SHORTEST = 5
"""Letters of a secret that is masked by value: a shorter one is part of too many words."""
WORKING_FOLDER = "PWD"
"""What a shell calls the folder that it is in: no password, though its name looks like one."""
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SCHEME = r"([A-Za-z][A-Za-z0-9+.-]*://)"
_USER = re.compile(rf"{_SCHEME}([^/?#\s]*)@")
# SQLAlchemy takes a password with /, ? and # in it as it is: all up to the first @.
_LONG_PASSWORD = re.compile(rf"{_SCHEME}([^:/?#@\s]*):(?![0-9]+[/?#])([^@\s]*[/?#][^@\s]*)@")
_DATABASE_PASSWORD = re.compile(
    r"((?:postgres|mysql|mssql|mariadb|oracle|redshift|snowflake|clickhouse)[A-Za-z0-9+.-]*://)"
    r"([^:/?#@\s]*):([^@\s]*[/?#][^@\s]*)@"
)
_QUERY = re.compile(
    r"([?&;][^=&;#\s]*(?:pass|pwd|secret|token|key)[^=&;#\s]*=)([^&;#\s\"']*)", re.I
)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"']+")
_SECRET_NAME = re.compile(
    r"(?:^|[._-])(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|"
    r"secret[_-]?key|"
    r"authorization|cookie)$",
    re.I,
)
_seen: set[str] = set()
Mask = Callable[[str], str]


def is_secret_name(name: str) -> bool:
    """Whether what is called `name`, a key or an environment variable, is a secret."""
    return bool(_SECRET_NAME.search(name))


def expanded(
    text: str, *, environment: Mapping[str, str] | None = None, secret: bool = False
) -> str:
    """`text` with every `${NAME}` replaced by that environment variable.

    Call it where the secret is used, not before, so that what is stored keeps the name only. What
    stands where a secret stands (a password, a token) is masked by `scrubbed` from then on.

    Args:
        text: Such as `postgresql://user:${DB_PASSWORD}@host/base`.
        environment: Instead of the process' own.
        secret: Whether every variable in it is one, as in the path of a webhook.

    Raises:
        BadInputError: If a variable is not set, or `${...}` holds no name; the message names it.
    """
    known = os.environ if environment is None else environment

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if not _NAME.fullmatch(name):
            raise BadInputError(
                f"{match[0]}: expected the name of an environment variable: letters, digits, _"
            )
        if name not in known:
            raise BadInputError(
                f"the environment variable {name} is not set; set it: export {name}=..."
            )
        if secret or _is_masked(text, match):
            _seen.add(known[name])
        return known[name]

    whole = _VARIABLE.sub(value, text)
    if _VARIABLE.fullmatch(text):  # the variable is the URL, with its secrets
        _seen.update(_hidden(whole))
    return whole


def redacted(url: str) -> str:
    """`url` with passwords, tokens and keys masked; `${NAME}` stays, as it gives nothing away.

    Args:
        url: Any URL or text; what holds no secret comes back as it is.
    """
    return _redacted(url, _masked)


def scrubbed(text: str) -> str:
    """`text` without secrets: those of every URL in it, and those that this process knows.

    Use it for whatever leaves the process: logs, messages, reports, tracking.
    """
    text = _URL.sub(lambda match: redacted(match[0]), text)
    for known in sorted(_known(), key=len, reverse=True):
        text = text.replace(known, MASK)
    return text


def _redacted(url: str, mask: Mask) -> str:
    def long(match: re.Match[str]) -> str:
        return f"{match[1]}{match[2]}:{mask(match[3])}@"

    def user(match: re.Match[str]) -> str:
        name, colon, password = match[2].partition(":")
        return f"{match[1]}{name}{colon}{mask(password) if colon else ''}@"

    for pattern in (_DATABASE_PASSWORD, _LONG_PASSWORD):
        url = pattern.sub(long, url)
    url = _USER.sub(user, url)
    return _QUERY.sub(lambda match: match[1] + mask(match[2]), url)


def _known() -> Iterator[str]:
    named = (v for k, v in os.environ.items() if is_secret_name(k) and k != WORKING_FOLDER)
    for value in {*_seen, *named}:
        for form in {value, quote(value, safe=""), quote_plus(value), unquote(value)}:
            if len(form) >= SHORTEST:
                yield form


def _hidden(url: str) -> list[str]:
    """The secrets of a URL."""
    found: list[str] = []

    def keep(value: str) -> str:
        found.append(value)
        return MASK

    _redacted(url, keep)
    return found


def _is_masked(text: str, match: re.Match[str]) -> bool:
    """Whether the variable stands inside a secret of the URL `text`."""
    return any(match[0] in value for value in _hidden(text))


def _masked(value: str) -> str:
    return value if not value or _VARIABLE.fullmatch(unquote(value)) else MASK
