"""`RpcTransport`: TF Serving's gRPC API. Importing it imports TensorFlow, for its messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import grpc
import numpy.typing as npt
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.rpc.tensors import array_of, proto_of
from serving.status import Code, ServingError
from serving.transport.endpoint import Endpoint, Tls
from serving.transport.transport import Arrays, ModelVersion, Wanted

_MOST = 2**31 - 1


class RpcTransport:
    """A server behind its gRPC port.

    Args:
        endpoint: Where it is.
        token: Bearer token, if the server wants one.
        tls: Certificates, with grpcs.
    """

    def __init__(
        self, endpoint: Endpoint, token: str | None = None, tls: Tls | None = None
    ) -> None:
        self._endpoint = endpoint
        self._metadata = () if token is None else (("authorization", f"Bearer {token}"),)
        options = [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            ("grpc.enable_http_proxy", 0 if endpoint.loopback else 1),
            # The client waits between calls by itself; the channel has to be ready by then.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1000),
            # Channels to one address share connections otherwise, also after a failure.
            ("grpc.use_local_subchannel_pool", 1),
        ]
        if endpoint.secure:
            ca, key, certificate = (tls or Tls()).read()
            credentials = grpc.ssl_channel_credentials(ca, key, certificate)
            self._channel = grpc.secure_channel(endpoint.authority, credentials, options)
        else:
            self._channel = grpc.insecure_channel(endpoint.authority, options)
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def predict(
        self,
        wanted: Wanted,
        signature: str,
        inputs: Arrays,
        outputs: Sequence[str],
        timeout: float,
    ) -> dict[str, npt.NDArray[Any]]:
        """See `Transport`."""
        request = predict_pb2.PredictRequest(model_spec=_spec(wanted))
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(proto_of(array, name))
        answer = self._ask(self._prediction.Predict, request, timeout)
        missing = [name for name in outputs if name not in answer.outputs]
        if missing:
            raise ServingError(
                Code.INTERNAL, f"the server answered without the output {missing[0]!r}"
            )
        return {name: array_of(answer.outputs[name], name, max_bytes=_MOST) for name in outputs}

    def serving(self, wanted: Wanted, timeout: float) -> int:
        """See `Transport`."""
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=_spec(wanted), metadata_field=["signature_def"]
        )
        answer = self._ask(self._prediction.GetModelMetadata, request, timeout)
        return int(answer.model_spec.version.value)

    def versions(self, model: str, timeout: float) -> list[ModelVersion]:
        """See `Transport`."""
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=_spec(Wanted(model)))
        answer = self._ask(self._models.GetModelStatus, request, timeout)
        names = get_model_status_pb2.ModelVersionStatus.State
        found = [
            ModelVersion(one.version, names.Name(one.state), one.status.error_message)
            for one in answer.model_version_status
        ]
        return sorted(found, key=lambda one: -one.version)

    def close(self) -> None:
        """See `Transport`."""
        self._channel.close()

    def _ask(self, method: Callable[..., Any], request: Any, timeout: float) -> Any:
        try:
            return method(request, timeout=timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            code, said = Code(error.code().value[0]), error.details() or error.code().name
            if code is Code.RESOURCE_EXHAUSTED and "larger than max" in said:
                code = Code.INVALID_ARGUMENT  # it will not be smaller next time
            if code is Code.UNAVAILABLE:
                said = f"{self._endpoint.authority}: {said}"
            if code is Code.DEADLINE_EXCEEDED:
                said = f"{self._endpoint.authority} did not answer within {timeout:.3g} s"
            raise ServingError(code, said) from None


def _spec(wanted: Wanted) -> Any:
    spec = model_pb2.ModelSpec(name=wanted.model)
    if wanted.version is not None:
        spec.version.value = wanted.version
    elif wanted.label is not None:
        spec.version_label = wanted.label
    return spec
