"""The application: limits, tokens, timeouts, disconnects, failures, and what it tells others."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from serving.inference.target import Prediction, Target
from serving.observer import Silent
from serving.rest import reply
from serving.rest.app import METRICS, SERVED, build_app
from serving.rest.limits import RestLimits
from serving.status import Code, ServingError
from tests.serving.rest.asgi import Answer, call, scope_of
from tests.serving.rest.conftest import HALF, LABEL
from tests.serving.rest.tensor_infos import infos

if TYPE_CHECKING:
    from tests.serving.rest.in_process import InProcess

PREDICT = "/v1/models/echo:predict"
GOOD = b'{"instances": [[1.0, 2.0], [3.0, 4.0]]}'
LIMITS = RestLimits(
    max_body_bytes=1000,
    max_decompressed_bytes=2000,
    body_seconds=0.3,
    request_seconds=0.6,
    inline_bytes=500,
)


class Signature:
    inputs = infos({"x": "float"})


class Fake:
    """Gives inputs back; or waits, or fails, as told."""

    def __init__(self) -> None:
        self.wait: float = 0.0
        self.error: Exception | None = None
        self.deadlines: list[float | None] = []
        self.cancelled = False

    def signature(self, target: Target) -> Any:
        return Signature()

    async def predict(
        self, target: Target, inputs: Any, outputs: Any = (), deadline: float | None = None
    ) -> Prediction:
        self.deadlines.append(deadline)
        try:
            await asyncio.sleep(self.wait)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.error:
            raise self.error
        return Prediction({"y": inputs["x"]}, target.name, 5, "serving_default")


class Heard(Silent):
    """Keeps what it hears of requests."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str, Code]] = []

    def request(
        self, *, model: str, method: str, protocol: str, code: Code, seconds: float
    ) -> None:
        assert seconds >= 0
        self.requests.append((model, method, protocol, code))


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def app(fake: Fake, heard: Heard) -> Any:
    return build_app(fake, observer=heard, limits=LIMITS)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def short_farewell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply, "_LINGER", 0.1)


def ask(app: Any, *args: Any, **options: Any) -> Answer:
    return asyncio.run(call(app, *args, **options))


def error(answer: Answer) -> str:
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.body)
    (message,) = json.loads(answer.body).values()
    return str(message)


def test_answers(app: Any, heard: Heard, fake: Fake) -> None:
    answer = ask(app, "POST", PREDICT, GOOD)
    assert answer.status == 200
    assert answer.headers == {
        "content-type": "application/json",
        "content-length": str(len(answer.body)),
    }
    assert json.loads(answer.body) == {"predictions": [[1.0, 2.0], [3.0, 4.0]]}
    assert heard.requests == [("echo", "Predict", "rest", Code.OK)]
    assert fake.deadlines[0] is not None


def test_leaves_the_version_that_answered_for_the_access_log(app: Any) -> None:
    scope = scope_of("POST", PREDICT.encode())

    async def receive() -> Any:
        return {"type": "http.request", "body": GOOD}

    async def send(message: Any) -> None:
        del message

    asyncio.run(app(scope, receive, send))
    assert scope[SERVED] == 5


@pytest.mark.parametrize("size", [1001, 10_000_000, 10**30])
def test_a_body_announced_as_too_large_is_not_read(app: Any, size: int, heard: Heard) -> None:
    headers = [(b"content-length", str(size).encode())]
    answer = ask(app, "POST", PREDICT, never_ending(), headers=headers)
    assert answer.status == 413
    assert "1000 bytes at most" in error(answer)
    assert answer.headers["connection"] == "close"
    assert heard.requests == [("echo", "Predict", "rest", Code.RESOURCE_EXHAUSTED)]


async def never_ending() -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(0)
        yield b"[" * 100


def test_a_body_that_turns_out_too_large_is_not_read_to_its_end(app: Any) -> None:
    answer = ask(app, "POST", PREDICT, never_ending())
    assert answer.status == 413
    assert answer.headers["connection"] == "close"


def test_a_body_of_the_largest_size_is_read(app: Any) -> None:
    body = GOOD[:-1] + b" " * (1000 - len(GOOD)) + b"}"
    assert len(body) == 1000
    assert ask(app, "POST", PREDICT, body).status == 200
    assert ask(app, "POST", PREDICT, body + b" ").status == 413


