"""`RotatingRecords`: TFRecord files in a folder, each of bounded size and age."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable

import tensorflow as tf

from serving.request_log.settings import RequestLogSettings

PREFIX, SUFFIX = "requests-", ".tfrecord"
_FRAME = 16
"""Bytes that a TFRecord adds to each record: its length and two checksums."""


class RotatingRecords:
    """Writes records; not safe for several threads.

    Files are named by the time at which they were begun, so that names sort by age. A file whose
    server was killed ends in the middle of a record at worst; readers pass over that end.

    Args:
        settings: The folder, and when a file is full or old.
        clock: Unix seconds.
    """

    def __init__(
        self, settings: RequestLogSettings, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._writer: tf.io.TFRecordWriter | None = None
        self._size = 0
        self._begun = 0.0
        self._number = 0

    def write(self, record: bytes) -> None:
        """Appends a record.

        Raises:
            OSError, tf.errors.OpError: If it cannot be written; the next one begins another file.
        """
        self.turn()
        try:
            if self._writer is None:
                self._begin()
            assert self._writer is not None
            self._writer.write(record)
        except BaseException:
            self._abandon()
            raise
        self._size += len(record) + _FRAME

    def flush(self) -> None:
        """Makes what was written visible to readers.

        Raises:
            OSError, tf.errors.OpError: If it cannot be written.
        """
        if self._writer is None:
            return
        try:
            self._writer.flush()
        except BaseException:
            self._abandon()
            raise

    def turn(self) -> None:
        """Closes the file if it is full or old."""
        settings = self._settings
        full = self._size >= settings.max_bytes
        if self._writer is not None and (
            full or self._clock() - self._begun >= settings.max_seconds
        ):
            self.close()

    def close(self) -> None:
        """Closes the file, if one is open."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _begin(self) -> None:
        folder = self._settings.directory
        folder.mkdir(parents=True, exist_ok=True)
        self._begun, self._size = self._clock(), 0
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._begun))
        self._number += 1
        path = folder / f"{PREFIX}{stamp}-{os.getpid()}-{self._number:06d}{SUFFIX}"
        # Requests are the clients' data: for the server's user and its group, not for all.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o640))
        self._writer = tf.io.TFRecordWriter(str(path))
        files = sorted(folder.glob(f"{PREFIX}*{SUFFIX}"))
        for old in files[: -self._settings.keep]:
            old.unlink(missing_ok=True)

    def _abandon(self) -> None:
        with contextlib.suppress(OSError, tf.errors.OpError):
            self.close()
