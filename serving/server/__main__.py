"""`python -m serving.server`: the embedded server by itself; flags as tensorflow_model_server."""

from __future__ import annotations

import os
import sys

from serving.server.errors import StartError
from serving.server.logs import start_logging


def main() -> int:
    """Runs the server; returns the exit code: 0, 1 (requests were cut off), 2 (cannot start)."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    start_logging()
    try:
        from serving.server.flags import parse
        from serving.server.run import run

        return run(parse(sys.argv[1:]), say=_say, warn=_warn)
    except StartError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2


def _say(line: str) -> None:
    print(line, flush=True)


def _warn(line: str) -> None:
    print(f"Warning: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
