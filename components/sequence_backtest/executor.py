"""TFX executor of the node `backtest` of a sequence task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.backtest.champion import Champion
from components.backtest.executor import bless
from components.backtest.winner import CANDIDATE, place_winner
from components.sequence_backtest.champion import SequenceModel, enter
from components.sequence_backtest.evaluate import ScoredBaseline, evaluate
from components.sequence_backtest.record import record
from components.sequence_backtest.settings import SequenceBacktestSettings
from components.sequence_backtest.write import write
from components.sequence_baselines.stored import StoredSequenceBaselines
from components.tracking.recorder import current
from models.export.metadata import read_metadata
from models.sequences.store import SequenceStore


class SequenceBacktestExecutor(BaseExecutor):
    """Reads Model, Windows and Baselines; writes evaluation, winner and blessing."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Scores the network and blesses it, a baseline or nothing; see `evaluate` for what is
        raised.
        """
        settings = SequenceBacktestSettings.from_json(exec_properties["config"])
        store = SequenceStore.load(_folder(input_dict, "windows"))
        stored = StoredSequenceBaselines.load(_folder(input_dict, "baselines"))
        model = artifact_utils.get_single_instance(input_dict["model"])
        folders = {CANDIDATE: Path(model.uri)}
        folders |= {n: folder for n in stored.names if (folder := stored.model(n)) is not None}
        exported = {
            name: Path(path_utils.serving_model_path(str(f))) for name, f in folders.items()
        }
        view, task = store.view("test"), store.spec.task
        gate = settings.gate.model_dump(mode="json")
        current().params({**gate, "metric": settings.gate.metric_of(task)})
        champion = Champion.parse(exec_properties["champion"])
        backtest = evaluate(
            store,
            load_model(exported[CANDIDATE]).predict(view),
            {
                name: ScoredBaseline(
                    stored.predictions(name),
                    folders.get(name),
                    stored.refusals.get(name, "") or _refusal(exported[name], settings),
                )
                for name in stored.names
            },
            None if champion is None else enter(champion, exported, view, load_model),
            gate=settings.gate,
        )
        write(backtest, _folder(output_dict, "evaluation"))
        record(backtest.evaluation)
        winner = artifact_utils.get_single_instance(output_dict["winner"])
        source = backtest.evaluation.winner or CANDIDATE
        place_winner(folders[source], Path(winner.uri))
        winner.set_string_custom_property("source", source)
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        bless(blessing, model if source == CANDIDATE else winner, backtest.evaluation, champion)


def load_model(folder: Path) -> SequenceModel:
    """Opens a SavedModel; tests put another in its place."""
    from models.sequences.export.loaded import LoadedSequenceModel

    return LoadedSequenceModel(folder)


def _refusal(saved_model: Path, settings: SequenceBacktestSettings) -> str:
    """Why a baseline cannot be served as configured; empty if it can."""
    if not settings.streaming:
        return ""
    about = read_metadata(saved_model)
    if about["streaming"] is not None:
        return ""
    return (
        "serving.streaming asks for a model that reads a sequence step by step, but "
        f"{about['streaming_refusal']}"
    )


def _folder(artifacts: dict[str, list[Any]], key: str) -> Path:
    return Path(artifact_utils.get_single_uri(artifacts[key]))
