"""The flags of `python -m serving.server`, by tensorflow_model_server's names where it has them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from serving.batching.settings import BatchingSettings
from serving.engine.settings import ServedModel, models_from_config
from serving.request_log.settings import RequestLogSettings
from serving.server.config_files import (
    read_batching_parameters,
    read_monitoring_config,
    read_ssl_config,
)
from serving.server.errors import StartError
from serving.server.settings import (
    GRPC_PORT,
    LOOPBACK,
    METRICS_PATH,
    REST_PORT,
    AccessLogSettings,
    Limits,
    Loading,
    ServerSettings,
)
from serving.server.token import TOKEN_VARIABLE, read_token
from serving.status import ServingError

# Of tensorflow_model_server, without a counterpart here: named, so that nobody wonders.
_ELSEWHERE = frozenset(
    {
        *("grpc_socket_path", "grpc_channel_arguments", "grpc_max_threads"),
        *("rest_api_num_threads", "rest_api_enable_cors_support", "use_alts_credentials"),
        *("enable_per_model_batching_parameters", "num_load_threads", "num_unload_threads"),
        *("flush_filesystem_caches", "tensorflow_session_parallelism", "enable_profiler"),
        *("tensorflow_session_config_file", "tensorflow_intra_op_parallelism"),
        *("tensorflow_inter_op_parallelism", "platform_config_file", "enable_model_warmup"),
        *("per_process_gpu_memory_fraction", "saved_model_tags", "prefer_tflite_model"),
        *("num_request_iterations_for_warmup", "remove_unused_fields_from_bundle_metagraph"),
        *("enable_signature_method_name_check", "xla_cpu_compilation_enabled"),
        *("thread_pool_factory_config_file", "num_tflite_pools"),
    }
)


def parse(arguments: Sequence[str]) -> ServerSettings:
    """The settings that command-line arguments ask for.

    Raises:
        StartError: If they cannot be used.
        SystemExit: After --help (0), or for a flag that does not exist (2).
    """
    parser = _parser()
    for argument in arguments:
        name = argument.lstrip("-").partition("=")[0]
        if argument.startswith("--") and name in _ELSEWHERE:
            parser.error(f"--{name} is tensorflow_model_server's; the embedded server has it not")
    given = parser.parse_args(arguments)
    models = _models(given)
    if given.monitoring_config_file is None:
        metrics_path: str | None = METRICS_PATH
    else:
        metrics_path = read_monitoring_config(given.monitoring_config_file)
    ssl_file = given.ssl_config_file
    return ServerSettings(
        models=models,
        host=given.bind,
        grpc_port=given.port,
        rest_port=given.rest_api_port,
        tls=None if ssl_file is None else read_ssl_config(ssl_file),
        token=read_token(given.token_file, os.environ),
        batching=_batching(given.enable_batching, given.batching_parameters_file),
        limits=Limits(
            request_bytes=given.max_request_bytes,
            concurrent_requests=given.max_concurrent_requests,
            rest_seconds=given.rest_api_timeout_in_ms / 1000,
        ),
        loading=Loading(
            poll_seconds=given.file_system_poll_wait_seconds,
            retries=given.max_num_load_retries,
            retry_seconds=max(given.load_retry_interval_micros, 0) / 1e6,
            labels_before_versions=given.allow_version_labels_for_unavailable_models,
        ),
        config_file=given.model_config_file,
        config_poll_seconds=given.model_config_file_poll_wait_seconds,
        reload_roots=tuple(given.reload_root),
        metrics_path=metrics_path,
        access_log=AccessLogSettings(given.access_log, given.access_log_sample),
        request_log=_request_log(given),
        engine=given.inference_engine,
        drain_seconds=given.drain_seconds,
        ready_file=given.ready_file,
    )


def read_models(path: Path) -> tuple[ServedModel, ...]:
    """The models of a `models.config`.

    Raises:
        StartError: If it cannot be read, or says what cannot be.
    """
    try:
        return models_from_config(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StartError(f"cannot read {path}: {reason}") from None
    except ServingError as error:
        raise StartError(f"{path}: {error.message}") from None


def _models(given: argparse.Namespace) -> tuple[ServedModel, ...]:
    if given.model_config_file is not None:
        return read_models(given.model_config_file)
    if given.model_base_path is None:
        raise StartError("nothing to serve: give --model_base_path or --model_config_file")
    return (ServedModel(given.model_name, given.model_base_path.absolute()),)


def _batching(enabled: bool, file: Path | None) -> BatchingSettings | None:
    if file is None:
        return BatchingSettings() if enabled else None
    if not enabled:
        raise StartError("--batching_parameters_file needs --enable_batching; give both or neither")
    return read_batching_parameters(file)


def _request_log(given: argparse.Namespace) -> RequestLogSettings | None:
    if given.request_log is None:
        return None
    try:
        return RequestLogSettings(
            given.request_log.absolute(),
            sample=given.request_log_sample,
            max_bytes=round(given.request_log_max_megabytes * 2**20),
            max_seconds=given.request_log_max_minutes * 60,
            keep=given.request_log_keep,
        )
    except ValueError as error:
        raise StartError(f"the request log: {error}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m serving.server",
        description="Serves SavedModels as TF Serving does. Flags have tensorflow_model_server's "
        f"names where it has them. A bearer token comes from --token_file or ${TOKEN_VARIABLE}.",
        allow_abbrev=False,
    )
    text, path, number, whole, yes = str, Path, float, int, _boolean
    for name, kind, default, words in (
        ("port", whole, GRPC_PORT, "port of gRPC; 0: any that is free"),
        ("rest_api_port", whole, REST_PORT, "port of REST; 0: any that is free"),
        ("bind", text, LOOPBACK, "address to listen on; 0.0.0.0: all"),
        ("model_name", text, "default", "name of the model"),
        ("model_base_path", path, None, "folder with a folder for each version"),
        ("model_config_file", path, None, "ModelServerConfig, instead of these two"),
        ("model_config_file_poll_wait_seconds", number, 0, "between looks at it; 0: never again"),
        ("file_system_poll_wait_seconds", number, 1, "between looks for versions; 0: look once"),
        ("max_num_load_retries", whole, 5, "further attempts at a version that does not load"),
        ("load_retry_interval_micros", whole, 60_000_000, "between those attempts"),
        ("allow_version_labels_for_unavailable_models", yes, False, "labels may come first"),
        ("enable_batching", yes, False, "run requests together"),
        ("batching_parameters_file", path, None, "BatchingParameters"),
        ("monitoring_config_file", path, None, f"MonitoringConfig; none: {METRICS_PATH}"),
        ("ssl_config_file", path, None, "SSLConfig; here it is for REST too"),
        ("token_file", path, None, "file with the bearer token that requests must bring"),
        ("rest_api_timeout_in_ms", whole, 30_000, "until a REST request is given up"),
        ("max_request_bytes", whole, Limits.request_bytes, "largest request"),
        ("max_concurrent_requests", whole, Limits.concurrent_requests, "in work at one time"),
        ("access_log", text, None, "file for the access log; -: stderr"),
        ("access_log_sample", number, 1.0, "share of the good requests to write, 0 to 1"),
        ("request_log", path, None, "folder for a sample of requests and answers, as TFRecords"),
        ("request_log_sample", number, 0.01, "share of the requests kept there, 0 to 1"),
        ("request_log_max_megabytes", number, 64.0, "a larger file is followed by another"),
        ("request_log_max_minutes", number, 60.0, "an older file is followed by another"),
        ("request_log_keep", whole, 100, "files kept there, the newest ones"),
        ("inference_engine", text, "tensorflow", "or onnx or litert, for versions with its file"),
        ("drain_seconds", number, 30.0, "wait for requests in work when told to stop"),
        ("ready_file", path, None, "written with ports and versions once requests are served"),
    ):
        switch: dict[str, Any] = {"nargs": "?", "const": True} if kind is _boolean else {}
        shown = "" if default is None else f" ({default})"
        parser.add_argument(
            f"--{name}", type=kind, default=default, help=words + shown, metavar="X", **switch
        )
    parser.add_argument(
        "--reload_root",
        type=Path,
        action="append",
        default=[],
        metavar="X",
        help="folder below which HandleReloadConfigRequest may find models; may be repeated "
        "(the folders served at the start)",
    )
    return parser


def _boolean(text: str) -> bool:
    if text.lower() in ("true", "1"):
        return True
    if text.lower() in ("false", "0"):
        return False
    raise argparse.ArgumentTypeError(f"expected true or false, got {text!r}")
