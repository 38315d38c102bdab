"""`prepare_classify`: labels and scores for examples.

Checks and texts after tensorflow/serving, servables/tensorflow/classifier.cc. As
tensorflow_model_server does by default, this looks at the names of the tensors and not at the
method's: TensorFlow 2 saves every signature as predict.
"""

from __future__ import annotations

from collections.abc import Sequence

from serving.engine.servable import Array, Servable
from serving.engine.signature import Signature, TensorInfo
from serving.inference.prepare import examples_call, invalid, named_signature
from serving.inference.prepared import Prepared
from serving.inference.target import Classification

_INPUTS, _CLASSES, _SCORES = "inputs", "classes", "scores"


def prepare_classify(
    servable: Servable, name: str, examples: Sequence[bytes]
) -> Prepared[Classification]:
    """A classification of examples.

    Args:
        servable: The version.
        name: Of the signature; empty for `serving_default`.
        examples: Each a serialized tf.Example.

    Raises:
        ServingError: INVALID_ARGUMENT if there is no such signature, if it is no classification, or
            if there are no examples.
    """
    signature = named_signature(servable, name)
    taken, outputs = classify_tensors(signature)
    call = examples_call([taken], outputs, examples)

    def finish(values: list[Array]) -> Classification:
        results = classify_result(outputs, values, len(examples))
        return Classification(results, servable.name, servable.version, signature.name)

    return Prepared(call, finish)


def classify_tensors(signature: Signature) -> tuple[TensorInfo, list[TensorInfo]]:
    """The input for serialized examples, and the outputs that are labels, scores or both.

    Raises:
        ServingError: INVALID_ARGUMENT if its tensors are not those of a classification.
    """
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if len(signature.outputs) not in (1, 2):
        raise invalid(f"Expected one or two output Tensors, found {len(signature.outputs)}")
    if _INPUTS not in signature.inputs:
        raise invalid(f"No classification inputs found in SignatureDef: {signature.name}")
    outputs = [signature.outputs[n] for n in (_CLASSES, _SCORES) if n in signature.outputs]
    if not outputs:
        raise invalid(
            "Expected classification signature outputs to contain at least one of "
            f'"{_CLASSES}" or "{_SCORES}". Signature was: {signature.name}'
        )
    return signature.inputs[_INPUTS], outputs


def classify_result(
    outputs: Sequence[TensorInfo], values: Sequence[Array], examples: int
) -> list[list[tuple[str, float]]]:
    """(Label, score) pairs for each example; "" and 0 for what the model does not give.

    Args:
        outputs: As `classify_tensors` gave them.
        values: Of each.
        examples: How many there were.

    Raises:
        ServingError: INVALID_ARGUMENT if the model gave something else than labels and scores.
    """
    found = {info.name: value for info, value in zip(outputs, values, strict=True)}
    for info, value in zip(outputs, values, strict=True):
        _check(info, value, examples)
    classes, scores = found.get(_CLASSES), found.get(_SCORES)
    if classes is None:
        assert scores is not None
        return [[("", float(score)) for score in row] for row in scores]
    labels = [[_text(label) for label in row] for row in classes]
    if scores is None:
        return [[(label, 0.0) for label in row] for row in labels]
    if classes.shape[1] != scores.shape[1]:
        raise invalid(
            "Tensors class and score should match in dim_size(1). Got "
            f"{classes.shape[1]} vs. {scores.shape[1]}"
        )
    return [
        [(label, float(score)) for label, score in zip(names, row, strict=True)]
        for names, row in zip(labels, scores, strict=True)
    ]


def _check(info: TensorInfo, value: Array, examples: int) -> None:
    if value.ndim != 2:
        raise invalid(
            "Expected Tensor shape: [batch_size num_classes] but got "
            f"[{','.join(map(str, value.shape))}]"
        )
    expected = "DT_STRING" if info.name == _CLASSES else "DT_FLOAT"
    if info.tf_name != expected:
        raise invalid(f"Expected {info.name} Tensor of {expected}. Got: {info.tf_name}")
    if value.shape[0] != examples:
        raise invalid(
            f"Expected {info.name} output batch size of {examples}. Got: {value.shape[0]}"
        )


def _text(label: object) -> str:
    return label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label)
