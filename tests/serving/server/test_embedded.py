"""All of the server but its process: who gets in, what is written down, what is watched."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)

from serving.engine.settings import ServedModel, VersionPolicy
from serving.request_log.settings import RequestLogSettings
from serving.server.embedded import Embedded
from serving.server.errors import StartError
from serving.server.flags import read_models
from serving.server.ready import Ready
from serving.server.run import reserved
from serving.server.settings import AccessLogSettings, Limits, Loading, ServerSettings
from serving.server.tls import Tls
from tests.serving.contract.half_plus_two import copy_version
from tests.serving.server.certificates import Certificates
from tests.serving.server.prometheus_text import parse

PATIENCE = 120.0
TOKEN = "a-token-of-enough-letters"
Starter = Callable[..., "Running"]


@dataclasses.dataclass(frozen=True)
class Running:
    """A server in the loop of another thread."""

    server: Embedded
    ready: Ready
    run: Callable[[Any], Any]

    @property
    def grpc(self) -> str:
        return f"localhost:{self.ready.grpc_port}"

    @property
    def rest(self) -> str:
        return str(self.ready.rest_url).replace("127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def base(family: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "half"
    copy_version(family.half_plus_two, folder, 1)
    return folder


@pytest.fixture
def start(server_loop: Any, base: Path) -> Iterator[Starter]:
    with ExitStack() as stack:

        def begin(**changes: Any) -> Running:
            models = changes.pop("models", (ServedModel("half", base),))
            settings = ServerSettings(models, grpc_port=0, rest_port=0, **changes)
            held = stack.enter_context(reserved(settings))

            async def make() -> tuple[Embedded, Ready]:
                server = Embedded(settings, held)
                return server, await server.start()

            server, ready = server_loop.run(make())
            stack.callback(lambda: server_loop.run(server.stop(5)))
            return Running(server, ready, server_loop.run)

        yield begin


def rest_predict(client: httpx.Client, **headers: str) -> httpx.Response:
    return client.post("/v1/models/half:predict", json={"instances": [1, 2]}, headers=headers)


def grpc_status(
    channel: grpc.Channel, token: str | None = None, name: str = "half", **metadata: str
) -> Any:
    """The states of the model, or the code of the refusal."""
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = name
    given = list(metadata.items())
    if token is not None:
        given.append(("authorization", f"Bearer {token}"))
    given = [(key.replace("_", "-"), value) for key, value in given]
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    try:
        return stub.GetModelStatus(request, metadata=given, timeout=PATIENCE)
    except grpc.RpcError as error:
        return error.code()  # type: ignore[attr-defined]


def healthy(channel: grpc.Channel) -> bool:
    stub = health_pb2_grpc.HealthStub(channel)
    answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def channel(running: Running, certificates: Certificates, pair: Any) -> Iterator[grpc.Channel]:
    credentials = grpc.ssl_channel_credentials(
        certificates.ca.read_bytes(),
        pair and pair.key.read_bytes(),
        pair and pair.certificate.read_bytes(),
    )
    with grpc.secure_channel(running.grpc, credentials) as opened:
        yield opened


def client(running: Running, certificates: Certificates, pair: Any) -> httpx.Client:
    context = ssl.create_default_context(cafile=certificates.ca)
    if pair:
        context.load_cert_chain(pair.certificate, pair.key)
    return httpx.Client(base_url=running.rest, verify=context, timeout=PATIENCE)


def test_with_tls_both_protocols_speak_nothing_else(
    start: Starter, certificates: Certificates
) -> None:
    pair = certificates.server
    running = start(tls=Tls.from_files(pair.certificate, pair.key))
    assert running.rest.startswith("https://")
    with client(running, certificates, None) as safe:
        assert rest_predict(safe).json() == {"predictions": [2.5, 3.0]}
    with channel(running, certificates, None) as opened:
        assert grpc_status(opened).model_version_status[0].version == 1
    in_the_open = running.rest.replace("https", "http")
    with httpx.Client(base_url=in_the_open) as plain, pytest.raises(httpx.HTTPError):
        rest_predict(plain)
    with grpc.insecure_channel(running.grpc) as opened:
        assert grpc_status(opened) is grpc.StatusCode.UNAVAILABLE


def test_client_certificates_are_asked_for_by_both_protocols(
    start: Starter, certificates: Certificates
) -> None:
    pair = certificates.server
    running = start(tls=Tls.from_files(pair.certificate, pair.key, certificates.ca))
    with client(running, certificates, certificates.client) as known:
        assert rest_predict(known).status_code == 200
    with channel(running, certificates, certificates.client) as opened:
        assert grpc_status(opened).model_version_status[0].version == 1
    for stranger in (None, certificates.stranger):
        with client(running, certificates, stranger) as unknown, pytest.raises(httpx.HTTPError):
            rest_predict(unknown)
        with channel(running, certificates, stranger) as opened:
            assert grpc_status(opened) is grpc.StatusCode.UNAVAILABLE


def test_the_token_is_asked_for_by_both_protocols_but_not_for_health(start: Starter) -> None:
    running = start(token=TOKEN)
    with httpx.Client(base_url=running.rest, timeout=PATIENCE) as asking:
        assert rest_predict(asking).status_code == 401
        assert rest_predict(asking, authorization=f"Bearer {TOKEN}x").status_code == 401
        assert rest_predict(asking, authorization=f"Bearer {TOKEN}").status_code == 200
        assert asking.get("/monitoring/prometheus/metrics").status_code == 401
    with grpc.insecure_channel(running.grpc) as opened:
        assert grpc_status(opened) is grpc.StatusCode.UNAUTHENTICATED
        assert grpc_status(opened, "another-token") is grpc.StatusCode.UNAUTHENTICATED
        assert grpc_status(opened, TOKEN).model_version_status[0].version == 1
        assert healthy(opened)


def test_every_request_has_its_line_in_the_access_log(start: Starter, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    running = start(access_log=AccessLogSettings(str(path)), token=TOKEN)
    known = {"authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=running.rest, timeout=PATIENCE, headers=known) as asking:
        answer = rest_predict(asking, **{"x-request-id": "mine"})
        assert answer.headers["x-request-id"] == "mine"
        made = asking.get("/v1/models/half/versions/9").headers["x-request-id"]
        asking.get("/v1/models/half/metadata")
        asking.post("/nonsense%0aforged", content=b"12345")
        asking.headers.pop("authorization")
        asking.get("/v1/models/half")
    with grpc.insecure_channel(running.grpc) as opened:
        grpc_status(opened, TOKEN, x_request_id="also-mine")
        grpc_status(opened, TOKEN, name="nothing")
        grpc_status(opened)
        assert healthy(opened)
        request = get_model_metadata_pb2.GetModelMetadataRequest()
        request.model_spec.name = "half"
        request.metadata_field.append("signature_def")
        prediction_service_pb2_grpc.PredictionServiceStub(opened).GetModelMetadata(
            request, metadata=list(known.items())
        )
    until(lambda: len(path.read_text().splitlines()) == 9)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    names = ("protocol", "method", "model", "version", "status")
    assert [tuple(line[name] for name in names) for line in lines] == [
        ("rest", "POST predict", "half", 1, 200),
        ("rest", "GET status", "half", 9, 404),
        ("rest", "GET metadata", "half", None, 200),
        ("rest", "POST /nonsense\nforged", "", None, 404),
        ("rest", "GET status", "half", None, 401),
        ("grpc", "GetModelStatus", "half", None, "OK"),
        ("grpc", "GetModelStatus", "nothing", None, "NOT_FOUND"),
        ("grpc", "GetModelStatus", "", None, "UNAUTHENTICATED"),
        ("grpc", "GetModelMetadata", "half", 1, "OK"),
    ]
    assert lines[0]["request_id"] == "mine"
    assert lines[0]["received_bytes"] == len(b'{"instances":[1,2]}')
    assert lines[0]["sent_bytes"] == len(answer.content)
    assert lines[1]["request_id"] == made
    assert lines[5]["request_id"] == "also-mine"
    assert lines[5]["received_bytes"] > 0 < lines[5]["sent_bytes"]
    assert all(line["milliseconds"] >= 0 for line in lines)
    assert all("127.0.0.1" in line["peer"] or "::1" in line["peer"] for line in lines)
    assert "predictions" not in path.read_text()


def test_too_many_requests_are_refused_and_the_next_one_answered(start: Starter) -> None:
    running = start(limits=Limits(concurrent_requests=1))
    body = b'{"instances": [1]}'
    head = b"POST /v1/models/half:predict HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"

    async def ask() -> tuple[bytes, bytes]:
        streams = [
            await asyncio.open_connection("localhost", running.ready.rest_port) for _ in range(2)
        ]
        for (_, writer), sent in zip(streams, (body[:5], body), strict=True):
            writer.write(head % len(body) + sent)
            await writer.drain()
            await asyncio.sleep(0.5)  # the first is in work, but not whole
        second = await streams[1][0].read(4096)
        streams[0][1].write(body[5:])
        first = await streams[0][0].readuntil(b"}")
        for _, writer in streams:
            writer.close()
        return first, second

    first, second = asyncio.run(ask())
    assert second.startswith(b"HTTP/1.1 429 ")
    assert b'"error": "1 requests are in work already; try again later"' in second
    assert b"connection: close" in second.lower()
    assert first.startswith(b"HTTP/1.1 200 ")
    with httpx.Client(base_url=running.rest, timeout=PATIENCE) as asking:
        assert rest_predict(asking).status_code == 200


def test_metrics_can_be_elsewhere_or_nowhere(start: Starter) -> None:
    running = start(metrics_path="/m")
    with httpx.Client(base_url=running.rest, timeout=PATIENCE) as asking:
        rest_predict(asking)
        page = parse(asking.get("/m").text)
        assert asking.get("/monitoring/prometheus/metrics").status_code == 404
    name = ":tensorflow:serving:request_count"
    assert page.value(name, model_name="half", status="OK") == 1
    loaded = [s for s in page.samples if s[0] == ":tensorflow:cc:saved_model:load_attempt_count"]
    assert [(Path(s[1]["model_path"]).name, s[2]) for s in loaded] == [("1", 1)]
    assert page.value(":elman:serving:requests_in_work", entrypoint="REST") == 1

    running = start(metrics_path=None)
    with httpx.Client(base_url=running.rest, timeout=PATIENCE) as asking:
        assert asking.get("/monitoring/prometheus/metrics").status_code == 404


def test_it_is_healthy_once_every_model_has_a_version(
    start: Starter, family: Any, tmp_path: Path
) -> None:
    model = ServedModel("half", tmp_path / "half")
    running = start(models=(model,), loading=Loading(poll_seconds=0.1))
    assert running.ready.versions == {"half": ()}
    assert running.server.problems() == [
        f"half: nothing to serve in {tmp_path / 'half'} yet; waiting for a version"
    ]
    with grpc.insecure_channel(running.grpc) as opened:
        assert not healthy(opened)
        copy_version(family.half_plus_two, tmp_path / "half", 5)
        until(lambda: healthy(opened))
        assert running.server.available("half") == (5,)
        running.run(running.server.stop(5))
        assert grpc_status(opened) is grpc.StatusCode.UNAVAILABLE


def test_a_version_that_does_not_load_is_told(start: Starter, family: Any, tmp_path: Path) -> None:
    copy_version(family.broken, tmp_path / "bad", 3)
    running = start(models=(ServedModel("bad", tmp_path / "bad"),), loading=Loading(retries=0))
    (problem,) = running.server.problems()
    assert problem.startswith("bad: version 3 is not served: ")
    with httpx.Client(base_url=running.rest, timeout=PATIENCE) as asking:
        page = parse(asking.get("/monitoring/prometheus/metrics").text)
    labels = {"model_path": str(tmp_path / "bad" / "3"), "status": "fail"}
    assert page.value(":tensorflow:cc:saved_model:load_attempt_count", **labels) == 1


def test_models_that_make_no_sense_are_told_at_the_start(start: Starter, base: Path) -> None:
    with pytest.raises(StartError, match="half"):
        start(models=(ServedModel("half", base), ServedModel("half", base)))
    with pytest.raises(StartError, match="99"):
        start(models=(ServedModel("half", base, VersionPolicy.all(), {"gone": 99}),))


CONFIG = """model_config_list {{ config {{
  name: "{name}" base_path: "{base}" model_platform: "tensorflow"
}} }}"""


def test_a_models_config_that_changes_is_read_again(
    start: Starter, base: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = tmp_path / "models.config"
    config.write_text(CONFIG.format(name="half", base=base))
    running = start(models=read_models(config), config_file=config, config_poll_seconds=0.05)
    with grpc.insecure_channel(running.grpc) as opened:
        config.write_text("nonsense")
        until(lambda: "what was served before stays" in caplog.text)
        assert grpc_status(opened).model_version_status[0].version == 1
        config.write_text(CONFIG.format(name="other", base=base))
        until(lambda: grpc_status(opened, name="other") is not grpc.StatusCode.NOT_FOUND)
        assert running.server.models() == ("other",)


def test_stopping_says_how_many_requests_were_cut_off(start: Starter) -> None:
    running = start()
    with httpx.Client(base_url=running.rest, timeout=PATIENCE) as asking:
        assert rest_predict(asking).headers.get("connection") is None
    assert running.run(running.server.stop(5)) == 0
    with pytest.raises(httpx.ConnectError), httpx.Client(base_url=running.rest) as asking:
        rest_predict(asking)


def test_requests_of_both_protocols_are_kept_without_token_or_headers(
    start: Starter, tmp_path: Path
) -> None:
    secret = "a-header-that-nobody-may-keep"
    running = start(token=TOKEN, request_log=RequestLogSettings(tmp_path, sample=1.0))
    headers = {"authorization": f"Bearer {TOKEN}", "x-request-id": secret}
    with httpx.Client(base_url=running.rest, timeout=PATIENCE) as asking:
        assert rest_predict(asking, **headers).status_code == 200
        assert rest_predict(asking).status_code == 401
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "half"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([1.0, 2.0], tf.float32))
    with grpc.insecure_channel(running.grpc) as opened:
        prediction_service_pb2_grpc.PredictionServiceStub(opened).Predict(
            request, metadata=list(headers.items()), timeout=PATIENCE
        )
    with httpx.Client(base_url=running.rest, headers=headers, timeout=PATIENCE) as asking:
        name = ":elman:serving:request_log_count"
        labels = {"model_name": "half", "outcome": "written"}

        def kept() -> float:
            page = parse(asking.get("/monitoring/prometheus/metrics").text)
            return sum(s[2] for s in page.samples if s[0] == name and s[1] == labels)

        until(lambda: kept() == 2)
    running.run(running.server.stop(5))
    [path] = tmp_path.iterdir()
    assert not any(word.encode() in path.read_bytes() for word in (TOKEN, secret, "127.0.0.1"))
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log
        for record in tf.data.TFRecordDataset(str(path))
    ]
    assert len(logs) == 2
    for log in logs:
        assert tf.make_ndarray(log.request.inputs["x"]).tolist() == [1, 2]
        assert tf.make_ndarray(log.response.outputs["y"]).tolist() == [2.5, 3]
