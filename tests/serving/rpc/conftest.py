"""gRPC servers to ask: a real one, and some on stand-ins for what is behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from serving.rpc.server import build_grpc_server
from serving.status import Code
from tests.serving.conftest import ModelFamily
from tests.serving.contract.embedded import EmbeddedServer, LoopThread
from tests.serving.contract.setups import everything


@pytest.fixture(scope="session")
def real(
    family: ModelFamily, server_loop: LoopThread, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedServer]:
    """The embedded server with all the models; tests only ask it."""
    server = EmbeddedServer(tmp_path_factory.mktemp("real"), everything(family), server_loop)
    yield server
    server.stop()


@dataclass
class Heard:
    """An observer that remembers how requests ended: (method, model, code)."""

    requests: list[tuple[str, str, Code]] = field(default_factory=list)

    def request(
        self, *, model: str, method: str, protocol: str, code: Code, seconds: float
    ) -> None:
        assert protocol == "grpc"
        assert seconds >= 0
        self.requests.append((method, model, code))


@dataclass(frozen=True)
class Bare:
    """A gRPC server without the rest of the server."""

    port: int
    channel: grpc.Channel
    loop: LoopThread
    server: grpc.aio.Server

    @property
    def prediction(self) -> Any:
        return prediction_service_pb2_grpc.PredictionServiceStub(self.channel)

    @property
    def model_service(self) -> Any:
        return model_service_pb2_grpc.ModelServiceStub(self.channel)


@pytest.fixture
def bare(server_loop: LoopThread) -> Iterator[Callable[..., Bare]]:
    """Starts gRPC servers on an inference and a manager; takes `build_grpc_server`'s options."""
    running: list[Bare] = []

    def begin(inference: Any, manager: Any = None, **options: Any) -> Bare:
        async def start() -> tuple[grpc.aio.Server, int]:
            server = build_grpc_server(inference, manager, **{"reload_roots": (), **options})
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            return server, port

        server, port = server_loop.run(start())
        unbounded = [("grpc.max_receive_message_length", -1)]  # gRPC's clients take 4 MB by default
        channel = grpc.insecure_channel(f"127.0.0.1:{port}", unbounded)
        running.append(Bare(port, channel, server_loop, server))
        return running[-1]

    yield begin
    for one in running:
        one.channel.close()
        server_loop.run(one.server.stop(0.5))
