"""`start_logging`: the server's log on stderr, without its libraries' chatter."""

from __future__ import annotations

import logging


def start_logging() -> None:
    """Sends log records to stderr; of the libraries, only errors."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for name in ("uvicorn.error", "absl", "tensorflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
