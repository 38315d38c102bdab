"""`Routes`: which calls of a graph a runtime answers in TensorFlow's place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.engine.signature import Signature
from serving.runtimes.runtime import Runtime
from serving.status import Code, ServingError

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class _Route:
    """A runtime, with its names by the names of tensors in the graph."""

    runtime: Runtime
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


class Routes:
    """Calls are told apart by what they feed: each signature has placeholders of its own.

    So whatever asks for a signature (Predict, a batch of it, a warm-up request) is answered by its
    runtime, and everything else by TensorFlow. So are calls without a single row, and those whose
    inputs have not the same number of them, which TensorFlow may refuse or broadcast.

    Args:
        signatures: Of the model.
        runtimes: By signature.

    Raises:
        ServingError: FAILED_PRECONDITION if a runtime's file is not of this model.
    """

    def __init__(
        self, signatures: Mapping[str, Signature], runtimes: Mapping[str, Runtime]
    ) -> None:
        self._routes: dict[frozenset[str], _Route] = {}
        for name, runtime in runtimes.items():
            signature = signatures.get(name)
            fits = signature is not None and (
                runtime.inputs == set(signature.inputs)
                and runtime.outputs == set(signature.outputs)
            )
            if signature is None or not fits:
                raise ServingError(
                    Code.FAILED_PRECONDITION,
                    f"the file for another engine has the inputs {sorted(runtime.inputs)} and the "
                    f"outputs {sorted(runtime.outputs)}, which are not those of the signature "
                    f"{name!r}; export the model again",
                )
            inputs = {info.tensor: key for key, info in signature.inputs.items()}
            outputs = {info.tensor: key for key, info in signature.outputs.items()}
            self._routes[frozenset(inputs)] = _Route(runtime, inputs, outputs)

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Array] | None:
        """The value of each of `fetches`; None if TensorFlow has to find it."""
        route = self._routes.get(frozenset(feeds)) if self._routes else None
        if route is None or not fetches or any(name not in route.outputs for name in fetches):
            return None
        inputs = {route.inputs[name]: np.asarray(value) for name, value in feeds.items()}
        rows = {value.shape[:1] for value in inputs.values()}
        if len(rows) != 1 or any(not value.size for value in inputs.values()):
            return None
        return route.runtime.run(inputs, [route.outputs[name] for name in fetches])

    def close(self) -> None:
        """Lets the runtimes go."""
        for route in self._routes.values():
            route.runtime.close()
        self._routes = {}
