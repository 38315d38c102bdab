"""TFX executor of the node `backtest`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from tfx.components.evaluator import constants
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.backtest.champion import Champion, Forecaster, enter, forecasts
from components.backtest.evaluate import evaluate
from components.backtest.evaluation import Verdict
from components.backtest.record import record
from components.backtest.samples import samples
from components.backtest.settings import BacktestSettings
from components.backtest.winner import CANDIDATE, place_winner
from components.backtest.write import write
from components.baselines.stored import StoredBaselines
from components.monitor.reference import keep_reference
from components.tracking.recorder import current
from components.validation.moments import moments
from models.baselines.registry import season_of
from models.errors import FailedRunError
from models.windows.store import SeriesStore


class BacktestExecutor(BaseExecutor):
    """Reads Model, Windows, Baselines, ExampleStatistics and Examples; writes evaluation, winner
    (with what the monitor has to know of it) and blessing.
    """

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Scores the candidate and blesses it, a baseline or nothing; see `evaluate` for what is
        raised.
        """
        settings = BacktestSettings.from_json(exec_properties["config"])
        store = SeriesStore.load(_folder(input_dict, "windows"))
        baselines = StoredBaselines.load(_folder(input_dict, "baselines"))
        model = artifact_utils.get_single_instance(input_dict["model"])
        folder = Path(path_utils.serving_model_path(model.uri))
        view, season = store.view("test"), season_of(store, settings.season)
        current().params({"season": season, **settings.gate.model_dump(mode="json")})
        champion = Champion.parse(exec_properties["champion"])
        backtest = evaluate(
            store,
            forecasts(load_forecaster(folder), view),
            baselines,
            None
            if champion is None
            else enter(champion, folder, view, load_forecaster, _exported(baselines)),
            gate=settings.gate,
            scaling=moments(_folder(input_dict, "statistics")),
            season=season,
            streaming=settings.streaming,
        )
        samples(store, backtest).save(_folder(output_dict, "evaluation"))
        write(backtest, store.series, _folder(output_dict, "evaluation"))
        record(store, backtest)
        winner = artifact_utils.get_single_instance(output_dict["winner"])
        source = backtest.evaluation.winner or CANDIDATE
        place_winner(_model_of(source, model, baselines), Path(winner.uri))
        if input_dict.get("examples"):
            keep_reference(
                Path(path_utils.serving_model_path(winner.uri)),
                _folder(input_dict, "examples"),
                view,
                backtest.predictions[source],
                backtest.yardstick.scale,
                backtest.evaluation.models[source].model_dump(exclude={"windows"}),
            )
        winner.set_string_custom_property("source", source)
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        bless(blessing, model if source == CANDIDATE else winner, backtest.evaluation, champion)


def load_forecaster(folder: Path) -> Forecaster:
    """Opens a SavedModel; tests put another in its place."""
    from models.export.loaded import LoadedForecaster

    return LoadedForecaster(folder)


class Judged(Protocol):
    """The evaluation of any task, as a blessing sees it."""

    @property
    def verdict(self) -> Verdict:
        """The gate's."""

    @property
    def champion(self) -> Any:
        """With `compared`; None when there is none."""


def bless(blessing: Any, model: Any, evaluation: Judged, champion: Champion | None) -> None:
    """Marks a ModelBlessing artifact the way TFX's own Evaluator does.

    TFX's Pusher and LatestBlessedModelStrategy read the properties; people see the file.

    Args:
        blessing: The ModelBlessing artifact; its folder is made if missing.
        model: The Model artifact that it is about. The winner of this very execution has no id
            yet; then the property with the id is left out.
        evaluation: With the verdict.
        champion: The model that it was compared with, if any.
    """
    verdict = evaluation.verdict
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
    )
    if model.id:
        blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    if champion is not None and evaluation.champion is not None and evaluation.champion.compared:
        blessing.set_string_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, str(champion.path)
        )
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSING_MESSAGE_KEY, verdict.summary
    )
    value = constants.BLESSED_VALUE if verdict.blessed else constants.NOT_BLESSED_VALUE
    name = constants.BLESSED_FILE_NAME if verdict.blessed else constants.NOT_BLESSED_FILE_NAME
    folder = Path(blessing.uri)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).touch()
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)


def _exported(baselines: StoredBaselines) -> dict[str, Path]:
    """The SavedModels of the baselines that can be served."""
    folders = {name: baselines.model(name) for name in baselines.names}
    return {
        name: Path(path_utils.serving_model_path(str(folder)))
        for name, folder in folders.items()
        if folder is not None
    }


def _model_of(source: str, model: Any, baselines: StoredBaselines) -> Path:
    if source == CANDIDATE:
        return Path(model.uri)
    folder = baselines.model(source)
    if folder is None:
        raise FailedRunError(f"the baseline {source} was blessed, but it was not exported")
    return folder


def _folder(artifacts: dict[str, list[Any]], key: str) -> Path:
    return Path(artifact_utils.get_single_uri(artifacts[key]))
