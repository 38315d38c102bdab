from __future__ import annotations

from tfx.types import Channel, standard_artifacts

from components.artifacts import Baselines, Windows
from components.sequence_backtest.component import SOURCES, sequence_backtest
from components.sequence_backtest.config import SequenceGateConfig
from components.sequence_backtest.settings import SequenceBacktestSettings
from components.source_digest import source_digest


def node(**settings):
    given = {"gate": SequenceGateConfig(), "champion": "", **settings}
    return sequence_backtest(
        Channel(type=standard_artifacts.Model),
        Channel(type=Windows),
        Channel(type=Baselines),
        **given,
    )


def test_the_node_puts_out_what_check_and_push_take():
    found = node()
    assert found.id == "backtest"
    types = {name: channel.type for name, channel in found.outputs.items()}
    assert types == {
        "evaluation": standard_artifacts.ModelEvaluation,
        "blessing": standard_artifacts.ModelBlessing,
        "winner": standard_artifacts.Model,
    }


def test_whatever_changes_the_verdict_is_a_parameter():
    gate = SequenceGateConfig(metric="macro_f1", bless="model")
    given = node(gate=gate, champion="{}", streaming=True).exec_properties
    settings = SequenceBacktestSettings.from_json(given["config"])
    assert settings == SequenceBacktestSettings(gate=gate, streaming=True)
    assert given["champion"] == "{}"
    assert given["source_digest"] == source_digest(*SOURCES)
