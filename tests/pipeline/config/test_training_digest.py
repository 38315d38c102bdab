"""A model depends on data, windows, network and training, and on nothing else."""

from pathlib import Path

import pytest

from pipeline.config import loads

CONFIG = (Path(__file__).resolve().parents[3] / "examples" / "co2.yaml").read_text()


@pytest.mark.parametrize(
    "change",
    [
        ("margin: 0.0", "margin: 0.1"),
        ("keep: 3", "keep: 9"),
        ("experiment: null", "experiment: other"),
        ("name: co2", "name: other"),
    ],
)
def test_gate_serving_and_tracking_do_not_count(change: tuple[str, str]) -> None:
    other = CONFIG.replace(*change)
    assert other != CONFIG
    assert loads(other).config.training_digest == loads(CONFIG).config.training_digest
    assert loads(other).digest != loads(CONFIG).digest


@pytest.mark.parametrize(
    "change",
    [
        ("seed: 7", "seed: 8"),
        ("units: [64]", "units: [65]"),
        ("lookback: 104", "lookback: 103"),
        ("max: 8", "max: 7"),
        ("validation: 0.15", "validation: 0.16"),
        ("week_of_year", "month_of_year"),
    ],
)
def test_data_windows_network_and_training_do(change: tuple[str, str]) -> None:
    other = CONFIG.replace(*change)
    assert other != CONFIG
    assert loads(other).config.training_digest != loads(CONFIG).config.training_digest
