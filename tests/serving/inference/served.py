"""An `Inference` on one model, in a test."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from serving.batching.settings import BatchingSettings
from serving.engine.manager import ModelManager
from serving.engine.settings import ServedModel, VersionPolicy
from serving.inference.inference import Inference

BATCHING = [None, BatchingSettings(max_batch_size=16), BatchingSettings(max_batch_size=3)]
BATCHING_IDS = ["alone", "batched", "small batches"]


@contextlib.asynccontextmanager
async def serving(
    base: Path,
    batching: BatchingSettings | None = None,
    policy: VersionPolicy | None = None,
    labels: dict[str, int] | None = None,
    **options: Any,
) -> AsyncIterator[tuple[ModelManager, Inference]]:
    """The model `m` in `base`."""
    model = ServedModel("m", base, policy or VersionPolicy(), labels or {})
    manager = ModelManager([model], **{"poll_seconds": 0, **options})
    await manager.start()
    inference = Inference(manager, batching)
    try:
        yield manager, inference
    finally:
        await inference.drain()
        await manager.stop()
        inference.close()
