"""The whole graph of a task over whole sequences on one page."""

from __future__ import annotations

from tfx.orchestration.pipeline import Pipeline

from components.push.component import pusher
from components.sequence_backtest.component import sequence_backtest
from components.sequence_baselines.component import sequence_baselines
from components.sequence_train.component import sequence_trainer
from components.sequences.config import SEQUENCE
from components.sequences.ingest.component import sequence_example_gen
from components.sequences.store.component import sequences
from components.serving_check.component import serving_check
from components.validation.component import example_validator, schema_gen, statistics_gen
from pipeline.config import LoadedConfig, SequenceConfig
from pipeline.graph import assemble


def build(
    loaded: LoadedConfig, config: SequenceConfig, *, champion: str, force: bool = False
) -> Pipeline:
    """The pipeline of one configuration.

    Args:
        loaded: The configuration's resolved paths.
        config: The configuration.
        champion: JSON of the champion that the candidate has to beat, or empty.
        force: Whether a model that was rolled back may be pushed again.
    """
    spec = config.spec
    ingest = sequence_example_gen(config.data, config.split, spec, loaded.folder)
    examples = ingest.outputs["examples"]
    statistics_node = statistics_gen(examples)
    statistics = statistics_node.outputs["statistics"]
    # Ids and words are others each time; labels are not.
    free = (SEQUENCE, *spec.inputs.tokens)
    schema = schema_gen(statistics, loaded.schema_path, free=free)
    validate = example_validator(statistics, schema.outputs["schema"])
    store_node = sequences(examples, spec=spec)
    store_node.add_upstream_node(validate)
    store = store_node.outputs["windows"]
    rows = config.data.model_dump(mode="json", include={"sequence", "step"})
    scored = sequence_baselines(store, config=config.baselines, data=rows)
    train = sequence_trainer(
        store,
        model=config.model,
        train=config.train,
        config_digest=config.training_digest,
        data=rows,
        champion=champion,
    )
    gate = sequence_backtest(
        train.outputs["model"],
        store,
        scored.outputs["baselines"],
        gate=config.gate,
        champion=champion,
        streaming=config.serving.streaming,
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
        [ingest, statistics_node, schema, validate, store_node, scored, train, gate, check, push],
    )
