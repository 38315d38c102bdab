"""Where the bearer token comes from: a file or the environment, never the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from serving.server.errors import StartError

TOKEN_VARIABLE = "ELMAN_SERVING_TOKEN"  # noqa: S105 (a name, not a secret)


def read_token(file: Path | None, environment: Mapping[str, str]) -> str | None:
    """The token in `file`, else in the environment; None if neither has one.

    Raises:
        StartError: If the file cannot be read, or what should be a token is empty.
    """
    if file is None:
        token = environment.get(TOKEN_VARIABLE)
        where = f"${TOKEN_VARIABLE}"
    else:
        where = str(file)
        try:
            token = file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise StartError(f"cannot read the token in {file}: {reason}") from None
    if token is not None and not token.strip():
        raise StartError(f"{where} is empty; write the token there, or leave it away altogether")
    return token
