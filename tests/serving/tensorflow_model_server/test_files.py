"""The files and arguments that tensorflow_model_server gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.batching.settings import BatchingSettings
from serving.engine.settings import ServedModel, VersionPolicy, models_from_config
from serving.server.config_files import (
    read_batching_parameters,
    read_monitoring_config,
    read_ssl_config,
)
from serving.server.settings import Limits, Loading, ServerSettings
from serving.server.tls import Tls
from serving.tensorflow_model_server import files
from tests.serving.server.certificates import Certificates

MODELS = (
    ServedModel("co2", Path("/models/co2")),
    ServedModel("all", Path("/models/all"), VersionPolicy.all()),
    ServedModel("some", Path("/models/some"), VersionPolicy.only(3, 1), {"stable": 1, "next": 3}),
    ServedModel("two", Path("/models/two"), VersionPolicy.newest(2)),
)


def test_the_models_come_back() -> None:
    assert models_from_config(files.models_config(MODELS)) == MODELS


def test_the_models_are_as_tf_serving_writes_them() -> None:
    text = files.models_config(MODELS[:1])
    assert " ".join(text.split()) == (
        'model_config_list { config { name: "co2" base_path: "/models/co2" '
        'model_platform: "tensorflow" model_version_policy { latest { num_versions: 1 } } } }'
    )


def test_a_relative_folder_becomes_absolute() -> None:
    (model,) = models_from_config(files.models_config([ServedModel("m", Path("here"))]))
    assert model.base_path == Path.cwd() / "here"


def test_everything_is_said_once(tmp_path: Path, certificates: Certificates) -> None:
    tls = Tls.from_files(certificates.server.certificate, certificates.server.key, certificates.ca)
    settings = ServerSettings(
        MODELS,
        grpc_port=1,
        rest_port=2,
        tls=tls,
        batching=BatchingSettings(max_batch_size=7),
        limits=Limits(rest_seconds=1.5),
        loading=Loading(poll_seconds=0.2, retries=2, retry_seconds=3, labels_before_versions=True),
        metrics_path="/m",
    )
    files.write_files(settings, tmp_path)
    given = files.arguments(settings, tmp_path)
    assert given == [
        "--port=1",
        "--rest_api_port=0",
        "--rest_api_timeout_in_ms=1500",
        f"--model_config_file={tmp_path}/models.config",
        "--file_system_poll_wait_seconds=1",
        "--max_num_load_retries=2",
        "--load_retry_interval_micros=3000000",
        "--allow_version_labels_for_unavailable_models=true",
        "--enable_batching=true",
        f"--batching_parameters_file={tmp_path}/batching.config",
        f"--monitoring_config_file={tmp_path}/monitoring.config",
        f"--ssl_config_file={tmp_path}/ssl.config",
    ]
    assert read_batching_parameters(tmp_path / "batching.config") == settings.batching
    assert read_monitoring_config(tmp_path / "monitoring.config") == "/m"
    assert read_ssl_config(tmp_path / "ssl.config") == tls
    assert (tmp_path / "ssl.config").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["batching", "monitoring", "ssl"])
def test_what_is_not_asked_for_is_not_said(tmp_path: Path, name: str) -> None:
    settings = ServerSettings(MODELS, metrics_path=None)
    files.write_files(settings, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["models.config"]
    assert not [a for a in files.arguments(settings, tmp_path) if name in a]
    assert "--rest_api_port=8501" in files.arguments(settings, tmp_path)


def test_a_file_for_each_argument(tmp_path: Path) -> None:
    settings = ServerSettings(MODELS, batching=BatchingSettings())
    files.write_files(settings, tmp_path)
    named = [a.partition("=")[2] for a in files.arguments(settings, tmp_path) if "_file=" in a]
    assert sorted(named) == sorted(str(path) for path in tmp_path.iterdir())
