"""A stand-in for tensorflow_model_server: a program that writes down what it was told."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Argument parsing as TF Serving's: --name=value. Modes: serve (opens the ports), die (ends with
# 3), closed (never opens a port), killed (kills itself), stubborn (leaves SIGTERM alone).
SCRIPT = """#!{python}
import json, os, signal, socket, stat, sys, time
from pathlib import Path

record = Path({record!r})
given = dict(a.removeprefix("--").split("=", 1) for a in sys.argv[1:])
files = {{}}
for name, value in given.items():
    if name.endswith("_file"):
        mode = stat.S_IMODE(os.stat(value).st_mode)
        files[name] = {{"text": Path(value).read_text(), "mode": mode}}
        folder = str(Path(value).parent)
said = {{"given": given, "files": files, "folder": folder, "pid": os.getpid(), "signals": []}}
said["folder_mode"] = stat.S_IMODE(os.stat(folder).st_mode)

def write():
    partial = record.with_suffix(".partial")
    partial.write_text(json.dumps(said))
    partial.replace(record)

def heard(number, frame):
    said["signals"].append(signal.Signals(number).name)
    write()
    if {mode!r} != "stubborn":
        os._exit(7)

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, heard)
write()
if {mode!r} == "die":
    print("Failed to start server. Error: made up", flush=True)
    sys.exit(3)
if {mode!r} == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
sockets = []
if {mode!r} != "closed":
    for port in (int(given["port"]), int(given["rest_api_port"])):
        if port:
            sockets.append(socket.create_server(("0.0.0.0", port)))
deadline = time.monotonic() + 120
while time.monotonic() < deadline:
    time.sleep(0.1)
"""


@dataclass(frozen=True)
class FakeBinary:
    """Where the stand-in lies, and what it wrote down."""

    folder: Path
    record: Path

    def said(self, patience: float = 60) -> dict[str, Any]:
        """What it was told, once it was started."""
        deadline = time.monotonic() + patience
        while not self.record.exists():
            assert time.monotonic() < deadline, "the binary was not started"
            time.sleep(0.05)
        return dict(json.loads(self.record.read_text()))


def fake_binary(folder: Path, mode: str = "serve") -> FakeBinary:
    """Puts the stand-in into `folder`, which is to be put on the PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "record.json"
    program = folder / "tensorflow_model_server"
    program.write_text(SCRIPT.format(python=sys.executable, record=str(record), mode=mode))
    program.chmod(0o755)
    return FakeBinary(folder, record)
