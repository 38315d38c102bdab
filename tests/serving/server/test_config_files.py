"""TF Serving's configuration files: read as it reads them, written as it can read them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.batching.settings import BatchingSettings
from serving.server import config_files
from serving.server.errors import StartError
from serving.server.tls import Tls
from tests.serving.server.certificates import Certificates

READERS = {
    "SSLConfig": config_files.read_ssl_config,
    "MonitoringConfig": config_files.read_monitoring_config,
    "BatchingParameters": config_files.read_batching_parameters,
}


def written(folder: Path, text: str) -> Path:
    path = folder / "file.config"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('prometheus_config { enable: true, path: "/m" }', "/m"),
        ('prometheus_config: {\n  enable: true\n  path: "/a/b"  # why\n}\n', "/a/b"),
        ('prometheus_config { enable: false path: "/m" }', None),
        ("", None),
    ],
)
def test_monitoring(tmp_path: Path, text: str, path: str | None) -> None:
    assert config_files.read_monitoring_config(written(tmp_path, text)) == path


def test_monitoring_without_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="without a path"):
        config_files.read_monitoring_config(written(tmp_path, "prometheus_config { enable: true }"))


def test_monitoring_comes_back(tmp_path: Path) -> None:
    text = config_files.write_monitoring_config("/monitoring/prometheus/metrics")
    found = config_files.read_monitoring_config(written(tmp_path, text))
    assert found == "/monitoring/prometheus/metrics"


def test_batching_with_the_example_of_tf_servings_guide(tmp_path: Path) -> None:
    text = """
    max_batch_size { value: 128 }
    batch_timeout_micros { value: 0 }
    max_enqueued_batches { value: 1000000 }
    num_batch_threads { value: 8 }
    thread_pool_name { value: "pool" }
    """
    assert config_files.read_batching_parameters(written(tmp_path, text)) == BatchingSettings(
        max_batch_size=128,
        batch_timeout_micros=0,
        max_enqueued_batches=1_000_000,
        num_batch_threads=8,
    )


@given(
    st.builds(
        BatchingSettings,
        max_batch_size=st.integers(1, 2**40),
        batch_timeout_micros=st.integers(0, 2**40),
        max_enqueued_batches=st.integers(1, 2**40),
        num_batch_threads=st.integers(1, 1000),
        pad_variable_length_inputs=st.booleans(),
        enable_large_batch_splitting=st.booleans(),
    )
)
def test_batching_comes_back(
    tmp_path_factory: pytest.TempPathFactory, settings: BatchingSettings
) -> None:
    path = tmp_path_factory.mktemp("batching") / "parameters"
    path.write_text(config_files.write_batching_parameters(settings))
    assert config_files.read_batching_parameters(path) == settings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("max_batch_size { value: 0 }", "max_batch_size must be 1 or more, got 0"),
        ("num_batch_threads { value: -1 }", "num_batch_threads must be 1 or more"),
        ("batch_timeout_micros { value: -1 }", "batch_timeout_micros must be 0 or more"),
        ("max_batch_size { value: 8 } allowed_batch_sizes: [4, 6]", "allowed_batch_sizes"),
        ("max_batch_size { value: 8 } allowed_batch_sizes: [8, 4, 8]", "allowed_batch_sizes"),
        ("max_batch_size { value: 8 } allowed_batch_sizes: [0, 8]", "allowed_batch_sizes"),
    ],
)
def test_batching_that_makes_no_sense_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(StartError, match=words):
        config_files.read_batching_parameters(written(tmp_path, text))


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("text", ["{", "no_such_field: 1", "\x00", "enable: maybe"])
def test_what_is_not_a_text_proto_is_refused(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(StartError, match=f"file.config is not a {name} in protobuf's text format"):
        READERS[name](written(tmp_path, text))


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(StartError, match=r"cannot read .*missing\.config: No such file"):
        READERS[name](tmp_path / "missing.config")


@pytest.mark.parametrize("verify", [False, True])
def test_certificates_come_back(tmp_path: Path, certificates: Certificates, verify: bool) -> None:
    pair = certificates.server
    tls = Tls.from_files(pair.certificate, pair.key, certificates.ca if verify else None)
    path = written(tmp_path, config_files.write_ssl_config(tls))
    assert config_files.read_ssl_config(path) == tls


def test_verification_without_a_ca_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="has no custom_ca"):
        config_files.read_ssl_config(written(tmp_path, "client_verify: true"))


def test_a_ca_without_verification_asks_for_no_client_certificate(
    tmp_path: Path, certificates: Certificates
) -> None:
    pair = certificates.server
    tls = Tls.from_files(pair.certificate, pair.key, certificates.ca)
    text = config_files.write_ssl_config(tls).replace("client_verify: true", "")
    assert config_files.read_ssl_config(written(tmp_path, text)).client_ca is None
