"""`Inference`: answers requests, whatever protocol they came by."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from serving.batching.settings import BatchingSettings
from serving.engine.manager import ModelManager
from serving.engine.servable import Servable
from serving.engine.signature import DEFAULT_SIGNATURE, Signature
from serving.engine.version_status import VersionStatus
from serving.inference.target import Metadata, Prediction, Target
from serving.observer import Observer, Silent
from serving.status import Code, ServingError


class Inference:
    """First version: predict without batching."""

    def __init__(
        self,
        manager: ModelManager,
        batching: BatchingSettings | None = None,
        *,
        observer: Observer | None = None,
    ) -> None:
        self._manager = manager
        self._batching = batching
        self._observer = observer or Silent()

    async def predict(
        self,
        target: Target,
        inputs: Mapping[str, np.ndarray[Any, Any]],
        outputs: Collection[str] = (),
        deadline: float | None = None,
    ) -> Prediction:
        """Runs a signature on `inputs`; `outputs` are those wanted, empty for all."""
        with self._manager.use(target.name, target.version, target.label) as servable:
            signature = _signature(servable, target)
            run = asyncio.to_thread(servable.run, signature.name, inputs, outputs or None)
            result = await run
            return Prediction(result, servable.name, servable.version, signature.name)

    def signature(self, target: Target) -> Signature:
        """The signature that `target` names."""
        with self._manager.use(target.name, target.version, target.label) as servable:
            return _signature(servable, target)

    def metadata(self, target: Target) -> Metadata:
        """The signatures of the model that `target` names."""
        with self._manager.use(target.name, target.version, target.label) as servable:
            return Metadata(servable.name, servable.version, dict(servable.signature_defs))

    def status(self, target: Target) -> list[VersionStatus]:
        """The states of the versions of a model, newest first."""
        return self._manager.status(target.name, target.version, target.label)

    async def drain(self) -> None:
        """Waits until no request is in flight."""


def _signature(servable: Servable, target: Target) -> Signature:
    name = target.signature or DEFAULT_SIGNATURE
    if name not in servable.signatures:
        raise ServingError(Code.INVALID_ARGUMENT, f'Serving signature key "{name}" not found.')
    return servable.signatures[name]