def test_bodies_in_parts_are_put_together(app: Any) -> None:
    parts = [GOOD[i : i + 1] for i in range(len(GOOD))] + [b""]
    assert ask(app, "POST", PREDICT, parts).status == 200


def test_a_slow_body_is_given_up(app: Any, heard: Heard) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield GOOD[:10]
        await asyncio.sleep(30)
        yield GOOD[10:]

    answer = ask(app, "POST", PREDICT, slow())
    assert answer.status == 408
    assert "did not arrive within 0.3 seconds" in error(answer)
    assert heard.requests[0][-1] is Code.DEADLINE_EXCEEDED


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", " gzip "])
def test_gzip(app: Any, encoding: str) -> None:
    answer = ask(app, "POST", PREDICT, gzip.compress(GOOD), headers={"Content-Encoding": encoding})
    assert answer.status == 200, answer.body


BAD_GZIP = {
    "plain": (GOOD, 400, "not gzip"),
    "cut off": (gzip.compress(GOOD)[:-4], 400, "cut off"),
    "wrong sum": (gzip.compress(GOOD)[:-8] + b"12345678", 400, "not gzip"),
    "goes on": (gzip.compress(GOOD) + b"more", 400, "goes on"),
    "two members": (gzip.compress(GOOD) * 2, 400, "goes on"),
    "a bomb": (gzip.compress(b" " * 900_000), 413, "2000 bytes at most"),
    "a bomb in a bomb": (gzip.compress(gzip.compress(b" " * 900_000_0)), 400, "JSON Parse error"),
    "nothing": (b"", 400, "cut off"),
}


@pytest.mark.parametrize("case", BAD_GZIP)
def test_bad_gzip(app: Any, case: str) -> None:
    body, status, says = BAD_GZIP[case]
    limits = replace(LIMITS, max_body_bytes=100_000, max_decompressed_bytes=2000)
    app = build_app(Fake(), observer=Silent(), limits=limits)  # type: ignore[arg-type]
    if case == "a bomb in a bomb":
        limits = replace(limits, max_decompressed_bytes=100_000)
        app = build_app(Fake(), observer=Silent(), limits=limits)  # type: ignore[arg-type]
    answer = ask(app, "POST", PREDICT, body, headers={"Content-Encoding": "gzip"})
    assert answer.status == status
    assert says in error(answer)


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "ä"])
def test_other_encodings_are_refused_by_name(app: Any, encoding: str) -> None:
    headers = [(b"content-encoding", encoding.encode("latin-1"))]
    answer = ask(app, "POST", PREDICT, GOOD, headers=headers)
    assert answer.status == 400
    assert "Content-Encoding" in error(answer)


def test_a_request_that_takes_too_long_is_given_up(app: Any, fake: Fake, heard: Heard) -> None:
    fake.wait = 30
    answer = ask(app, "POST", PREDICT, GOOD)
    assert answer.status == 504
    assert "0.6 seconds" in error(answer)
    assert fake.cancelled
    assert heard.requests == [("echo", "Predict", "rest", Code.DEADLINE_EXCEEDED)]


def test_a_client_that_hangs_up_ends_its_request(app: Any, fake: Fake, heard: Heard) -> None:
    fake.wait = 0.5
    sent: list[Any] = []
    messages = iter([{"type": "http.request", "body": GOOD, "more_body": False}])

    async def receive() -> Any:
        return next(messages, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        task = asyncio.create_task(app(scope_of("POST", PREDICT.encode()), receive, send))
        await task
        assert not task.cancelled()
        assert task.cancelling() == 0

    asyncio.run(run())
    assert fake.cancelled
    assert sent == []
    assert heard.requests == [("echo", "Predict", "rest", Code.CANCELLED)]


def test_a_client_that_never_sends_its_body_is_forgotten(app: Any, heard: Heard) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope_of("POST", PREDICT.encode()), receive, send))
    assert sent == []
    assert heard.requests == [("echo", "Predict", "rest", Code.CANCELLED)]


