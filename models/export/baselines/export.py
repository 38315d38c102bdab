"""`export_baseline`: a fitted baseline in a folder laid out like a Model artifact."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from models.baselines.protocol import Baseline
from models.errors import BadInputError, FailedRunError
from models.export.baselines.core import BaselineCore, Refusal
from models.export.baselines.cores import core_of
from models.export.feed import view_feed
from models.export.metadata import describe, description
from models.export.saved_model import save_servable
from models.export.servable import describe_signature, window_signatures
from models.export.verification import save_verification, verification_arrays
from models.windows.store import SeriesStore

SERVING = "Format-Serving"
"""Where TFX looks for the SavedModel of a Model artifact."""
VERIFICATION = "verification.npz"
WINDOWS = 32
"""Windows in `verification.npz`."""


class ServableBaseline(tf.Module):
    """What is saved of a baseline, with the signatures of a network that cannot be streamed.

    Args:
        core: The baseline.
        described: Its metadata.
    """

    def __init__(self, core: BaselineCore, described: Mapping[str, Any]) -> None:
        super().__init__(name="forecaster")
        self._core = core
        made = {
            **window_signatures(core, described),
            "describe": describe_signature(description(described)),
        }
        # A plain dict as an attribute would be tracked and saved; a closure is not.
        self.signatures = lambda: made


def export_baseline(
    baseline: Baseline, store: SeriesStore, folder: Path, metadata: Mapping[str, Any]
) -> Refusal | None:
    """Writes a baseline as the network would be written, so that it can be served in its place.

    `folder` receives `Format-Serving/`, a SavedModel with the signatures `serving_default`,
    `serve_examples` and `describe` over the same columns as those of the network (those that the
    baseline does not read are taken and passed over), and `verification.npz`, whose forecasts are
    those of `Baseline.predict`: the serving check compares two implementations.

    Args:
        baseline: Fitted to `store`.
        store: The windows.
        folder: Made if missing; nothing is written into it where the baseline is refused.
        metadata: Further keys for `elman.json`, such as `data` and `run_id`. Added here:
            `train_range`, and `baseline`, its name.

    Returns:
        None, or why this baseline cannot be served.

    Raises:
        FailedRunError: If there is no window, or the stubs of TensorFlow Serving are missing.
    """
    core = core_of(baseline, store)
    if isinstance(core, Refusal):
        return core
    statics = store.roles.covariates.static
    text = tuple(n for n in statics if any(isinstance(v, str) for v in store.static[n]))
    trained = np.asarray(store.time[store.time < store.boundaries[1]])
    span = [_iso(int(trained.min())), _iso(int(trained.max()))] if len(trained) else []
    try:
        described = describe(
            store.spec,
            store.roles,
            store.frequency,
            text,
            {**metadata, "baseline": baseline.name, "train_range": span},
            streaming=None,
            refusal=f"the baseline {baseline.name} reads whole windows and carries no state",
        )
    except BadInputError as error:  # The network's export will refuse the same columns.
        return Refusal(str(error))
    try:
        save_servable(ServableBaseline(core, described), described, folder / SERVING)
        _verify(baseline, store, text, folder / VERIFICATION)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return None


def _verify(baseline: Baseline, store: SeriesStore, text: tuple[str, ...], file: Path) -> None:
    # The windows that the network is verified with, where there are any.
    view = store.view("validation") if len(store.view("validation")) else store.view("test")
    if not len(view):
        raise FailedRunError("there is no window to verify an exported baseline with")
    count = min(WINDOWS, len(view))
    chosen = view.take(np.unique(np.linspace(0, len(view) - 1, count).round().astype(np.int64)))
    forecasts = baseline.predict(chosen)
    feed = view_feed(chosen, store.spec, store.roles, text)
    by_target = {name: forecasts[:, :, k] for k, name in enumerate(store.roles.targets)}
    save_verification(verification_arrays(feed, by_target), file)


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
