"""`prediction_log`: an exchange as a PredictionLog, as TF Serving's request logger writes it."""

from __future__ import annotations

from typing import Any

from tensorflow_serving.apis import prediction_log_pb2

from serving.inference.exchange import Exchange
from serving.inference.target import Classification, Prediction, Regression, Target
from serving.rpc.answers import (
    classification_response,
    inference_result,
    predict_response,
    regression_response,
)
from serving.rpc.tensors import proto_of


def prediction_log(exchange: Exchange, *, sample: float, seconds: int) -> Any:
    """The `PredictionLog` of one exchange; the model server can also warm a model up with it.

    Args:
        exchange: What was asked and answered.
        sample: Share of the requests that are kept.
        seconds: Unix time of the answer.

    Raises:
        ServingError: UNIMPLEMENTED if an array's dtype cannot be sent.
    """
    log = prediction_log_pb2.PredictionLog()
    answer, target = exchange.answer, exchange.targets[0]
    if isinstance(answer, Prediction):
        request = log.predict_log.request
        _name(request.model_spec, target)
        for name, array in exchange.inputs.items():
            request.inputs[name].CopyFrom(proto_of(array, name))
        request.output_filter.extend(exchange.outputs)
        log.predict_log.response.CopyFrom(predict_response(answer))
    elif isinstance(answer, Classification):
        _name(log.classify_log.request.model_spec, target)
        _examples(log.classify_log.request, exchange)
        log.classify_log.response.CopyFrom(classification_response(answer))
    elif isinstance(answer, Regression):
        _name(log.regress_log.request.model_spec, target)
        _examples(log.regress_log.request, exchange)
        log.regress_log.response.CopyFrom(regression_response(answer))
    else:
        request = log.multi_inference_log.request
        for each, method in zip(exchange.targets, exchange.methods, strict=True):
            _name(request.tasks.add(method_name=method).model_spec, each)
        _examples(request, exchange)
        results = map(inference_result, answer)
        log.multi_inference_log.response.results.extend(results)
    first = answer[0] if isinstance(answer, list) else answer
    metadata = log.log_metadata
    metadata.model_spec.name = first.name
    metadata.model_spec.version.value = first.version
    metadata.sampling_config.sampling_rate = sample
    metadata.timestamp_secs = seconds
    return log


def _name(spec: Any, target: Target) -> None:
    spec.name, spec.signature_name = target.name, target.signature
    if target.version is not None:
        spec.version.value = target.version
    elif target.label is not None:
        spec.version_label = target.label


def _examples(request: Any, exchange: Exchange) -> None:
    for text in exchange.examples:
        request.input.example_list.examples.add().ParseFromString(text)
