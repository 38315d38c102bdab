"""A value for each example: the cases of TF Serving's regressor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from serving.engine.signature import CLASSIFY, PREDICT, REGRESS
from serving.inference.examples import examples_of
from serving.inference.regress import prepare_regress
from serving.status import Code, ServingError
from tests.serving.inference.examples import example, in_context, listed
from tests.serving.inference.fake_servable import FakeServable, floats, signature, texts
from tests.serving.restated import restated

SOURCE = "servables/tensorflow/regressor_test.cc"
contract = pytest.mark.contract(SOURCE)
STRING, FLOAT = texts([b""]), floats([0])
BOTH = listed(example(output=2.0), example(output=3.0))


class Echo(FakeServable):
    """Gives back the feature `output`, plus one and as a column in one signature."""

    def __init__(self) -> None:
        super().__init__(
            signature("serving_default", {"inputs": STRING}, {"outputs": floats(0)}, REGRESS),
            signature("output_plus_one", {"inputs": STRING}, {"outputs": FLOAT}, REGRESS),
            signature("classification", {"inputs": STRING}, {"classes": STRING}, CLASSIFY),
            signature("improperly_sized", {"inputs": STRING}, {"outputs": FLOAT}, REGRESS),
        )
        self.asked = ""

    def run_tensors(self, feeds: Any, fetches: Any) -> list[Any]:
        values = [example().FromString(each) for each in feeds["inputs:0"]]
        numbers = [v.features.feature["output"].float_list.value[0] for v in values]
        made = {
            "": floats(*numbers),
            "output_plus_one": floats(*numbers)[:, None] + 1,
            "improperly_sized": np.zeros((len(numbers), 1, 10), np.float32),
        }
        return [made[self.asked]]


def regressed(servable: Any, proto: Any, name: str = "") -> list[float]:
    servable.asked = name
    return prepare_regress(servable, name, examples_of(proto)).answer(servable).values


@dataclass(frozen=True)
class Case:
    """An Input, and the values for it."""

    id: str
    input: Any
    expected: list[float]
    signature: str = ""


@pytest.mark.parametrize(
    "case",
    restated(
        SOURCE,
        [
            Case("BasicExampleList", BOTH, [2, 3]),
            Case(
                "BasicExampleListWithContext",
                in_context(example(output=3.0), example(), example()),
                [3, 3],
            ),
            Case("ValidNamedSignature", BOTH, [3, 4], "output_plus_one"),
        ],
    ),
)
def test_regressed(case: Case) -> None:
    assert regressed(Echo(), case.input, case.signature) == case.expected


@dataclass(frozen=True)
class Refused:
    """An Input or a signature that is refused, and words of the reason."""

    id: str
    input: Any
    message: str
    signature: str = ""


@pytest.mark.parametrize(
    "case",
    restated(
        SOURCE,
        [
            Refused("InvalidNamedSignature", BOTH, "No regression outputs found", "classification"),
            Refused("MissingRegressionSignature", BOTH, "No signature was found", "nope"),
            Refused(
                "MalformedOutputs", BOTH, "[batch_size, 1] but got [2,1,10]", "improperly_sized"
            ),
            Refused("EmptyInput", listed().__class__(), "Input is empty"),
            Refused("EmptyExampleList", listed(), "Input is empty"),
            Refused(
                "EmptyExampleListWithContext", in_context(example(output=3.0)), "Input is empty"
            ),
        ],
    ),
)
def test_refused(case: Refused) -> None:
    with pytest.raises(ServingError) as caught:
        regressed(Echo(), case.input, case.signature)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert case.message in caught.value.message


@contract
def test_runs_fails() -> None:
    fake = FakeServable(signature("serving_default", {"inputs": STRING}, {"outputs": FLOAT}))
    fake.error = ServingError(Code.INTERNAL, "Run totally failed")
    with pytest.raises(ServingError, match="Run totally failed") as caught:
        regressed(fake, BOTH)
    assert caught.value.code is Code.INTERNAL


@dataclass(frozen=True)
class Outputs:
    """What the model gives for two examples, and what is wrong with it."""

    id: str
    outputs: Any
    message: str


@pytest.mark.parametrize(
    "case",
    restated(
        SOURCE,
        [
            Outputs(
                "UnexpectedOutputTensorSize",
                floats(1, 2, 3),
                "Input batch size did not match output batch size: 2 vs. 3",
            ),
            Outputs(
                "UnexpectedOutputTensorType",
                np.array([b"1", b"2"], object),
                "Expected output Tensor of DT_FLOAT.  Got: DT_STRING",
            ),
            Outputs(
                "two columns",
                floats([1, 2], [3, 4]),
                "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got "
                "[2,2]",
            ),
            Outputs(
                "a scalar",
                np.float32(1),
                "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but "
                "got []",
            ),
        ],
    ),
)
def test_outputs_that_are_no_values(case: Outputs) -> None:
    outputs = {"outputs": case.outputs}
    made = signature("serving_default", {"inputs": STRING}, outputs, REGRESS)
    with pytest.raises(ServingError) as caught:
        regressed(FakeServable(made, values=outputs), BOTH)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message == case.message


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        ({"inputs": STRING, "more": STRING}, {"outputs": FLOAT}, "Expected one input Tensor."),
        ({"inputs": STRING}, {"outputs": FLOAT, "x": FLOAT}, "Expected one output Tensor."),
        ({"x": STRING}, {"outputs": FLOAT}, "No regression inputs found"),
        ({"inputs": FLOAT}, {"outputs": FLOAT}, "to be float but string is provided"),
    ],
)
def test_signatures_that_are_no_regression(inputs: Any, outputs: Any, message: str) -> None:
    fake = FakeServable(signature("serving_default", inputs, outputs, REGRESS))
    with pytest.raises(ServingError) as caught:
        regressed(fake, BOTH)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert message in caught.value.message
    assert fake.fed == []


@pytest.mark.parametrize("method", [CLASSIFY, PREDICT, REGRESS, ""])
def test_the_method_of_a_signature_does_not_matter(method: str) -> None:
    made = signature("serving_default", {"inputs": STRING}, {"outputs": FLOAT}, method)
    fake = FakeServable(made, values={"outputs": floats([1], [2])})
    assert regressed(fake, BOTH) == [1, 2]