def test_a_server_that_stops_can_cancel(app: Any, fake: Fake) -> None:
    fake.wait = 30

    async def run() -> None:
        task = asyncio.create_task(call(app, "POST", PREDICT, GOOD))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_an_unexpected_failure_shows_nothing_but_a_reference(
    app: Any, fake: Fake, heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    fake.error = RuntimeError("/secret/path")
    with caplog.at_level(logging.ERROR):
        answer = ask(app, "POST", PREDICT, GOOD)
    assert answer.status == 500
    message = error(answer)
    assert "secret" not in message
    assert "Traceback" not in message
    reference = message.split()[-1]
    assert reference in caplog.text
    assert "/secret/path" in caplog.text
    assert heard.requests == [("echo", "Predict", "rest", Code.INTERNAL)]


STATUSES = {
    Code.CANCELLED: 499,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.DATA_LOSS: 500,
    Code.UNAUTHENTICATED: 401,
}


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.OK])
def test_codes_become_the_statuses_of_tf_serving(app: Any, fake: Fake, code: Code) -> None:
    fake.error = ServingError(code, "so it is")
    answer = ask(app, "POST", PREDICT, GOOD)
    assert (answer.status, error(answer)) == (STATUSES[code], "so it is")


TOKEN = "correct-horse-battery-staple"
TOKENS = {
    "none": ([], 401),
    "another": ([b"Bearer wrong"], 401),
    "none after the scheme": ([b"Bearer"], 401),
    "empty": ([b""], 401),
    "longer": ([b"Bearer " + TOKEN.encode() + b"x"], 401),
    "shorter": ([b"Bearer " + TOKEN.encode()[:-1]], 401),
    "another scheme": ([b"Basic " + TOKEN.encode()], 401),
    "no scheme": ([TOKEN.encode()], 401),
    "bytes": ([b"Bearer \xff\xfe"], 401),
    "two": ([b"Bearer wrong", b"Bearer " + TOKEN.encode()], 401),
    "right": ([b"Bearer " + TOKEN.encode()], 200),
    "in small letters": ([b"bearer " + TOKEN.encode()], 200),
}


@pytest.mark.parametrize("path", [PREDICT, METRICS, "/elsewhere"])
@pytest.mark.parametrize("case", TOKENS)
def test_tokens(fake: Fake, case: str, path: str) -> None:
    values, status = TOKENS[case]
    app = build_app(
        fake,  # type: ignore[arg-type]
        observer=Silent(),
        limits=LIMITS,
        token=TOKEN,
        metrics_text=lambda: "m 1\n",
    )
    headers = [(b"authorization", value) for value in values]
    answer = ask(app, "GET" if path == METRICS else "POST", path, GOOD, headers=headers)
    if status == 200 and path == "/elsewhere":
        status = 404
    assert answer.status == status
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert TOKEN not in answer.body.decode()
        assert "token" in error(answer)


def test_metrics_may_be_open(fake: Fake) -> None:
    app = build_app(
        fake,  # type: ignore[arg-type]
        observer=Silent(),
        token=TOKEN,
        metrics_text=lambda: "m 1\n",
        metrics_need_token=False,
    )
    answer = ask(app, "GET", METRICS)
    assert (answer.status, answer.body) == (200, b"m 1\n")
    assert answer.headers["content-type"].startswith("text/plain")
    assert ask(app, "POST", PREDICT, GOOD).status == 401


def test_without_metrics_there_is_no_such_page(app: Any) -> None:
    assert ask(app, "GET", METRICS).status == 404


def test_metrics_elsewhere(fake: Fake) -> None:
    app = build_app(
        fake,  # type: ignore[arg-type]
        observer=Silent(),
        metrics_text=lambda: "m 1\n",
        metrics_path="/metrics",
    )
    assert ask(app, "GET", "/metrics?a=b").body == b"m 1\n"
    assert ask(app, "GET", METRICS).status == 404


@pytest.mark.parametrize("verb", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "get"])
def test_other_methods_are_refused(app: Any, verb: str) -> None:
    answer = ask(app, verb, PREDICT)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, POST"
    assert error(answer) == f"Malformed request: {verb} {PREDICT}"
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_unknown_paths_are_not_observed(app: Any, heard: Heard) -> None:
    for path in ("/", "/v1/models", "/v1/models/echo:run", "/v2/models/echo:predict"):
        assert ask(app, "POST", path, GOOD).status in (400, 404)
    assert heard.requests == []


