"""Labels and scores: the cases of TF Serving's classifier.

The names of the tensors decide, not the method of the signature, as in tensorflow_model_server
unless `--enable_signature_method_name_check` is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving.engine.servable import Servable
from serving.engine.signature import CLASSIFY, PREDICT, REGRESS
from serving.inference.classify import prepare_classify
from serving.inference.examples import examples_of
from serving.status import Code, ServingError
from tests.serving.contract.half_plus_two import save_functions
from tests.serving.inference.examples import example, in_context, listed, serialized
from tests.serving.inference.fake_servable import FakeServable, floats, signature, texts
from tests.serving.restated import restated

SOURCE = "servables/tensorflow/classifier_test.cc"
contract = pytest.mark.contract(SOURCE)
STRING, FLOAT = texts([b""]), floats([0])
TWO = (b"1", b"2")


def one(**features: Any) -> Any:
    return example(**{"class": features["classes"], "score": features["scores"]})


FIRST = one(classes=[b"dos", b"uno"], scores=[2.0, 1.0])
SECOND = one(classes=[b"cuatro", b"tres"], scores=[4.0, 3.0])


@pytest.fixture(scope="module")
def servable(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Gives back the labels and scores that are in the examples."""

    def parsed(examples: Any) -> Any:
        spec = tf.io.FixedLenFeature
        return tf.io.parse_example(
            examples, {"class": spec([2], tf.string), "score": spec([2], tf.float32)}
        )

    def function(outputs: Any) -> Any:
        text = tf.TensorSpec([None], tf.string, name="inputs")
        return tf.function(lambda inputs: outputs(parsed(inputs)), input_signature=[text])

    folder = save_functions(
        tmp_path_factory.mktemp("classifier") / "1",
        {
            "serving_default": function(lambda p: {"classes": p["class"], "scores": p["score"]}),
            "output_plus_one": function(
                lambda p: {"classes": p["class"], "scores": p["score"] + 1.0}
            ),
            "classes_only": function(lambda p: {"classes": p["class"]}),
            "scores_only": function(lambda p: {"scores": p["score"]}),
            "regression": function(lambda p: {"outputs": p["score"][:, :1]}),
            "improperly_sized_scores": function(
                lambda p: {"classes": p["class"], "scores": p["score"][:, :, None]}
            ),
        },
    )
    made = Servable("classifier", 1, folder)
    yield made
    made.close()


def classified(servable: Any, proto: Any, name: str = "") -> list[list[tuple[str, float]]]:
    return prepare_classify(servable, name, examples_of(proto)).answer(servable).results


@dataclass(frozen=True)
class Case:
    """An Input, and the labels and scores for it."""

    id: str
    input: Any
    expected: list[list[tuple[str, float]]]
    signature: str = ""


BOTH = listed(FIRST, SECOND)
CASES = [
    Case("ExampleList", BOTH, [[("dos", 2), ("uno", 1)], [("cuatro", 4), ("tres", 3)]]),
    Case(
        "ExampleListWithContext",
        in_context(FIRST, example(), example()),
        [[("dos", 2), ("uno", 1)]] * 2,
    ),
    Case(
        "ExampleListWithContext_DuplicateFeatures",
        in_context(FIRST, example(), SECOND),
        [[("dos", 2), ("uno", 1)], [("cuatro", 4), ("tres", 3)]],
    ),
    Case(
        "ClassesOnly",
        BOTH,
        [[("dos", 0), ("uno", 0)], [("cuatro", 0), ("tres", 0)]],
        "classes_only",
    ),
    Case("ScoresOnly", BOTH, [[("", 2), ("", 1)], [("", 4), ("", 3)]], "scores_only"),
    Case(
        "ValidNamedSignature",
        BOTH,
        [[("dos", 3), ("uno", 2)], [("cuatro", 5), ("tres", 4)]],
        "output_plus_one",
    ),
]


@pytest.mark.parametrize("case", restated(SOURCE, CASES))
def test_classified(servable: Any, case: Case) -> None:
    assert classified(servable, case.input, case.signature) == case.expected


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
            Refused("InvalidNamedSignature", BOTH, '"classes" or "scores"', "regression"),
            Refused("MissingClassificationSignature", BOTH, "No signature was found", "nope"),
            Refused("MalformedScores", BOTH, "[batch_size num_classes]", "improperly_sized_scores"),
            Refused("EmptyInput", listed().__class__(), "Input is empty"),
            Refused("EmptyExampleList", listed(), "Input is empty"),
            Refused("EmptyExampleListWithContext", in_context(FIRST), "Input is empty"),
        ],
    ),
)
def test_refused(servable: Any, case: Refused) -> None:
    with pytest.raises(ServingError) as caught:
        classified(servable, case.input, case.signature)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert case.message in caught.value.message


