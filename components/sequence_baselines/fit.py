"""Fits every baseline, predicts every test sequence, and exports what was fitted."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.baselines.marker import model_of
from components.sequence_baselines.stored import StoredSequenceBaselines, file_of
from components.tracking.recorder import current
from models.errors import BadInputError
from models.sequence_baselines.config import SequenceBaselinesConfig
from models.sequences.store import SequenceStore

if TYPE_CHECKING:
    from models.sequences.core import SequenceCore

SERVING = "Format-Serving"
"""Where TFX looks for the SavedModel of a Model artifact."""
VERIFICATION = "verification.npz"


def fit_baselines(
    store: SequenceStore,
    config: SequenceBaselinesConfig,
    folder: Path,
    metadata: Mapping[str, Any],
) -> StoredSequenceBaselines:
    """Fits all configured baselines and writes what the gate needs of them.

    Args:
        store: The sequences; baselines are fitted to the train split only.
        config: Which baselines, and their settings.
        folder: Receives `predictions-<name>.npz` (`SequencePredictions` of the test sequences),
            `models/<name>/`, laid out like a Model artifact, so that a baseline can be served in
            the network's place, and, last, `baselines.json`; made if missing.
        metadata: Further keys for `elman.json` of each, such as `run_id`. Added here: `baseline`,
            its name, `train_sequences`, `facts` and `settings`.

    Raises:
        BadInputError: If a configured baseline does not fit the task, or there are no train or no
            test sequences.
    """
    from models.sequence_baselines.registry import build
    from models.sequences.predict import predict_core

    names, recorder = config.chosen(store.spec), current()
    train, test = store.view("train"), store.view("test")
    for split, view, use in (("train", train, "fit"), ("test", test, "score")):
        if len(view) == 0:
            raise BadInputError(
                f"there is no {split} sequence to {use} baselines on: give the split `{split}` a "
                "larger share, or add data"
            )
    folder.mkdir(parents=True, exist_ok=True)
    settings = config.model_dump(mode="json")
    recorder.params({**settings, "names": list(names)})
    facts: dict[str, dict[str, Any]] = {}
    seconds: dict[str, float] = {}
    refusals: dict[str, str] = {}
    for done, name in enumerate(names):
        recorder.progress(done, len(names), {})
        began = time.perf_counter()
        baseline = build(name, config)
        core = baseline.fit(train, store.view("validation"))
        predict_core(core, test).save(folder / file_of(name))
        seconds[name] = time.perf_counter() - began
        facts[name] = baseline.describe()
        recorder.metrics({f"{name}_seconds": seconds[name]})
        about = {
            "baseline": name,
            "train_sequences": len(train),
            "facts": facts[name],
            "settings": settings,
            **metadata,
        }
        refusal = _export(core, store, model_of(folder, name), about)
        if refusal is not None:
            refusals[name] = refusal
            recorder.tags({f"elman.not_servable.{name}": refusal})
    recorder.progress(len(names), len(names), {})
    outcomes = int(test.outcomes.sum())
    stored = StoredSequenceBaselines(folder, len(test), outcomes, facts, seconds, refusals)
    stored.save_marker()
    recorder.data(facts, "baselines.json")
    return stored


def _export(
    core: SequenceCore, store: SequenceStore, folder: Path, metadata: Mapping[str, Any]
) -> str | None:
    """Writes a Model folder; gives the reason where the task has none."""
    from models.sequences.export.saved_model import export_sequence_model
    from models.sequences.export.verification import write_sequence_verification

    validation = store.view("validation")
    view = validation if len(validation) else store.view("test")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        export_sequence_model(
            core,
            folder / SERVING,
            spec=store.spec,
            classes=store.classes,
            vocabularies=store.vocabularies,
            metadata=metadata,
        )
        write_sequence_verification(core, view, folder / VERIFICATION)
    except BadInputError as error:  # The network's export will refuse the same columns.
        shutil.rmtree(folder, ignore_errors=True)
        return str(error)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return None
