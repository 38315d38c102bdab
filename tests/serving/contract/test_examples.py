"""PredictionService.Classify, Regress and MultiInference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.serving.contract import messages
from tests.serving.contract.engines import Running
from tests.serving.contract.messages import SECONDS, example, refused, spec

CLASSIFICATION = "servables/tensorflow/classification_service_test.cc"
REGRESSION = "servables/tensorflow/regression_service_test.cc"
SEVERAL = "servables/tensorflow/multi_inference_helper_test.cc"

METHODS = (
    pytest.param("Classify", messages.classify, marks=pytest.mark.contract(CLASSIFICATION)),
    pytest.param("Regress", messages.regress, marks=pytest.mark.contract(REGRESSION)),
)
# Features that the model does not read are passed over.
RICH = example(x=80.0, locale=b"pt_BR", age=19.0)

REFUSED: dict[str, tuple[Any, str]] = {
    "no model_spec": (None, "INVALID_ARGUMENT"),
    "no model": (spec(""), "INVALID_ARGUMENT"),
    "a model that does not exist": (spec("foo"), "NOT_FOUND"),
    "a signature that does not exist": (
        spec("default", "invalid_signature_name"),
        "INVALID_ARGUMENT",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize(("method", "build"), METHODS)
def test_refused(server: Running, method: str, build: Callable[..., Any], case: str) -> None:
    model, expected = REFUSED[case]
    code, _ = refused(getattr(server.prediction, method), build(model, example(x=2.0)))
    assert code == expected


@pytest.mark.contract(CLASSIFICATION)
def test_classified(server: Running) -> None:
    request = messages.classify(spec("default", "classify_x_to_y"), RICH)
    answer = server.prediction.Classify(request, timeout=SECONDS)
    ((only,),) = [list(c.classes) for c in answer.result.classifications]
    assert (only.label, only.score) == ("", 42.0)
    assert answer.model_spec == spec("default", "classify_x_to_y", 123)


@pytest.mark.contract(REGRESSION)
def test_regressed(server: Running) -> None:
    request = messages.regress(spec("default", "regress_x_to_y"), RICH)
    answer = server.prediction.Regress(request, timeout=SECONDS)
    assert [r.value for r in answer.result.regressions] == [42.0]
    assert answer.model_spec == spec("default", "regress_x_to_y", 123)


def tasks(*signatures: str, version: int | None = None) -> list[tuple[Any, str]]:
    """A task for each signature, by the method its name begins with."""
    return [(spec("default", s, version), s.split("_", maxsplit=1)[0]) for s in signatures]


BOTH = example(x=2.0, x2=2.0)
TASKS_REFUSED: dict[str, tuple[Any, str, str]] = {
    "no example": (
        messages.multi_inference(tasks("regress_x_to_y")),
        "INVALID_ARGUMENT",
        "Input is empty",
    ),
    "a signature that does not exist": (
        messages.multi_inference(
            [(spec("default", "ThisSignatureDoesNotExist"), "regress")], example(x=2.0)
        ),
        "INVALID_ARGUMENT",
        "signature not found",
    ),
    "two models": (
        messages.multi_inference(
            [
                *tasks("regress_x_to_y"),
                (spec("ModelDoesNotExist", "regress_x_to_y"), "regress"),
            ],
            example(x=2.0),
        ),
        "INVALID_ARGUMENT",
        "must access the same model name",
    ),
    "a task twice": (
        messages.multi_inference(tasks("regress_x_to_y", "regress_x_to_y"), example(x=2.0)),
        "INVALID_ARGUMENT",
        "Duplicate evaluation of signature: regress_x_to_y",
    ),
    "a prediction": (
        messages.multi_inference([(spec("default"), "predict")], example(x=2.0)),
        "UNIMPLEMENTED",
        "Unsupported signature",
    ),
    "signatures with different inputs": (
        messages.multi_inference(tasks("regress_x_to_y", "regress_x2_to_y3"), BOTH),
        "INVALID_ARGUMENT",
        "Input tensor must be the same",
    ),
}


@pytest.mark.contract(SEVERAL)
@pytest.mark.parametrize("case", TASKS_REFUSED)
def test_tasks_refused(server: Running, case: str) -> None:
    request, expected, words = TASKS_REFUSED[case]
    code, message = refused(server.prediction.MultiInference, request)
    assert code == expected
    assert words in message


TASKS_ANSWERED: dict[str, tuple[tuple[str, ...], list[float]]] = {
    "one": (("regress_x_to_y",), [3.0]),
    "two regressions": (("regress_x_to_y", "regress_x_to_y2"), [3.0, 4.0]),
    "a regression and a classification": (("regress_x_to_y", "classify_x_to_y"), [3.0, 3.0]),
}


@pytest.mark.contract(SEVERAL)
@pytest.mark.parametrize("case", TASKS_ANSWERED)
def test_tasks_answered(server: Running, case: str) -> None:
    signatures, expected = TASKS_ANSWERED[case]
    request = messages.multi_inference(tasks(*signatures, version=123), example(x=2.0))
    answer = server.prediction.MultiInference(request, timeout=SECONDS)
    for signature, value, result in zip(signatures, expected, answer.results, strict=True):
        assert result.model_spec == spec("default", signature, 123)
        if signature.startswith("regress"):
            assert [r.value for r in result.regression_result.regressions] == [value]
        else:
            found = result.classification_result.classifications
            assert [[c.score for c in one.classes] for one in found] == [[value]]
