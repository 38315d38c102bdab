"""The flags of `python -m serving.server`: tensorflow_model_server's, as far as it has them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from serving.batching.settings import BatchingSettings
from serving.engine.settings import ServedModel
from serving.request_log.settings import RequestLogSettings
from serving.server import __main__ as program
from serving.server.config_files import write_ssl_config
from serving.server.errors import StartError
from serving.server.flags import parse
from serving.server.settings import AccessLogSettings, Limits, Loading, ServerSettings
from serving.server.tls import Tls
from serving.server.token import TOKEN_VARIABLE
from tests.serving.server.certificates import Certificates

BASE = "--model_base_path=/models/m"


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)


def test_one_model() -> None:
    settings = parse([BASE, "--model_name=m"])
    assert settings == ServerSettings((ServedModel("m", Path("/models/m")),))


def test_the_name_is_default_by_default_as_in_tf_serving() -> None:
    assert parse([BASE]).models[0].name == "default"


def test_a_relative_folder_is_made_absolute() -> None:
    assert parse(["--model_base_path=m"]).models[0].base_path == Path.cwd() / "m"


@pytest.mark.parametrize(
    ("text", "value"),
    [("", True), ("=true", True), ("=True", True), ("=1", True), ("=false", False), ("=0", False)],
)
def test_switches_are_written_as_for_tf_serving(text: str, value: bool) -> None:
    batching = parse([BASE, f"--enable_batching{text}"]).batching
    assert batching == (BatchingSettings() if value else None)


def test_everything(tmp_path: Path, certificates: Certificates) -> None:
    tls = Tls.from_files(certificates.server.certificate, certificates.server.key)
    files = {
        "models": 'model_config_list { config { name: "a" base_path: "/a" '
        'model_platform: "tensorflow" } }',
        "batching": "max_batch_size { value: 7 }",
        "monitoring": 'prometheus_config { enable: true path: "/m" }',
        "ssl": write_ssl_config(tls),
        "token": "a-token-of-enough-letters",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    settings = parse(
        [
            *("--port=1", "--rest_api_port=2", "--bind=::1"),
            *(f"--model_config_file={tmp_path}/models", "--model_config_file_poll_wait_seconds=9"),
            *("--enable_batching", f"--batching_parameters_file={tmp_path}/batching"),
            f"--monitoring_config_file={tmp_path}/monitoring",
            f"--ssl_config_file={tmp_path}/ssl",
            f"--token_file={tmp_path}/token",
            *("--rest_api_timeout_in_ms=1500", "--max_request_bytes=99"),
            "--max_concurrent_requests=5",
            *("--file_system_poll_wait_seconds=0.5", "--max_num_load_retries=3"),
            *("--load_retry_interval_micros=250000", "--drain_seconds=4"),
            "--allow_version_labels_for_unavailable_models=true",
            *("--access_log=-", "--access_log_sample=0.25"),
            *("--request_log=/kept", "--request_log_sample=0.5", "--request_log_keep=7"),
            *("--request_log_max_megabytes=1", "--request_log_max_minutes=2"),
            "--inference_engine=onnx",
            *(f"--ready_file={tmp_path}/ready", "--reload_root=/x", "--reload_root=/y"),
        ]
    )
    assert settings == ServerSettings(
        models=(ServedModel("a", Path("/a")),),
        host="::1",
        grpc_port=1,
        rest_port=2,
        tls=tls,
        token="a-token-of-enough-letters",
        batching=BatchingSettings(max_batch_size=7),
        limits=Limits(request_bytes=99, concurrent_requests=5, rest_seconds=1.5),
        loading=Loading(0.5, 3, 0.25, labels_before_versions=True),
        config_file=tmp_path / "models",
        config_poll_seconds=9,
        reload_roots=(Path("/x"), Path("/y")),
        metrics_path="/m",
        access_log=AccessLogSettings("-", 0.25),
        request_log=RequestLogSettings(
            Path("/kept"), sample=0.5, max_bytes=2**20, max_seconds=120, keep=7
        ),
        engine="onnx",
        drain_seconds=4,
        ready_file=tmp_path / "ready",
    )


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "nothing to serve: give --model_base_path or --model_config_file"),
        ([BASE, "--batching_parameters_file=x"], "needs --enable_batching"),
        (["--model_config_file=/nothing/there"], "cannot read /nothing/there: No such file"),
        ([BASE, "--inference_engine=torch"], "the engine must be one of tensorflow, onnx, litert"),
        ([BASE, "--port=70000"], "port must be between"),
        ([BASE, "--max_request_bytes=0"], "request_bytes must be above 0"),
    ],
)
def test_what_cannot_be_is_told(flags: list[str], words: str) -> None:
    with pytest.raises(StartError, match=words):
        parse(flags)


def test_a_broken_models_config_is_named(tmp_path: Path) -> None:
    (tmp_path / "models.config").write_text("model_config_list { config { nme: 'a' } }")
    with pytest.raises(StartError, match=r"models\.config: .*nme"):
        parse([f"--model_config_file={tmp_path}/models.config"])


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("--enable_batching=perhaps", "expected true or false, got 'perhaps'"),
        ("--prt=1", "unrecognized arguments: --prt=1"),
        ("--token=secret", "unrecognized arguments"),
        (
            "--tensorflow_session_parallelism=4",
            "--tensorflow_session_parallelism is tensorflow_model_server's",
        ),
    ],
)
def test_a_flag_that_is_none_is_told(
    flag: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse([BASE, flag])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_the_program_ends_with_2_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["server"])
    assert program.main() == 2
    assert capsys.readouterr().err.startswith("Error: nothing to serve")


def test_the_help_names_every_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for flag in ("model_base_path", "reload_root", "token_file", "ssl_config_file", "bind"):
        assert f"--{flag}" in shown
