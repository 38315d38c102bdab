"""The files that tensorflow_model_server reads, and the command line that names them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from serving.engine.settings import ServedModel, models_to_config
from serving.server.config_files import (
    write_batching_parameters,
    write_monitoring_config,
    write_ssl_config,
)
from serving.server.settings import ServerSettings

MODELS = "models.config"
BATCHING = "batching.config"
MONITORING = "monitoring.config"
SSL = "ssl.config"


def models_config(models: Sequence[ServedModel]) -> str:
    """`models` as the text of a ModelServerConfig, wherever the server is started."""
    return models_to_config([replace(m, base_path=m.base_path.absolute()) for m in models])


def write_files(settings: ServerSettings, folder: Path) -> None:
    """Writes the configuration into `folder`; only its owner can read the one with the key."""
    (folder / MODELS).write_text(models_config(settings.models), "utf-8")
    if settings.batching is not None:
        (folder / BATCHING).write_text(write_batching_parameters(settings.batching), "utf-8")
    if settings.metrics_path is not None:
        (folder / MONITORING).write_text(write_monitoring_config(settings.metrics_path), "utf-8")
    if settings.tls is not None:
        (folder / SSL).touch(mode=0o600)
        (folder / SSL).write_text(write_ssl_config(settings.tls), "utf-8")


def arguments(settings: ServerSettings, folder: Path) -> list[str]:
    """The arguments for `settings`, whose files are in `folder`.

    With TLS there is no REST: TF Serving would serve it in plain text, on every address.
    """
    loading = settings.loading
    given: dict[str, object] = {
        "port": settings.grpc_port,
        "rest_api_port": 0 if settings.tls is not None else settings.rest_port,
        "rest_api_timeout_in_ms": round(settings.limits.rest_seconds * 1000),
        "model_config_file": folder / MODELS,
        "file_system_poll_wait_seconds": math.ceil(loading.poll_seconds),
        "max_num_load_retries": loading.retries,
        "load_retry_interval_micros": round(loading.retry_seconds * 1e6),
    }
    if loading.labels_before_versions:
        given["allow_version_labels_for_unavailable_models"] = "true"
    if settings.batching is not None:
        given["enable_batching"] = "true"
        given["batching_parameters_file"] = folder / BATCHING
    if settings.metrics_path is not None:
        given["monitoring_config_file"] = folder / MONITORING
    if settings.tls is not None:
        given["ssl_config_file"] = folder / SSL
    return [f"--{name}={value}" for name, value in given.items()]
