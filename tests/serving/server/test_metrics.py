"""TF Serving's metrics, filled with what the server did."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from serving.server.metrics import UNKNOWN_MODEL, Metrics
from serving.status import Code
from tests.serving.server.prometheus_text import Page, parse


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(lambda model, version: f"/models/{model}/{version}", lambda: ("co2",), {})


def read(metrics: Metrics) -> Page:
    return parse(metrics.text())


def ask(metrics: Metrics, *, method: str = "Predict", code: Code = Code.OK, **given: str) -> None:
    asked = {"model": "co2", "protocol": "grpc"} | given
    metrics.request(method=method, code=code, seconds=0.002, **asked)


def test_requests_are_counted_by_model_and_status(metrics: Metrics) -> None:
    ask(metrics)
    ask(metrics, protocol="rest")
    ask(metrics, code=Code.INVALID_ARGUMENT)
    page = read(metrics)
    name = ":tensorflow:serving:request_count"
    assert page.types[name] == "counter"
    assert page.value(name, model_name="co2", status="OK") == 2
    assert page.value(name, model_name="co2", status="INVALID_ARGUMENT") == 1


@pytest.mark.parametrize(
    ("protocol", "method", "api"),
    [
        ("grpc", "Predict", "Predict"),
        ("grpc", "MultiInference", "MultiInference"),
        ("rest", "Predict", "predict"),
        ("rest", "Classify", "classify"),
        ("rest", "GetModelStatus", ""),
        ("rest", "GetModelMetadata", ""),
    ],
)
def test_the_latency_is_in_microseconds_under_tf_servings_labels(
    metrics: Metrics, protocol: str, method: str, api: str
) -> None:
    ask(metrics, protocol=protocol, method=method)
    labels = {"model_name": "co2", "API": api, "entrypoint": protocol.upper()}
    page = read(metrics)
    assert page.value(":tensorflow:serving:request_latency_sum", **labels) == 2000
    assert page.value(":tensorflow:serving:request_latency_count", **labels) == 1
    bucket = ":tensorflow:serving:request_latency_bucket"
    assert page.value(bucket, **labels, le="1983.59") == 0
    assert page.value(bucket, **labels, le="3570.47") == 1


def test_a_failed_request_has_no_latency(metrics: Metrics) -> None:
    ask(metrics, code=Code.INTERNAL)
    assert not [s for s in read(metrics).samples if "request_latency" in s[0]]


def test_questions_about_models_are_no_requests_of_models(metrics: Metrics) -> None:
    ask(metrics, method="GetModelStatus", protocol="rest")
    ask(metrics, method="GetModelMetadata")
    assert not [s for s in read(metrics).samples if "request_count" in s[0]]


def test_made_up_names_make_no_new_series(metrics: Metrics) -> None:
    for i in range(1000):
        ask(metrics, model=f"made up {i}", code=Code.NOT_FOUND)
    samples = [s for s in read(metrics).samples if "request_count" in s[0]]
    assert [(s[1]["model_name"], s[2]) for s in samples] == [(UNKNOWN_MODEL, 1000)]


def test_runs_of_tensorflow(metrics: Metrics) -> None:
    metrics.model_call(model="co2", version=3, seconds=0.001, rows=8)
    metrics.model_call(model="co2", version=3, seconds=0.003, rows=8)
    page = read(metrics)
    assert page.value(":tensorflow:core:graph_runs") == 2
    assert page.value(":tensorflow:core:graph_run_time_usecs") == 4000
    labels = {"model_name": "co2", "API": "", "runtime": "TF2"}
    assert page.value(":tensorflow:serving:runtime_latency_sum", **labels) == 4000


def test_batches(metrics: Metrics) -> None:
    metrics.batch(model="co2", rows=5, requests=3, waited=0.0005)
    metrics.queue(model="co2", waiting=7)
    page = read(metrics)
    prefix = ":tensorflow:serving:batching_session:"
    assert page.value(prefix + "queuing_latency_sum", thread_pool_name="co2") == 500
    bucket = prefix + "processed_batch_size_bucket"
    assert page.value(bucket, thread_pool_name="co2", le="4") == 0
    assert page.value(bucket, thread_pool_name="co2", le="8") == 1
    assert page.value(":elman:serving:waiting_requests", model_name="co2") == 7


def change(metrics: Metrics, *states: str, version: int = 3, seconds: float | None = None) -> None:
    for state in states:
        took = seconds if state == "AVAILABLE" else None
        metrics.version(model="co2", version=version, state=state, seconds=took)


def test_the_life_of_a_version(metrics: Metrics) -> None:
    attempts = ":tensorflow:cc:saved_model:load_attempt_count"
    state = ":elman:serving:version_state"
    path = "/models/co2/3"
    change(metrics, "START", "LOADING")
    assert read(metrics).value(state, model_name="co2", version="3", state="LOADING") == 1
    change(metrics, "AVAILABLE", seconds=1.5)
    page = read(metrics)
    assert page.value(attempts, model_path=path, status="success") == 1
    assert page.value(":tensorflow:cc:saved_model:load_latency", model_path=path) == 1_500_000
    assert [s[1]["state"] for s in page.samples if s[0] == state] == ["AVAILABLE"]
    change(metrics, "UNLOADING", "END")
    page = read(metrics)
    assert not [s for s in page.samples if s[0] == state]
    assert not [s for s in page.samples if s[1].get("status") == "fail"]


def test_a_version_that_does_not_load(metrics: Metrics) -> None:
    change(metrics, "START", "LOADING", "END")
    labels = {"model_path": "/models/co2/3", "status": "fail"}
    assert read(metrics).value(":tensorflow:cc:saved_model:load_attempt_count", **labels) == 1


def test_a_page_of_nothing_is_a_page(metrics: Metrics) -> None:
    page = read(metrics)
    assert page.samples == []
    assert len(page.types) == 13


def test_the_documentation_lists_every_metric(metrics: Metrics) -> None:
    text = (Path(__file__).parents[3] / "docs" / "serving.md").read_text("utf-8")
    named = set(re.findall(r"`(:(?:tensorflow|elman):[\w:]+)`", text))
    assert named == set(read(metrics).types)


def test_requests_in_work_are_read_when_the_page_is() -> None:
    inside = {"grpc": 0, "rest": 1}
    metrics = Metrics(lambda model, version: "", tuple, inside)
    name = ":elman:serving:requests_in_work"
    assert read(metrics).value(name, entrypoint="GRPC") == 0
    inside["grpc"] = 5
    assert read(metrics).value(name, entrypoint="GRPC") == 5
    assert read(metrics).value(name, entrypoint="REST") == 1
