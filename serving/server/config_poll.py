"""`poll_config`: looks at a `models.config` again and again, and serves what it says."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from serving.engine.manager import ModelManager
from serving.server.errors import StartError
from serving.server.flags import read_models
from serving.status import ServingError

_log = logging.getLogger(__name__)


async def poll_config(file: Path, seconds: float, manager: ModelManager) -> None:
    """Tells `manager` what `file` says, each time that changes; for ever.

    A file that cannot be used changes nothing; it is told in the log, once for each change.

    Args:
        file: A ModelServerConfig.
        seconds: Between looks.
        manager: Serves the models.
    """
    seen = _fingerprint(file)
    while True:
        await asyncio.sleep(seconds)
        now = _fingerprint(file)
        if now == seen:
            continue
        seen = now
        try:
            models = read_models(file)
            await manager.configure(models)
        except StartError as error:
            _log.error("%s; what was served before stays", error)
        except ServingError as error:
            _log.error("%s: %s; what was served before stays", file, error.message)
        else:
            _log.info(
                "%s changed; serving %s", file, ", ".join(m.name for m in models) or "nothing"
            )


def _fingerprint(file: Path) -> tuple[int, int, int] | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
