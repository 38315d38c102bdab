"""`prepare_regress`: a value for each example.

Checks and texts after tensorflow/serving, servables/tensorflow/regressor.cc. As
tensorflow_model_server does by default, this looks at the names of the tensors and not at the
method's: TensorFlow 2 saves every signature as predict.
"""

from __future__ import annotations

from collections.abc import Sequence

from serving.engine.servable import Array, Servable
from serving.engine.signature import Signature, TensorInfo
from serving.inference.prepare import examples_call, invalid, named_signature
from serving.inference.prepared import Prepared
from serving.inference.target import Regression

_INPUTS, _OUTPUTS = "inputs", "outputs"


def prepare_regress(
    servable: Servable, name: str, examples: Sequence[bytes]
) -> Prepared[Regression]:
    """A regression of examples.

    Args:
        servable: The version.
        name: Of the signature; empty for `serving_default`.
        examples: Each a serialized tf.Example.

    Raises:
        ServingError: INVALID_ARGUMENT if there is no such signature, if it is no regression, or if
            there are no examples.
    """
    signature = named_signature(servable, name)
    taken, output = regress_tensors(signature)
    call = examples_call([taken], [output], examples)

    def finish(values: list[Array]) -> Regression:
        results = regress_result(output, values[0], len(examples))
        return Regression(results, servable.name, servable.version, signature.name)

    return Prepared(call, finish)


def regress_tensors(signature: Signature) -> tuple[TensorInfo, TensorInfo]:
    """The input for serialized examples, and the output with their values.

    Raises:
        ServingError: INVALID_ARGUMENT if its tensors are not those of a regression.
    """
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if len(signature.outputs) != 1:
        raise invalid("Expected one output Tensor.")
    for side, name, tensors in (
        ("inputs", _INPUTS, signature.inputs),
        ("outputs", _OUTPUTS, signature.outputs),
    ):
        if name not in tensors:
            raise invalid(f"No regression {side} found in SignatureDef: {signature.name}")
    return signature.inputs[_INPUTS], signature.outputs[_OUTPUTS]


def regress_result(info: TensorInfo, value: Array, examples: int) -> list[float]:
    """One value for each example.

    Args:
        info: The output.
        value: What the model gave.
        examples: How many there were.

    Raises:
        ServingError: INVALID_ARGUMENT if the model gave something else than a value for each.
    """
    if not (value.ndim == 1 or (value.ndim == 2 and value.shape[1] == 1)):
        raise invalid(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got "
            f"[{','.join(map(str, value.shape))}]"
        )
    if value.shape[0] != examples:
        raise invalid(
            f"Input batch size did not match output batch size: {examples} vs. {value.shape[0]}"
        )
    if info.tf_name != "DT_FLOAT":
        raise invalid(f"Expected output Tensor of DT_FLOAT.  Got: {info.tf_name}")
    return [float(each) for each in value.reshape(-1)]
