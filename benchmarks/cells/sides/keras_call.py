"""The export of Keras: `model.export`, loaded, its signature called from Python."""

from __future__ import annotations

from tempfile import TemporaryDirectory

import keras
import numpy as np
import tensorflow as tf

from benchmarks.cells.channel import Channel
from benchmarks.cells.data import SERIES, Floats, read, read_weights, windows
from benchmarks.cells.sides.calls import serve
from benchmarks.cells.sides.given import called, parser
from benchmarks.cells.sides.keras_fit import build
from benchmarks.cells.sides.product import tensorflow_peak


def main() -> None:
    """Answers calls."""
    channel, given = Channel(), parser().parse_args()
    call = called(given)
    inputs, _ = windows(call.work, read(given.folder, SERIES)["series"])
    model = build(call.work, read_weights(given.folder))
    with TemporaryDirectory(dir=given.folder) as folder:
        model.export(folder, verbose=False)
        loaded = tf.saved_model.load(folder)
    signature = loaded.signatures["serving_default"]
    (name,) = signature.structured_input_signature[1]

    def forecast(rows: Floats) -> Floats:
        (answer,) = signature(**{name: tf.constant(rows)}).values()
        return np.asarray(answer)

    channel.on("peak", tensorflow_peak)
    versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
    serve(channel, call, inputs, forecast, lambda: None, lambda: {"versions": versions})


if __name__ == "__main__":
    main()
