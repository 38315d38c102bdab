"""The weights of an exported network, read without building its graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import BadInputError

_KEY = "_variables/{}/.ATTRIBUTES/VARIABLE_VALUE"


def read_weights(folder: Path) -> list[npt.NDArray[Any]]:
    """The weights that an export of ours wrote, in the order of `keras.Model.weights`.

    They are read as plain arrays from TensorFlow's checkpoint format: nothing in the folder is run.

    Args:
        folder: Of the SavedModel.

    Raises:
        BadInputError: If there are none, or they cannot be read.
    """
    import tensorflow as tf

    found: list[npt.NDArray[Any]] = []
    try:
        stored = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
        while stored.has_tensor(key := _KEY.format(len(found))):
            found.append(np.asarray(stored.get_tensor(key)))
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        raise BadInputError(
            f"the weights in {folder} cannot be read ({type(error).__name__}); expected a model "
            "that Elman exported"
        ) from error
    if not found:
        raise BadInputError(f"{folder} holds no weights of a network that Elman exported")
    return found
