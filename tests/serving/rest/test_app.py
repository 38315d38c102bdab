"""The application: timeouts, disconnects, failures, and what it tells others."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from serving.observer import Silent
from serving.rest.app import SERVED, build_app
from serving.rest.limits import RestLimits
from serving.status import Code, ServingError
from tests.serving.rest.asgi import call, scope_of
from tests.serving.rest.conftest import HALF, LABEL

if TYPE_CHECKING:
    from tests.serving.rest.in_process import InProcess

from tests.serving.rest.fake_inference import GOOD, PREDICT, Fake, Heard, ask, error


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
