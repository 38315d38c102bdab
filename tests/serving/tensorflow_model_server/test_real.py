"""The real tensorflow_model_server, where it is installed, under our files and our watch."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.tensorflow_model_server.limits import BINARY
from tests.serving.contract.half_plus_two import copy_version
from tests.serving.server.prometheus_text import parse
from tests.serving.server.server_process import PATIENCE, ServerProcess
from tests.serving.tensorflow_model_server.test_process import RUN

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which(BINARY) is None, reason=f"{BINARY} is not installed"),
]


def test_it_serves_what_its_files_say(family: Any, tmp_path: Path) -> None:
    base = tmp_path / "co2"
    copy_version(family.half_plus_two, base, 7)
    folder = tmp_path / "server"
    server = ServerProcess(folder, ["-c", RUN, str(base), str(folder / "ready.json")])
    try:
        ready = server.wait_ready()
        assert ready["versions"] == {"co2": [7]}
        with httpx.Client(base_url=ready["rest_url"], timeout=PATIENCE) as client:
            answer = client.post("/v1/models/co2:predict", json={"instances": [1.0, 2.0]})
            assert answer.json() == {"predictions": [2.5, 3.0]}
            page = parse(client.get(ready["metrics_path"]).text)
        name = ":tensorflow:serving:request_count"
        assert page.value(name, model_name="co2", status="OK") == 1
        server.process.send_signal(signal.SIGTERM)
        assert server.end() in (0, 128 + signal.SIGTERM)
    finally:
        server.close()
