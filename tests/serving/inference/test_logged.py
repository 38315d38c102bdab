"""Requests that were written down: the cases of TF Serving's warm-up."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving.engine.loading import loader
from serving.engine.servable import Servable
from serving.engine.warmup import replay
from serving.inference.logged import answer_logged
from serving.status import Code, ServingError
from tests.serving.conftest import ModelFamily
from tests.serving.contract.half_plus_two import CLASSIFY, REGRESS, copy_version, write_warmup
from tests.serving.inference.examples import example, in_context, listed

SOURCE = "servables/tensorflow/saved_model_warmup_test.cc"
contract = pytest.mark.contract(SOURCE)


@pytest.fixture
def servable(family: ModelFamily) -> Iterator[Servable]:
    made = Servable("m", 123, family.half_plus_two)
    yield made
    made.close()


def predict(x: Any = 2.0, **spec: Any) -> Any:
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.model_spec.CopyFrom(_spec(**spec))
    log.predict_log.request.inputs["x"].CopyFrom(tf.make_tensor_proto(x, tf.float32))
    return log


def examples(kind: str, signature: str, given: Any = None) -> Any:
    log = prediction_log_pb2.PredictionLog()
    request = getattr(log, kind).request
    request.model_spec.CopyFrom(_spec(signature=signature))
    request.input.CopyFrom(given or listed(example(x=2.0)))
    return log


def multi(*tasks: tuple[str, str]) -> Any:
    log = prediction_log_pb2.PredictionLog()
    request = log.multi_inference_log.request
    request.input.CopyFrom(listed(example(x=2.0)))
    for signature, method in tasks:
        task = request.tasks.add(method_name=method)
        task.model_spec.CopyFrom(_spec(signature=signature))
    return log


def _spec(name: str = "m", version: int | None = None, signature: str = "") -> Any:
    from tensorflow_serving.apis import model_pb2

    spec = model_pb2.ModelSpec(name=name, signature_name=signature)
    if version is not None:
        spec.version.value = version
    return spec


MIXED = [
    predict(),
    examples("regress_log", "regress_x_to_y"),
    examples("classify_log", "classify_x_to_y"),
    multi(("classify_x_to_y", CLASSIFY), ("regress_x_to_y", REGRESS)),
]


@contract
@pytest.mark.parametrize("iterations", [1, 2])
def test_mixed_warmup_data(
    servable: Servable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, iterations: int
) -> None:
    """MixedWarmupData: each of four kinds, ten times, run as often as is asked."""
    write_warmup(tmp_path, MIXED * 10)
    fetched: list[int] = []
    run = servable.run_tensors

    def counted(feeds: Any, fetches: Any) -> Any:
        fetched.append(len(fetches))
        return run(feeds, fetches)

    monkeypatch.setattr(servable, "run_tensors", counted)
    replay(tmp_path, partial(answer_logged, servable), iterations=iterations)
    assert len(fetched) == 40 * iterations


@contract
def test_unsupported_log_type(servable: Servable) -> None:
    log = prediction_log_pb2.PredictionLog()
    log.session_run_log.request.SetInParent()
    with pytest.raises(ServingError, match="Unsupported log_type for warmup") as caught:
        answer_logged(servable, log)
    assert caught.value.code is Code.UNIMPLEMENTED


def test_a_record_of_nothing_is_nothing(servable: Servable) -> None:
    answer_logged(servable, prediction_log_pb2.PredictionLog())


@pytest.mark.parametrize(
    "log",
    [
        predict(name="another model", version=7),
        predict([1.0, 2.0]),
        examples("regress_log", "regress_x_to_y", in_context(example(x=1.0), example())),
    ],
)
def test_what_the_model_can_answer_is_answered_whoever_was_asked(
    servable: Servable, log: Any
) -> None:
    answer_logged(servable, log)


def _broken_tensor() -> Any:
    log = predict()
    proto = log.predict_log.request.inputs["x"]
    proto.Clear()
    proto.dtype, proto.tensor_content = 1, b"abc"
    proto.tensor_shape.dim.add(size=9)
    return log


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (predict(signature="nope"), "not found"),
        (_broken_tensor(), "tensor parsing error: x"),
        (examples("classify_log", "nope"), "No signature was found"),
        (examples("classify_log", "classify_x_to_y", listed(example())), "x"),
        (examples("regress_log", "classify_x_to_y"), "No regression outputs"),
        (examples("regress_log", "regress_x_to_y", listed()), "Input is empty"),
        (multi(), "empty model name"),
        (multi(("regress_x_to_y", REGRESS), ("regress_x_to_y", REGRESS)), "Duplicate"),
    ],
)
def test_what_it_cannot_answer_is_an_error(servable: Servable, log: Any, message: str) -> None:
    with pytest.raises(ServingError, match=message):
        answer_logged(servable, log)


def test_a_version_is_loaded_when_it_has_answered_its_requests(
    family: ModelFamily, tmp_path: Path
) -> None:
    folder = copy_version(family.counter, tmp_path, 1)
    request = prediction_log_pb2.PredictionLog()
    request.predict_log.request.model_spec.signature_name = "incr_counter"
    write_warmup(folder, [request] * 3)
    for iterations in (1, 2):
        servable = loader(warmup_iterations=iterations)("c", 1, folder)
        assert servable.run("get_counter", {})["output"] == 3 * iterations
        servable.close()


def test_a_version_that_cannot_answer_them_is_not_loaded(
    family: ModelFamily, tmp_path: Path
) -> None:
    folder = copy_version(family.half_plus_two, tmp_path, 1)
    write_warmup(folder, [predict(), predict(signature="nope")])
    with pytest.raises(ServingError, match='Serving signature key "nope" not found'):
        loader()("m", 1, folder)
    np.testing.assert_equal(list(tmp_path.iterdir()), [folder])
