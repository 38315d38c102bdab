"""Answers as protos of `tensorflow.serving`."""

from __future__ import annotations

from typing import Any

from tensorflow_serving.apis import classification_pb2, inference_pb2, predict_pb2, regression_pb2

from serving.inference.target import Classification, Prediction, Regression
from serving.rpc.specs import spec_of
from serving.rpc.tensors import proto_of


def predict_response(done: Prediction) -> Any:
    """The `PredictResponse`.

    Raises:
        ServingError: UNIMPLEMENTED if an output's dtype cannot be sent.
    """
    outputs = {name: proto_of(array, name) for name, array in done.outputs.items()}
    spec = spec_of(done.name, done.version, done.signature)
    return predict_pb2.PredictResponse(model_spec=spec, outputs=outputs)


def classification_response(done: Classification) -> Any:
    """The `ClassificationResponse`."""
    return classification_pb2.ClassificationResponse(
        model_spec=spec_of(done.name, done.version, done.signature), result=_classifications(done)
    )


def regression_response(done: Regression) -> Any:
    """The `RegressionResponse`."""
    return regression_pb2.RegressionResponse(
        model_spec=spec_of(done.name, done.version, done.signature), result=_regressions(done)
    )


def inference_result(done: Classification | Regression) -> Any:
    """The `InferenceResult` of one task of multi-inference."""
    spec = spec_of(done.name, done.version, done.signature)
    if isinstance(done, Classification):
        return inference_pb2.InferenceResult(
            model_spec=spec, classification_result=_classifications(done)
        )
    return inference_pb2.InferenceResult(model_spec=spec, regression_result=_regressions(done))


def _classifications(done: Classification) -> Any:
    result = classification_pb2.ClassificationResult()
    for pairs in done.results:
        classes = result.classifications.add().classes
        for label, score in pairs:
            classes.add(label=label, score=score)
    return result


def _regressions(done: Regression) -> Any:
    return regression_pb2.RegressionResult(
        regressions=[regression_pb2.Regression(value=value) for value in done.values]
    )
