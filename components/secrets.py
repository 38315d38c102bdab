"""Secrets in URLs: taken from the environment when used, masked wherever they could be seen."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import unquote

from models.errors import BadInputError

MASK = "***"
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USER = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)([^/?#]*)@")
_QUERY = re.compile(r"([?&;][^=&;#]*(?:pass|pwd|secret|token|key)[^=&;#]*=)([^&;#]*)", re.I)


def expanded(text: str, *, environment: Mapping[str, str] | None = None) -> str:
    """`text` with every `${NAME}` replaced by that environment variable.

    Call it where the secret is used, not before, so that what is stored keeps the name only.

    Args:
        text: Such as `postgresql://user:${DB_PASSWORD}@host/base`.
        environment: Instead of the process' own.

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
        return known[name]

    return _VARIABLE.sub(value, text)


def redacted(url: str) -> str:
    """`url` with passwords, tokens and keys masked; `${NAME}` stays, as it gives nothing away.

    Args:
        url: Any URL or text; what holds no secret comes back as it is.
    """

    def user(match: re.Match[str]) -> str:
        name, colon, password = match[2].partition(":")
        return f"{match[1]}{name}{colon}{_masked(password) if colon else ''}@"

    url = _USER.sub(user, url)
    return _QUERY.sub(lambda match: match[1] + _masked(match[2]), url)


def _masked(value: str) -> str:
    return value if not value or _VARIABLE.fullmatch(unquote(value)) else MASK
