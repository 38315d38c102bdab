"""The whole graph of a forecast on one page."""

from __future__ import annotations

from collections.abc import Sequence

from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.pipeline import Pipeline
from tfx.types import BaseChannel

from components.backtest.component import backtest
from components.baselines.component import baselines
from components.ingest.component import example_gen
from components.ingest.config import DataConfig
from components.monitor.component import monitor
from components.push.component import pusher
from components.serving_check.component import serving_check
from components.spans.state import Entry
from components.train.component import trainer
from components.tune.candidate import Candidate
from components.tune.component import tuner
from components.tuned_windows.component import tuned_windows
from components.validation.component import example_validator, schema_gen, statistics_gen
from components.windows.component import windows
from models.history.recipe import RawData
from pipeline.config import LoadedConfig
from pipeline.graph import assemble
from pipeline.span_dag import joined


def raw_data(data: DataConfig) -> RawData:
    """What a model's client has to know of `data`: how the raw rows are written."""
    return RawData(
        time=data.time,
        series=data.series,
        timezone=data.timezone,
        time_format=data.time_format,
        gaps=data.gaps,
    )


def skew_requests(loaded: LoadedConfig) -> str:
    """Where logged requests are: folder, file or glob; empty where they are not looked at."""
    drift = loaded.forecast.drift
    if drift is None or drift.skew is None:
        return ""
    given = drift.skew.requests
    return str(loaded.resolve(given) if given else loaded.request_log_directory)


def build(
    loaded: LoadedConfig, *, champion: str, force: bool = False, spans: Sequence[Entry] = ()
) -> Pipeline:
    """The pipeline of one configuration.

    Args:
        loaded: The configuration and its resolved paths.
        champion: JSON of the champion that the candidate has to beat, or empty.
        force: Whether a model that was rolled back may be pushed again.
        spans: With `data.spans`, the ingested spans to train on.
    """
    config = loaded.forecast
    data, split, roles, spec = config.data, config.split, config.roles, config.window

    head = [*joined(loaded, spans)] if spans else [example_gen(data, split, roles, loaded.folder)]
    examples = head[-1].outputs["examples"]
    statistics_node = statistics_gen(examples)
    statistics = statistics_node.outputs["statistics"]
    schema = schema_gen(statistics, loaded.schema_path)
    validate = example_validator(statistics, schema.outputs["schema"])
    window = windows(examples, spec=spec, roles=roles, gaps=data.gaps, frequency=data.frequency)
    window.add_upstream_node(validate)
    store = window.outputs["windows"]
    search: list[BaseNode] = []
    found: BaseChannel | None = None
    if config.tune is not None:
        base = Candidate(window=spec, model=config.model, train=config.train)
        tune = tuner(store, statistics, base=base, tune=config.tune)
        search, found = [tune], tune.outputs["hyperparameters"]
        if config.tune.tunes_windows:
            retold = tuned_windows(store, found)
            search, store = [tune, retold], retold.outputs["tuned"]
    watch: list[BaseNode] = []
    if config.drift is not None:
        watch = [
            monitor(
                examples,
                window.outputs["windows"],
                drift=config.drift,
                roles=roles,
                metric=config.gate.metric,
                champion=champion,
                requests=skew_requests(loaded),
                force=force,
            )
        ]
    scored = baselines(store, config=config.baselines, data=raw_data(data))
    train = trainer(
        store,
        statistics,
        model=config.model,
        train=config.train,
        config_digest=config.training_digest,
        data=raw_data(data),
        champion=champion,
        hyperparameters=found,
        engine=config.serving.engine,
    )
    for node in (*search, scored, train):
        for watcher in watch:
            node.add_upstream_node(watcher)  # it decides whether they run at all
    model = train.outputs["model"]
    gate = backtest(
        model,
        store,
        scored.outputs["baselines"],
        statistics,
        gate=config.gate,
        season=config.baselines.season,
        champion=champion,
        streaming=config.serving.streaming,
        examples=examples,
    )
    winner = gate.outputs["winner"]
    check = serving_check(winner)
    push = pusher(
        winner,
        gate.outputs["blessing"],
        check.outputs["blessing"],
        serving=config.serving,
        directory=loaded.serving_directory,
        name=config.name,
        force=force,
    )
    return assemble(
        loaded,
        [
            *head,
            statistics_node,
            schema,
            validate,
            window,
            *watch,
            *search,
            scored,
            train,
            gate,
            check,
            push,
        ],
    )
