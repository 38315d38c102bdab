"""`build_grpc_server`: the gRPC server with all its services."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2_grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from serving.engine.manager import ModelManager
from serving.inference.inference import Inference
from serving.observer import Observer, Silent
from serving.rpc.answering import Desk
from serving.rpc.auth import TokenInterceptor
from serving.rpc.health import Health
from serving.rpc.limits import GrpcLimits
from serving.rpc.message import MessageInterceptor
from serving.rpc.models import ModelServicer
from serving.rpc.prediction import PredictionServicer


def build_grpc_server(
    inference: Inference,
    manager: ModelManager,
    *,
    reload_roots: Sequence[Path],
    observer: Observer | None = None,
    limits: GrpcLimits | None = None,
    token: str | None = None,
    health: Health | None = None,
    interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
) -> grpc.aio.Server:
    """A gRPC server of the running event loop; neither bound to a port nor started.

    Args:
        inference: Answers the requests.
        manager: Is told of other models to serve.
        reload_roots: Folders at or below which HandleReloadConfigRequest may find models; none: it
            may only take models away.
        observer: Hears of every request.
        limits: What a client may take.
        token: What requests must bring as bearer token, all but health's; None: nothing.
        health: What the health service answers; None: that all is well.
        interceptors: To see every request first, before its token is looked at.

    Returns:
        The server, for `add_insecure_port` or `add_secure_port` and `start`.
    """
    limits = limits or GrpcLimits()
    desk = Desk(observer or Silent(), limits)
    server = grpc.aio.server(
        interceptors=[
            *interceptors,
            *([] if token is None else [TokenInterceptor(token)]),
            MessageInterceptor(),
        ],
        options=limits.options(),
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionServicer(inference, desk), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(
        ModelServicer(inference, manager, desk, reload_roots), server
    )
    health_pb2_grpc.add_HealthServicer_to_server((health or Health()).servicer, server)
    return server
