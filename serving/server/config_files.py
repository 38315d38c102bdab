"""TF Serving's small configuration files: SSLConfig, MonitoringConfig and BatchingParameters.

They are in protobuf's text format. The Python stubs of tensorflow-serving-api leave them out, so
their fields are written down here, from tensorflow/serving: config/ssl_config.proto,
config/monitoring_config.proto and servables/tensorflow/session_bundle_config.proto.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from serving.batching.settings import BatchingSettings
from serving.server.errors import StartError
from serving.server.tls import Tls

_FIELD = descriptor_pb2.FieldDescriptorProto
_STRING, _BOOL, _INT64 = _FIELD.TYPE_STRING, _FIELD.TYPE_BOOL, _FIELD.TYPE_INT64
_WRAPPERS = {"Int64Value": _INT64, "StringValue": _STRING, "BoolValue": _BOOL}

# Name, number and type of every field; a type is a scalar's, or the name of another message.
_MESSAGES: dict[str, tuple[tuple[str, int, int | str], ...]] = {
    "SSLConfig": (
        ("server_key", 1, _STRING),
        ("server_cert", 2, _STRING),
        ("custom_ca", 3, _STRING),
        ("client_verify", 4, _BOOL),
    ),
    "PrometheusConfig": (("enable", 1, _BOOL), ("path", 2, _STRING)),
    "MonitoringConfig": (("prometheus_config", 1, "PrometheusConfig"),),
    **{name: (("value", 1, kind),) for name, kind in _WRAPPERS.items()},
    "BatchingParameters": (
        ("max_batch_size", 1, "Int64Value"),
        ("batch_timeout_micros", 2, "Int64Value"),
        ("max_enqueued_batches", 3, "Int64Value"),
        ("num_batch_threads", 4, "Int64Value"),
        ("thread_pool_name", 5, "StringValue"),
        ("allowed_batch_sizes", 6, _INT64),
        ("pad_variable_length_inputs", 7, _BOOL),
        ("enable_large_batch_splitting", 8, "BoolValue"),
    ),
}
_REPEATED = {"allowed_batch_sizes"}
_WRAPPED = (
    *("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads"),
    "enable_large_batch_splitting",
)


def read_ssl_config(path: Path) -> Tls:
    """The certificates in an SSLConfig.

    Raises:
        StartError: If the file cannot be read or used.
    """
    proto = _read(path, "SSLConfig")
    if proto.client_verify and not proto.custom_ca:
        raise StartError(
            f"{path} says client_verify, but has no custom_ca to verify clients with; add it"
        )
    client_ca = proto.custom_ca.encode() if proto.client_verify else None
    return Tls.checked(proto.server_cert.encode(), proto.server_key.encode(), client_ca)


def write_ssl_config(tls: Tls) -> str:
    """`tls` as the text of an SSLConfig, the private key in it."""
    proto = _message("SSLConfig")()
    proto.server_key = tls.key.decode("ascii")
    proto.server_cert = tls.certificate.decode("ascii")
    if tls.client_ca is not None:
        proto.custom_ca = tls.client_ca.decode("ascii")
        proto.client_verify = True
    return text_format.MessageToString(proto)


def read_monitoring_config(path: Path) -> str | None:
    """The URL path of the metrics in a MonitoringConfig; None: it turns them off.

    Raises:
        StartError: If the file cannot be read or used.
    """
    config = _read(path, "MonitoringConfig").prometheus_config
    if not config.enable:
        return None
    if not config.path:
        raise StartError(f"{path} enables Prometheus without a path; add path: to it")
    return str(config.path)


def write_monitoring_config(metrics_path: str) -> str:
    """The text of a MonitoringConfig that turns the metrics on, at `metrics_path`."""
    proto = _message("MonitoringConfig")()
    proto.prometheus_config.enable = True
    proto.prometheus_config.path = metrics_path
    return text_format.MessageToString(proto)


def read_batching_parameters(path: Path) -> BatchingSettings:
    """The settings in a BatchingParameters; what it leaves out has TF Serving's defaults.

    Raises:
        StartError: If the file cannot be read or used.
    """
    proto = _read(path, "BatchingParameters")
    given = {name: getattr(proto, name).value for name in _WRAPPED if proto.HasField(name)}
    return batching_settings(
        str(path),
        **given,
        allowed_batch_sizes=tuple(proto.allowed_batch_sizes),
        pad_variable_length_inputs=proto.pad_variable_length_inputs,
    )


def batching_settings(where: str, **given: Any) -> BatchingSettings:
    """`given` as settings, once they were seen to make sense.

    Args:
        where: What they come from, for the message.
        given: Attributes of `BatchingSettings`.

    Raises:
        StartError: If they do not.
    """
    try:
        return BatchingSettings(**given)
    except ValueError as error:
        raise StartError(f"{where}: {error}") from None


def write_batching_parameters(settings: BatchingSettings) -> str:
    """`settings` as the text of a BatchingParameters."""
    proto = _message("BatchingParameters")()
    for name in _WRAPPED:
        getattr(proto, name).value = getattr(settings, name)
    proto.allowed_batch_sizes.extend(settings.allowed_batch_sizes)
    proto.pad_variable_length_inputs = settings.pad_variable_length_inputs
    return text_format.MessageToString(proto)


def _read(path: Path, name: str) -> Any:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StartError(f"cannot read {path}: {reason}") from None
    try:
        return text_format.Parse(text, _message(name)())
    except text_format.ParseError as error:
        raise StartError(f"{path} is not a {name} in protobuf's text format: {error}") from None


@cache
def _message(name: str) -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="serving/server/config_files.proto", package="tensorflow.serving", syntax="proto3"
    )
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for field, number, kind in fields:
            of = {"type": kind} if isinstance(kind, int) else {"type_name": _full(kind)}
            repeated = field in _REPEATED
            label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
            described.field.add(name=field, number=number, label=label, **of)
    pool = descriptor_pool.DescriptorPool()  # of its own: another package may bring the real ones
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(_full(name)[1:]))


def _full(name: str) -> str:
    return f".tensorflow.serving.{name}"