@contract
def test_runs_fails() -> None:
    fake = FakeServable(signature("serving_default", {"inputs": STRING}, {"scores": FLOAT}))
    fake.error = ServingError(Code.INTERNAL, "Run totally failed")
    with pytest.raises(ServingError, match="Run totally failed") as caught:
        classified(fake.it, BOTH)
    assert caught.value.code is Code.INTERNAL


@dataclass(frozen=True)
class Outputs:
    """What the model gives for two examples, and words of what is wrong with it."""

    id: str
    classes: Any
    scores: Any
    message: str


@pytest.mark.parametrize(
    "case",
    restated(
        SOURCE,
        [
            Outputs(
                "ClassesIncorrectTensorBatchSize",
                texts(TWO),
                floats([1, 2], [3, 4]),
                "Expected classes output batch size of 2. Got: 1",
            ),
            Outputs(
                "ClassesIncorrectTensorType",
                floats([1, 2], [3, 4]),
                floats([1, 2], [3, 4]),
                "Expected classes Tensor of DT_STRING. Got: DT_FLOAT",
            ),
            Outputs(
                "ScoresIncorrectTensorBatchSize",
                texts(TWO, TWO),
                floats([1, 2]),
                "Expected scores output batch size of 2. Got: 1",
            ),
            Outputs(
                "ScoresIncorrectTensorType",
                texts(TWO, TWO),
                texts(TWO, TWO),
                "Expected scores Tensor of DT_FLOAT. Got: DT_STRING",
            ),
            Outputs(
                "MismatchedNumberOfTensorClasses",
                texts(TWO, TWO),
                floats([1, 2, 3], [4, 5, 6]),
                "Tensors class and score should match in dim_size(1). Got 2 vs. 3",
            ),
            Outputs(
                "classes of rank 1",
                np.array(TWO, object),
                floats([1, 2], [3, 4]),
                "Expected Tensor shape: [batch_size num_classes] but got [2]",
            ),
        ],
    ),
)
def test_outputs_that_are_no_labels_and_scores(case: Outputs) -> None:
    outputs = {"classes": case.classes, "scores": case.scores}
    made = signature("serving_default", {"inputs": STRING}, outputs, CLASSIFY)
    with pytest.raises(ServingError) as caught:
        classified(FakeServable(made, values=outputs).it, BOTH)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message == case.message


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        ({"inputs": STRING, "more": STRING}, {"scores": FLOAT}, "Expected one input Tensor."),
        ({}, {"scores": FLOAT}, "Expected one input Tensor."),
        ({"x": STRING}, {"scores": FLOAT}, "No classification inputs found"),
        ({"inputs": STRING}, {}, "Expected one or two output Tensors, found 0"),
        ({"inputs": STRING}, dict.fromkeys("abc", FLOAT), "Expected one or two output Tensors"),
        ({"inputs": STRING}, {"a": FLOAT, "b": FLOAT}, "at least one of"),
        ({"inputs": FLOAT}, {"scores": FLOAT}, "to be float but string is provided"),
    ],
)
def test_signatures_that_are_no_classification(inputs: Any, outputs: Any, message: str) -> None:
    fake = FakeServable(signature("serving_default", inputs, outputs, CLASSIFY))
    with pytest.raises(ServingError) as caught:
        classified(fake.it, BOTH)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert message in caught.value.message
    assert fake.fed == []


@pytest.mark.parametrize("method", [CLASSIFY, PREDICT, REGRESS, ""])
def test_the_method_of_a_signature_does_not_matter(method: str) -> None:
    made = signature("serving_default", {"inputs": STRING}, {"scores": FLOAT}, method)
    fake = FakeServable(made, values={"scores": floats([1], [2])})
    assert classified(fake.it, BOTH) == [[("", 1)], [("", 2)]]


def test_a_label_that_is_no_text_is_a_label_still() -> None:
    made = signature("serving_default", {"inputs": STRING}, {"classes": STRING})
    fake = FakeServable(made, values={"classes": texts([b"\xff\x00a", "é".encode()])})
    (labels,) = prepare_classify(fake.it, "", serialized(FIRST)).answer(fake.it).results
    assert labels == [("\ufffd\x00a", 0.0), ("é", 0.0)]


def test_who_answered_is_said() -> None:
    made = signature("scored", {"inputs": STRING}, {"scores": FLOAT})
    fake = FakeServable(made, values={"scores": floats([1])})
    found = prepare_classify(fake.it, "scored", serialized(FIRST)).answer(fake.it)
    assert (found.name, found.version, found.signature) == ("m", 123, "scored")
