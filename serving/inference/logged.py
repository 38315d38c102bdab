"""`answer_logged`: answers a request that was written down, as warm-up requests are."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from serving.engine.servable import Array, Servable
from serving.inference.classify import prepare_classify
from serving.inference.examples import examples_of
from serving.inference.multi import check_tasks, prepare_multi
from serving.inference.predict import prepare_predict
from serving.inference.prepare import invalid
from serving.inference.prepared import Prepared
from serving.inference.regress import prepare_regress
from serving.inference.target import Target
from serving.status import Code, ServingError

_KINDS = ("predict_log", "classify_log", "regress_log", "multi_inference_log")


def answer_logged(servable: Servable, log: Any) -> None:
    """Answers the request in a PredictionLog, whatever version it names, and forgets the answer.

    Raises:
        ServingError: UNIMPLEMENTED for a request of another kind than predict, classify, regress
            and multi-inference; and whatever the request ends with.
    """
    kind = log.WhichOneof("log_type")
    if kind is None:
        return
    if kind not in _KINDS:
        raise ServingError(Code.UNIMPLEMENTED, f"Unsupported log_type for warmup: {kind}")
    _prepared(servable, kind, getattr(log, kind).request).answer(servable)


def _prepared(servable: Servable, kind: str, request: Any) -> Prepared[Any]:
    if kind == "multi_inference_log":
        tasks = [
            (Target(spec.name, signature=spec.signature_name), task.method_name)
            for task in request.tasks
            for spec in [task.model_spec]
        ]
        check_tasks(tasks)
        return prepare_multi(servable, tasks, examples_of(request.input))
    name = request.model_spec.signature_name
    if kind == "predict_log":
        inputs = {key: _array(key, proto) for key, proto in request.inputs.items()}
        return prepare_predict(servable, name, inputs, request.output_filter)
    if kind == "classify_log":
        return prepare_classify(servable, name, examples_of(request.input))
    return prepare_regress(servable, name, examples_of(request.input))


def _array(name: str, proto: Any) -> Array:
    try:
        return tf.make_ndarray(proto)
    except (TypeError, ValueError) as error:
        raise invalid(f"tensor parsing error: {name}") from error
