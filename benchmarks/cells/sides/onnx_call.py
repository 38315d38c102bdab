"""ONNX Runtime: the network of an LSTM work as an ONNX graph, windows or one step with its state.

The graph is written here from the weights, node by node: what the runtime can do at best.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benchmarks.cells.channel import Channel
from benchmarks.cells.data import SERIES, Floats, read, read_weights, windows
from benchmarks.cells.sides.calls import serve
from benchmarks.cells.sides.given import called, parser
from benchmarks.cells.work import Work


def graph(work: Work, weights: list[Floats]) -> Any:
    """The model: `inputs` [batch, steps, features], `h` and `c` [1, batch, units] to `outputs`
    [batch, outputs] and the state after the last step.
    """
    kernel, recurrent, bias, head, head_bias = weights

    def gates(weight: Floats) -> Floats:
        """Rows of input, output, forget and cell gate; Keras has columns of i, f, c, o."""
        i, f, c, o = np.split(weight, 4, axis=-1)
        return np.ascontiguousarray(np.concatenate([i, o, f, c], axis=-1).T)[None]

    constants = {
        "w": gates(kernel),
        "r": gates(recurrent),
        "b": np.concatenate([gates(bias), np.zeros_like(gates(bias))], axis=1),
        "head": head,
        "head_bias": head_bias,
        "first": np.asarray([0], np.int64),
    }
    nodes = [
        helper.make_node("Transpose", ["inputs"], ["steps"], perm=[1, 0, 2]),
        helper.make_node(
            "LSTM",
            ["steps", "w", "r", "b", "", "h", "c"],
            ["", "h_after", "c_after"],
            hidden_size=work.units,
        ),
        helper.make_node("Squeeze", ["h_after", "first"], ["last"]),
        helper.make_node("Gemm", ["last", "head", "head_bias"], ["outputs"]),
    ]
    values = {
        "inputs": ["batch", "steps", work.features],
        "outputs": ["batch", work.outputs],
        **{name: [1, "batch", work.units] for name in ("h", "c", "h_after", "c_after")},
    }
    infos = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in values.items()
    }
    made = helper.make_graph(
        nodes,
        "forecaster",
        [infos[n] for n in ("inputs", "h", "c")],
        [infos[n] for n in ("outputs", "h_after", "c_after")],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(made, opset_imports=[opset], ir_version=9)
    onnx.checker.check_model(model)
    return model


def main() -> None:
    """Answers calls."""
    channel, given = Channel(), parser().parse_args()
    call = called(given)
    inputs, _ = windows(call.work, read(given.folder, SERIES)["series"])
    model = graph(call.work, read_weights(given.folder))
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    zeros = np.zeros((1, call.batch, call.work.units), np.float32)
    state = {"h": zeros, "c": zeros}

    def restart() -> None:
        state.update(h=zeros, c=zeros)

    def window(rows: Floats) -> Floats:
        found: Floats = session.run(["outputs"], {"inputs": rows, "h": zeros, "c": zeros})[0]
        return found

    def step(row: Floats) -> Floats:
        found: list[Floats] = session.run(None, {"inputs": row[:, None], **state})
        state.update(h=found[1], c=found[2])
        return found[0]

    serve(
        channel,
        call,
        inputs,
        step if call.carried else window,
        restart,
        lambda: {"versions": {"onnxruntime": onnxruntime.__version__}},
    )


if __name__ == "__main__":
    main()
