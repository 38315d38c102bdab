"""`Servable`: one loaded version of a model."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

from serving.engine.failure import failure
from serving.engine.graph import restore
from serving.engine.meta_graph import read_meta_graph
from serving.engine.routes import Routes
from serving.engine.signature import Signature, signatures_of
from serving.runtimes.runtime import Runtime
from serving.status import Code, ServingError

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
_PREPARED = 256
"""Sets of feeds and fetches that are kept prepared; a client can ask for any subset of outputs."""


@dataclass(frozen=True)
class Threads:
    """Threads of TensorFlow; 0: as many as there are cores. The first session of a process decides.

    Attributes:
        intra_op: To share one operation.
        inter_op: To run operations side by side.
    """

    intra_op: int = 0
    inter_op: int = 0


class Servable:
    """A version of a model in memory; its methods may be called from any thread.

    The graph runs in a session, as in TensorFlow Serving: SavedModels of TF1 and of TF2 alike, fed
    and fetched by the names of tensors, and only what the requested outputs need. So what runs here
    runs there.

    Args:
        name: The model.
        version: The version.
        path: Folder of the SavedModel.
        threads: Of TensorFlow.
        runtimes: By signature, what runs it in TensorFlow's place.

    Attributes:
        name: The model.
        version: The version.
        path: Folder of the SavedModel.
        signatures: Those that requests can name.
        signature_defs: All, as SignatureDef protos.

    Raises:
        ServingError: If it cannot be loaded; says why, without the path.
    """

    def __init__(
        self,
        name: str,
        version: int,
        path: Path,
        threads: Threads | None = None,
        runtimes: Mapping[str, Runtime] | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.path = path
        meta_graph = read_meta_graph(path)
        self.signature_defs: Mapping[str, Any] = dict(meta_graph.signature_def)
        self.signatures: Mapping[str, Signature] = signatures_of(meta_graph)
        self._routes = Routes(self.signatures, runtimes or {})
        self._strings = {
            info.tensor
            for signature in self.signatures.values()
            for info in signature.outputs.values()
            if info.is_string
        }
        self._lock = threading.Lock()
        self._prepared: dict[tuple[tuple[str, ...], tuple[str, ...]], Any] = {}
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=graph, config=_session_config(threads))
        try:
            restore(self._session, meta_graph, path)
            graph.finalize()
        except Exception as error:
            self.close()
            raise failure(error, hide=[path.parent, path]) from error

    def run(
        self, signature: str, inputs: Arrays, outputs: Collection[str] | None = None
    ) -> dict[str, Array]:
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
        chosen = self.signatures.get(signature)
        if chosen is None:
            raise ServingError(Code.INVALID_ARGUMENT, f"there is no signature {signature!r}")
        names = sorted(chosen.outputs if outputs is None else outputs)
        unknown = [n for n in inputs if n not in chosen.inputs]
        unknown += [n for n in names if n not in chosen.outputs]
        if unknown:
            raise ServingError(
                Code.INVALID_ARGUMENT, f"signature {signature!r} has no tensor {unknown[0]!r}"
            )
        feeds = {chosen.inputs[name].tensor: value for name, value in inputs.items()}
        values = self.run_tensors(feeds, [chosen.outputs[name].tensor for name in names])
        return dict(zip(names, values, strict=True))

    def run_tensors(self, feeds: Arrays, fetches: Sequence[str]) -> list[Array]:
        """Runs the graph.

        Args:
            feeds: Arrays by the name of a tensor in the graph.
            fetches: Names of tensors in the graph.

        Returns:
            The value of each of `fetches`, in their order.

        Raises:
            ServingError: If TensorFlow, or what runs in its place, fails.
        """
        try:
            routed = self._routes.run(feeds, fetches)
            if routed is not None:
                return routed
            computed = tuple(sorted({name for name in fetches if name not in feeds}))
            names = tuple(sorted(feeds))
            results = []
            if computed:
                call = self._call(names, computed)
                results = call(*(np.asarray(feeds[name]) for name in names))
        except Exception as error:
            raise failure(error, hide=[self.path.parent, self.path]) from error
        values = {**feeds, **dict(zip(computed, results, strict=True))}
        return [self._array(name, values[name]) for name in fetches]

    def close(self) -> None:
        """Frees the memory; the servable cannot be run afterwards."""
        with self._lock:
            self._prepared.clear()
            self._session.close()
            self._routes.close()

    def _call(self, feeds: tuple[str, ...], fetches: tuple[str, ...]) -> Any:
        call = self._prepared.get((feeds, fetches))
        if call is not None:
            return call
        if any(not name for name in (*feeds, *fetches)):
            raise ServingError(
                Code.UNIMPLEMENTED,
                "the signature has a sparse or composite tensor, which cannot be sent; export the "
                "model with dense tensors",
            )
        # Session.run refuses whatever does not fit a tensor's inferred shape; TensorFlow Serving
        # does not, and the half_plus_two models, whose `x` is no placeholder, rely on that.
        call = self._session._make_callable_from_options(
            config_pb2.CallableOptions(feed=feeds, fetch=fetches)
        )
        with self._lock:
            if len(self._prepared) < _PREPARED:
                self._prepared[feeds, fetches] = call
        return call

    def _array(self, tensor: str, value: Any) -> Array:
        if isinstance(value, np.ndarray):
            return value
        # A scalar comes as a number or as bytes, which numpy would take for a fixed-width string.
        return np.asarray(value, dtype=object if tensor in self._strings else None)


def _session_config(threads: Threads | None) -> Any:
    threads = threads or Threads()
    config = config_pb2.ConfigProto(
        intra_op_parallelism_threads=threads.intra_op,
        inter_op_parallelism_threads=threads.inter_op,
        allow_soft_placement=True,
    )
    config.gpu_options.allow_growth = True
    return config
