"""Which process this is, so that a later one can tell whether it is still alive."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path


def identity() -> dict[str, str]:
    """Tags that name this process: host, boot, process id and start time.

    A process id alone comes back after a while, and after a reboot; with the boot id and the
    start time in clock ticks since boot it names one process for good.
    """
    pid = os.getpid()
    return {
        "elman.host": socket.gethostname(),
        "elman.boot": _boot(),
        "elman.pid": str(pid),
        "elman.process_start": _start(pid),
    }


def is_gone(tags: Mapping[str, str]) -> bool:
    """Whether the process that `tags` name has certainly ended.

    False for a process of another host: from here, nobody can tell.
    """
    if tags.get("elman.host") != socket.gethostname():
        return False
    if tags.get("elman.boot") != _boot():
        return True
    try:
        pid = int(tags.get("elman.pid", ""))
    except ValueError:
        return False
    return _start(pid) != tags.get("elman.process_start")


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _start(pid: int) -> str:
    """Start time of a process in clock ticks since boot; empty if there is none, or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    # The command name is in brackets and may hold anything, brackets and spaces included.
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
