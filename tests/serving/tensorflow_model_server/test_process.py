"""tensorflow_model_server as a child: started, announced, signalled, and never left behind."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from serving.engine.settings import ServedModel
from serving.server.errors import StartError
from serving.server.settings import AccessLogSettings, ServerSettings
from serving.server.tls import Tls
from serving.tensorflow_model_server import process
from serving.tensorflow_model_server.limits import exposure
from tests.serving.server.certificates import Certificates
from tests.serving.tensorflow_model_server.fake_binary import FakeBinary, fake_binary

ROOT = Path(__file__).parents[3]
PATIENCE = 60.0
# Runs `serve` in a process of its own, because it takes over the signals.
RUN = """
import json, sys
from pathlib import Path
from serving.engine.settings import ServedModel
from serving.server.settings import ServerSettings
from serving.tensorflow_model_server.process import serve
base, ready = map(Path, sys.argv[1:])
settings = ServerSettings(
    (ServedModel("co2", base),), grpc_port=0, rest_port=0, ready_file=ready
)
def warn(line):
    print("Warning:", line, file=sys.stderr, flush=True)
sys.exit(serve(settings, say=lambda line: print(line, flush=True), warn=warn))
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "co2" / "12").mkdir(parents=True)
    (tmp_path / "co2" / "7").mkdir()
    (tmp_path / "co2" / ".staging-1").mkdir()
    return tmp_path / "co2"


@contextmanager
def running(fake: FakeBinary, base: Path, ready: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment["PATH"] = f"{fake.folder}:{environment['PATH']}"
    child = subprocess.Popen(
        [sys.executable, "-c", RUN, base, ready],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        for stream in (child.stdout, child.stderr):
            assert stream is not None
            stream.close()


def until(condition: object, child: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        assert child.poll() is None, child.communicate()
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_announces_itself_passes_a_signal_on_and_keeps_the_exit_code(
    tmp_path: Path, base: Path, number: signal.Signals
) -> None:
    fake, ready = fake_binary(tmp_path / "bin"), tmp_path / "ready.json"
    with running(fake, base, ready) as child:
        until(ready.exists, child)
        told, said = json.loads(ready.read_text()), fake.said()
        assert told["versions"] == {"co2": [12]}
        assert told["engine"] == "tf-serving"
        assert told["pid"] == said["pid"]
        assert said["given"]["port"] == str(told["grpc_port"])
        assert said["given"]["rest_api_port"] == str(told["rest_port"])
        assert said["folder_mode"] == 0o700
        assert Path(said["folder"]).is_dir()
        child.send_signal(number)
        out, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 7
    assert out.startswith(f"ready: co2 12 | REST http://127.0.0.1:{told['rest_port']}")
    assert "listens on every address of this machine and cannot be bound to 127.0.0.1" in err
    assert fake.said()["signals"] == [number.name]
    assert not Path(said["folder"]).exists()


@pytest.mark.parametrize(("mode", "code"), [("die", 3), ("killed", 128 + signal.SIGKILL)])
def test_a_server_that_ends_by_itself_ends_all(
    tmp_path: Path, base: Path, mode: str, code: int
) -> None:
    fake, ready = fake_binary(tmp_path / "bin", mode), tmp_path / "ready.json"
    with running(fake, base, ready) as child:
        child.communicate(timeout=PATIENCE)
    assert child.returncode == code
    assert not ready.exists()
    assert not Path(fake.said()["folder"]).exists()


def test_no_version_yet_is_told_and_waited_for(tmp_path: Path) -> None:
    fake, ready = fake_binary(tmp_path / "bin", "closed"), tmp_path / "ready.json"
    with running(fake, tmp_path / "nothing", ready) as child:
        fake.said()
        time.sleep(1)
        assert child.poll() is None
        assert not ready.exists()
        child.terminate()
        _, err = child.communicate(timeout=PATIENCE)
    assert "nothing to serve yet; waiting for the first version" in err


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux to end the child")
def test_the_server_does_not_outlive_a_killed_parent(tmp_path: Path, base: Path) -> None:
    fake, ready = fake_binary(tmp_path / "bin", "stubborn"), tmp_path / "ready.json"
    with running(fake, base, ready) as child:
        until(ready.exists, child)
        pid = fake.said()["pid"]
        assert alive(pid)
        child.kill()
        child.wait()
    deadline = time.monotonic() + PATIENCE
    while alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def settings(base: Path) -> ServerSettings:
    return ServerSettings((ServedModel("co2", base),), grpc_port=0, rest_port=0)


def refusal(settings: ServerSettings) -> str:
    with pytest.raises(StartError) as caught:
        process.serve(settings, say=print, warn=print)
    return str(caught.value)


def test_without_the_binary(settings: ServerSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "tensorflow_model_server is not on the PATH" in refusal(settings)


def test_what_it_cannot_do_is_refused(
    settings: ServerSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = fake_binary(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(fake.folder))
    token = dataclasses.replace(settings, token="sixteen letters.".replace(" ", "-"))
    assert "cannot ask for a bearer token" in refusal(token)
    log = dataclasses.replace(settings, access_log=AccessLogSettings("-"))
    assert "writes no access log" in refusal(log)
    assert not fake.record.exists()


def test_a_taken_port_is_told_before_it_starts(
    settings: ServerSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = fake_binary(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(fake.folder))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        words = refusal(dataclasses.replace(settings, rest_port=port))
    assert f"port {port}" in words
    assert "REST port" in words
    assert not fake.record.exists()


def test_with_tls_there_is_no_rest(
    settings: ServerSettings,
    tmp_path: Path,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = fake_binary(tmp_path / "bin", "die")
    monkeypatch.setenv("PATH", str(fake.folder))
    tls = Tls.from_files(certificates.server.certificate, certificates.server.key)
    warned: list[str] = []
    code = process.serve(dataclasses.replace(settings, tls=tls), say=print, warn=warned.append)
    assert code == 3
    said = fake.said()
    assert said["given"]["rest_api_port"] == "0"
    assert said["files"]["ssl_config_file"]["mode"] == 0o600
    assert "PRIVATE KEY" in said["files"]["ssl_config_file"]["text"]
    assert any("REST and metrics are off" in line for line in warned)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "[::]"])
def test_all_addresses_need_no_warning(settings: ServerSettings, host: str) -> None:
    assert exposure(dataclasses.replace(settings, host=host)) is None
