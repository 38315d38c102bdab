"""Keeps the chatter of libraries in a log file, so that the terminal shows the run itself."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from components.secrets import scrubbed


class _Scrubbed(logging.Formatter):
    """Drivers and servers quote addresses and passwords, in messages and in tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        return scrubbed(super().format(record))


@contextmanager
def quiet(log: Path) -> Iterator[tuple[TextIO, TextIO]]:
    """Sends file descriptors 1 and 2 to `log` inside the block.

    Native code (TensorFlow, gRPC) writes past `sys.stderr`, hence descriptors and not streams.

    Args:
        log: File to append to; its folder is made.

    Yields:
        The terminal's own (stdout, stderr), to write what people should see.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    out = os.fdopen(kept[0], "w", buffering=1, closefd=False)
    err = os.fdopen(kept[1], "w", buffering=1, closefd=False)
    handler = logging.StreamHandler(log.open("a"))
    handler.setFormatter(_Scrubbed("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    former, level = root.handlers[:], root.level
    try:
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        root.handlers[:] = [handler]
        root.setLevel(logging.INFO)
        with warnings.catch_warnings():
            logging.captureWarnings(True)
            yield out, err
    finally:
        logging.captureWarnings(False)
        root.handlers[:] = former
        root.setLevel(level)
        handler.close()
        handler.stream.close()
        sys.stdout.flush()
        sys.stderr.flush()
        out.flush()
        err.flush()
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for descriptor in (*kept, sink):
            os.close(descriptor)