def test_lifespan(app: Any) -> None:
    sent: list[str] = []
    messages = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Any:
        return {"type": next(messages)}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(app({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_web_sockets_are_refused(app: Any) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app({"type": "websocket"}, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_large_bodies_are_read_and_answered_in_another_thread(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    from serving.rest import answers

    threads: dict[str, set[str]] = {}
    for name in ("parse", "read_predict", "write_predict"):
        work = getattr(answers, name)

        def noted(*args: Any, name: str = name, work: Any = work) -> Any:
            threads.setdefault(name, set()).add(threading.current_thread().name)
            return work(*args)

        monkeypatch.setattr(answers, name, noted)
    app = build_app(fake, observer=Silent())  # type: ignore[arg-type]
    here = threading.current_thread().name
    assert ask(app, "POST", PREDICT, GOOD).status == 200
    assert threads == {name: {here} for name in ("parse", "read_predict", "write_predict")}
    threads.clear()
    rows = np.random.default_rng(0).normal(size=(2000, 20)).astype(np.float32).tolist()
    answer = ask(app, "POST", PREDICT, json.dumps({"instances": rows}).encode())
    np.testing.assert_array_equal(
        np.array(json.loads(answer.body)["predictions"], np.float32), np.array(rows, np.float32)
    )
    assert set(threads) == {"parse", "read_predict", "write_predict"}
    assert all(here not in names for names in threads.values())


@pytest.mark.parametrize("name", vars(RestLimits()))
def test_limits_are_above_nothing(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 0"):
        replace(RestLimits(), **{name: 0})


def test_names_of_models_may_be_anything(in_process: InProcess) -> None:
    path = "/v1/models/Modell%2F%C3%9F%3A1"
    status, _, body = in_process.rest("GET", f"{path}/labels/a%2Fb%3Ac")
    assert (status, json.loads(body)["model_version_status"][0]["version"]) == (200, "1")
    status, _, body = in_process.rest("POST", f"{path}:predict", {"instances": [2.0]})
    assert (status, json.loads(body)) == (200, {"predictions": [3.0]})
    status, _, body = in_process.rest("GET", f"{path}/metadata")
    assert json.loads(body)["model_spec"]["name"] == "Modell/ß:1"


def test_the_observer_hears_of_every_method(in_process: InProcess) -> None:
    heard = Heard()
    app = in_process.build(heard)
    base = f"/v1/models/{HALF}"
    examples = {"signature_name": "regress_x_to_y", "examples": [{"x": 2.0}]}
    for verb, path, body in (
        ("POST", f"{base}:predict", {"instances": [2.0]}),
        ("POST", f"{base}:regress", examples),
        ("POST", f"{base}:classify", examples | {"signature_name": "classify_x_to_y"}),
        ("GET", f"{base}/labels/{LABEL}", None),
        ("GET", f"{base}/metadata", None),
        ("POST", "/v1/models/none:predict", {"instances": [2.0]}),
    ):
        in_process.rest(verb, path, body, app=app)
    assert heard.requests == [
        *((HALF, method, "rest", Code.OK) for method in ("Predict", "Regress", "Classify")),
        *((HALF, method, "rest", Code.OK) for method in ("GetModelStatus", "GetModelMetadata")),
        ("none", "Predict", "rest", Code.NOT_FOUND),
    ]


def test_classes_come_with_their_labels(in_process: InProcess) -> None:
    request = {"context": {"x": 0.25}, "examples": [{}, {"x": 0.75}]}
    status, _, body = in_process.rest("POST", "/v1/models/classifier:classify", request)
    assert (status, json.loads(body)) == (
        200,
        {"results": [[["high", 0.25], ["low", 0.75]], [["high", 0.75], ["low", 0.25]]]},
    )


def test_headers_of_any_size_are_bounded(app: Any) -> None:
    headers = [(b"x-%d" % i, b"a" * 100) for i in range(700)]
    answer = ask(app, "POST", PREDICT, GOOD, headers=headers)
    assert answer.status == 431
    assert "65536 at most" in error(answer)
