"""`Servable`: one loaded version of a model."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt
import tensorflow as tf

from serving.engine.failure import failure
from serving.engine.meta_graph import SERVE, read_meta_graph
from serving.engine.signature import Signature, signatures_of
from serving.status import Code, ServingError

Arrays = Mapping[str, npt.NDArray[Any]]


class Servable:
    """A version of a model in memory; its methods may be called from any thread.

    The graph runs in a session, as in TensorFlow Serving: TF1 and TF2 SavedModels alike, by the
    names of their tensors, and only what the requested outputs need.

    Args:
        name: The model.
        version: The version.
        path: Folder of the SavedModel.

    Raises:
        ServingError: If it cannot be loaded; says why, without the path.
    """

    def __init__(self, name: str, version: int, path: Path) -> None:
        self.name = name
        self.version = version
        self.path = path
        meta_graph = read_meta_graph(path)
        self.signature_defs: Mapping[str, Any] = dict(meta_graph.signature_def)
        self.signatures: Mapping[str, Signature] = signatures_of(self.signature_defs)
        self._lock = threading.Lock()
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=graph)
        try:
            with graph.as_default():
                tf.compat.v1.saved_model.load(self._session, [SERVE], str(path))
            graph.finalize()
        except Exception as error:
            self.close()
            raise failure(error, hide=[path]) from error

    def run(
        self, signature: str, inputs: Arrays, outputs: Collection[str] | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        """Runs a signature.

        Args:
            signature: Its name.
            inputs: One array for each input, of its dtype and shape; strings as object arrays of
                bytes.
            outputs: Names of those wanted; None: all.

        Returns:
            By name, each output that was asked for.

        Raises:
            ServingError: If TensorFlow fails; or for a name that the signature does not have.
        """
        chosen = self.signatures[signature]
        wanted = sorted(chosen.outputs if outputs is None else outputs)
        try:
            feeds = {chosen.inputs[name].tensor: value for name, value in inputs.items()}
            fetches = {name: chosen.outputs[name].tensor for name in wanted}
        except KeyError as error:
            raise ServingError(
                Code.INVALID_ARGUMENT, f"signature {signature} has no tensor {error}"
            ) from None
        return self.run_tensors(feeds, fetches)

    def run_tensors(self, feeds: Arrays, fetches: Mapping[str, str]) -> dict[str, npt.NDArray[Any]]:
        """Runs the graph.

        Args:
            feeds: Values by the name of a tensor in the graph.
            fetches: Names of tensors in the graph, by the names the results shall have.

        Raises:
            ServingError: If TensorFlow fails.
        """
        try:
            return self._session.run(dict(fetches), dict(feeds))
        except Exception as error:
            raise failure(error, hide=[self.path]) from error

    def close(self) -> None:
        """Frees the memory; the servable cannot be run afterwards."""
        self._session.close()
