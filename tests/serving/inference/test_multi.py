"""Several tasks on the same examples: the cases of TF Serving's multi-inference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from serving.engine.servable import Servable
from serving.engine.signature import CLASSIFY, PREDICT, REGRESS
from serving.inference.multi import check_tasks, prepare_multi
from serving.inference.target import Classification, Regression, Target
from serving.status import Code, ServingError
from tests.serving.conftest import ModelFamily
from tests.serving.inference.examples import example, serialized
from tests.serving.restated import restated

SOURCE = "servables/tensorflow/multi_inference_test.cc"
contract = pytest.mark.contract(SOURCE)
TWO = serialized(example(x=2.0))


@pytest.fixture(scope="module")
def servable(family: ModelFamily) -> Iterator[Servable]:
    made = Servable("m", 123, family.half_plus_two)
    yield made
    made.close()


def task(signature: str, method: str, model: str = "m") -> tuple[Target, str]:
    return Target(model, signature=signature), method


Y, Y2 = task("regress_x_to_y", REGRESS), task("regress_x_to_y2", REGRESS)


def answered(servable: Servable, tasks: Any, examples: list[bytes]) -> Any:
    check_tasks(tasks)
    return prepare_multi(servable, tasks, examples).answer(servable)


@dataclass(frozen=True)
class Case:
    """Tasks, and the values for them."""

    id: str
    tasks: list[Any]
    expected: list[Any]


@pytest.mark.parametrize(
    "case",
    restated(
        SOURCE,
        [
            Case("ValidSingleSignatureTest", [Y], [[3.0]]),
            Case("MultipleValidRegressSignaturesTest", [Y, Y2], [[3.0], [4.0]]),
            Case(
                "RegressAndClassifySignaturesTest",
                [Y, task("classify_x_to_y", CLASSIFY)],
                [[3.0], [[("", 3.0)]]],
            ),
            Case("the order of the tasks is kept", [Y2, Y], [[4.0], [3.0]]),
        ],
    ),
)
def test_answered(servable: Servable, case: Case) -> None:
    found = answered(servable, case.tasks, TWO)
    for (target, method), result, expected in zip(case.tasks, found, case.expected, strict=True):
        assert (result.name, result.version, result.signature) == ("m", 123, target.signature)
        if method == REGRESS:
            assert isinstance(result, Regression)
            assert result.values == expected
        else:
            assert isinstance(result, Classification)
            assert result.results == expected


@dataclass(frozen=True)
class Refused:
    """Tasks that are refused, and words of the reason."""

    id: str
    tasks: list[Any]
    message: str
    code: Code = Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "case",
    restated(
        SOURCE,
        [
            Refused("UndefinedSignatureTest", [task("nope", REGRESS)], "signature not found"),
            Refused(
                "InconsistentModelSpecsInRequestTest",
                [Y, task("regress_x_to_y", REGRESS, "other")],
                "must access the same model name",
            ),
            Refused(
                "EvaluateDuplicateSignaturesTest",
                [Y, Y],
                "Duplicate evaluation of signature: regress_x_to_y",
            ),
            Refused(
                "UsupportedSignatureTypeTest",
                [task("serving_default", PREDICT)],
                "Unsupported signature",
                Code.UNIMPLEMENTED,
            ),
            Refused(
                "SignaturesWithDifferentInputsTest",
                [Y, task("regress_x2_to_y3", REGRESS)],
                "Input tensor must be the same",
            ),
            Refused("no tasks", [], "empty model name"),
            Refused("no model", [task("regress_x_to_y", REGRESS, "")], "empty model name"),
            Refused(
                "a regression asked for as classification",
                [task("regress_x_to_y", CLASSIFY)],
                '"classes" or "scores"',
            ),
        ],
    ),
)
def test_refused(servable: Servable, case: Refused) -> None:
    with pytest.raises(ServingError) as caught:
        answered(servable, case.tasks, TWO)
    assert caught.value.code is case.code
    assert case.message in caught.value.message


@contract
def test_missing_input(servable: Servable) -> None:
    with pytest.raises(ServingError, match="Input is empty") as caught:
        answered(servable, [Y], [])
    assert caught.value.code is Code.INVALID_ARGUMENT
