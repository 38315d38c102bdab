"""The request log: what is kept, how much of it, and that nobody waits for it."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving.engine.servable import Servable
from serving.engine.signature import CLASSIFY, REGRESS
from serving.inference.exchange import Exchange
from serving.inference.inference import Inference
from serving.inference.logged import answer_logged
from serving.inference.target import Prediction, Target
from serving.request_log import log as log_module
from serving.request_log.log import DROPPED, FAILED, WRITTEN, RequestLog
from serving.request_log.settings import RequestLogSettings
from tests.serving.conftest import ModelFamily
from tests.serving.contract.half_plus_two import copy_version
from tests.serving.event_loop import run
from tests.serving.inference.examples import example, serialized
from tests.serving.inference.served import serving


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def records(folder: Path) -> list[Any]:
    """Every PredictionLog in `folder`, the oldest file first."""
    return [log for path in sorted(folder.iterdir()) for log in logs_in(path)]


def logs_in(path: Path) -> list[Any]:
    dataset = tf.data.TFRecordDataset(str(path))
    return [prediction_log_pb2.PredictionLog.FromString(r.numpy()) for r in dataset]


def exchange(number: float = 0.0, rows: int = 1) -> Exchange:
    x = np.full((rows, 1), number, np.float32)
    return Exchange((Target("m"),), Prediction({"y": x}, "m", 3, "serving_default"), {"x": x})


def written(settings: RequestLogSettings, count: int = 1, **options: Any) -> Counter[str]:
    """Outcomes of `count` exchanges, each kept."""
    outcomes: Counter[str] = Counter()
    log = RequestLog(settings, count=lambda _, outcome: outcomes.update([outcome]), **options)
    for i in range(count):
        log.keep(exchange(i))
    log.close(60)
    return outcomes


def test_every_method_is_written_as_tf_serving_logs_it_and_can_be_answered_again(
    family: ModelFamily, tmp_path: Path
) -> None:
    copy_version(family.half_plus_two, tmp_path / "models", 2)
    clock = Clock()
    log = RequestLog(RequestLogSettings(tmp_path / "log", sample=1.0), clock=clock)
    regression = Target("m", signature="regress_x_to_y")
    classification = Target("m", version=2, signature="classify_x_to_y")
    given = serialized(example(x=4.0))

    async def go() -> None:
        async with serving(tmp_path / "models") as (manager, _):
            inference = Inference(manager, keeper=log)
            await inference.predict(Target("m"), {"x": np.array([2, 4], np.float32)}, ["y"])
            await inference.regress(regression, given)
            await inference.classify(classification, given)
            await inference.multi_inference(
                [(regression, REGRESS), (classification, CLASSIFY)], given
            )
            await inference.drain()
            inference.close()

    run(go())
    log.close(60)
    found = records(tmp_path / "log")
    kinds = [one.WhichOneof("log_type") for one in found]
    assert kinds == ["predict_log", "regress_log", "classify_log", "multi_inference_log"]
    predicted, regressed, classified, several = found
    request, response = predicted.predict_log.request, predicted.predict_log.response
    assert (request.model_spec.name, list(request.output_filter)) == ("m", ["y"])
    np.testing.assert_array_equal(tf.make_ndarray(request.inputs["x"]), [2, 4])
    np.testing.assert_array_equal(tf.make_ndarray(response.outputs["y"]), [3, 4])
    assert response.model_spec.version.value == 2
    assert regressed.regress_log.response.result.regressions[0].value == 4
    assert classified.classify_log.request.model_spec.version.value == 2
    assert len(several.multi_inference_log.response.results) == 2
    for one in found:
        assert one.log_metadata.sampling_config.sampling_rate == 1
        assert one.log_metadata.timestamp_secs == clock.now
        assert one.log_metadata.model_spec.version.value == 2
    servable = Servable("m", 2, family.half_plus_two)
    for one in found:
        answer_logged(servable, one)  # as warm-up requests of the next version
    servable.close()


def test_failed_requests_are_not_kept(family: ModelFamily, tmp_path: Path) -> None:
    copy_version(family.half_plus_two, tmp_path / "models", 2)
    log = RequestLog(RequestLogSettings(tmp_path / "log", sample=1.0))

    async def go() -> None:
        async with serving(tmp_path / "models") as (manager, _):
            inference = Inference(manager, keeper=log)
            with pytest.raises(Exception, match="not found in signature"):
                await inference.predict(Target("m"), {"z": np.zeros(1, np.float32)})
            inference.close()

    run(go())
    log.close(60)
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize(("sample", "share"), [(0.0, 0), (0.25, 25), (1.0, 100)])
def test_the_sample_is_the_share_that_is_kept(tmp_path: Path, sample: float, share: int) -> None:
    draws = iter(np.linspace(0, 0.99, 100).tolist())
    log = RequestLog(RequestLogSettings(tmp_path, sample=sample), draw=lambda: next(draws))
    assert sum(log.wants() for _ in range(100)) == share
    log.close()


def test_a_full_file_is_followed_by_another(tmp_path: Path) -> None:
    size = len(_record(exchange())) + 16
    settings = RequestLogSettings(tmp_path, max_bytes=3 * size, keep=3)
    assert written(settings, 11) == {WRITTEN: 11}
    files = sorted(tmp_path.iterdir())
    assert [len(logs_in(path)) for path in files] == [3, 3, 2]  # the oldest file of 3 is gone
    values = [float(tf.make_ndarray(one.predict_log.request.inputs["x"])[0, 0])
              for one in records(tmp_path)]  # fmt: skip
    assert values == list(range(3, 11))


def _record(one: Exchange) -> bytes:
    made = log_module.prediction_log(one, sample=0.01, seconds=1_700_000_000)
    return bytes(made.SerializeToString())


def test_an_old_file_is_followed_by_another(tmp_path: Path) -> None:
    clock = Clock()
    outcomes: Counter[str] = Counter()
    done = threading.Semaphore(0)

    def count(_: str, outcome: str) -> None:
        outcomes[outcome] += 1
        done.release()

    log = RequestLog(RequestLogSettings(tmp_path, max_seconds=60), count=count, clock=clock)
    for seconds in (0, 59, 1, 30):
        clock.now += seconds
        log.keep(exchange())
        assert done.acquire(timeout=60)
    log.close(60)
    assert [len(logs_in(path)) for path in sorted(tmp_path.iterdir())] == [2, 2]


@pytest.mark.parametrize("bound", [{"queue_requests": 3}, {"queue_bytes": 3 * 8}])
def test_nobody_waits_for_a_writer_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: dict[str, int]
) -> None:
    begun, free = threading.Event(), threading.Event()
    real = log_module.prediction_log

    def hanging(*given: Any, **options: Any) -> Any:
        begun.set()
        assert free.wait(60)
        return real(*given, **options)

    monkeypatch.setattr(log_module, "prediction_log", hanging)
    outcomes: Counter[str] = Counter()
    log = RequestLog(
        RequestLogSettings(tmp_path, **bound),
        count=lambda _, outcome: outcomes.update([outcome]),
    )
    log.keep(exchange())
    assert begun.wait(60)
    for _ in range(10):  # returns at once, though nothing is written
        log.keep(exchange())
    assert outcomes == {DROPPED: 7}
    free.set()
    log.close(60)
    assert outcomes == {DROPPED: 7, WRITTEN: 4}
    assert len(records(tmp_path)) == 4


def test_a_folder_that_cannot_be_written_to_is_told_once_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    settings = RequestLogSettings(tmp_path / "file" / "log")
    assert written(settings, 5) == {FAILED: 5}
    assert len([r for r in caplog.records if "cannot be kept" in r.message]) == 1


def test_after_the_end_nothing_is_taken(tmp_path: Path) -> None:
    outcomes: Counter[str] = Counter()
    log = RequestLog(
        RequestLogSettings(tmp_path), count=lambda _, outcome: outcomes.update([outcome])
    )
    log.close(60)
    log.keep(exchange())
    assert outcomes == {DROPPED: 1}


def test_files_are_not_for_everybody(tmp_path: Path) -> None:
    written(RequestLogSettings(tmp_path))
    [path] = tmp_path.iterdir()
    assert path.stat().st_mode & 0o007 == 0


@pytest.mark.parametrize(
    "wrong", [{"sample": 1.5}, {"sample": -0.1}, {"keep": 0}, {"max_bytes": 0}, {"max_seconds": 0}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    [(name, value)] = wrong.items()
    with pytest.raises(ValueError, match=f"{name} must be .*{value}"):
        RequestLogSettings(Path("x"), **wrong)
