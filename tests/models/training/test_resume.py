"""A killed training goes on as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.training.history import SERIES
from models.windows.store import SeriesStore
from tests.models.training.conftest import Ear
from tests.models.training.fitted import RESUMED, fit

ROOT = Path(__file__).parents[3]


def test_a_run_killed_in_mid_training_ends_as_an_uninterrupted_one(
    store: SeriesStore, tmp_path: Path, ear: Ear
) -> None:
    killed = subprocess.run(
        [sys.executable, "-m", "tests.models.training.fitted", str(tmp_path / "killed")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    assert [p.name for p in (tmp_path / "killed").iterdir()] == ["epoch-000002"]

    whole, network = fit(store, RESUMED, tmp_path / "whole", Ear())
    again, continued = fit(store, RESUMED, tmp_path / "killed", ear)
    assert (whole.resumed_after, again.resumed_after) == (0, 2)
    assert len(set(whole.epochs["learning_rate"])) > 2, "the plateau should have state to keep"
    for name in SERIES:
        if name != "seconds":
            assert again.epochs[name] == whole.epochs[name], name
    assert (again.best_epoch, again.stopped) == (whole.best_epoch, whole.stopped)
    assert [flow["epoch"] for flow in whole.gradient_flow] == [1, whole.epochs_run]
    assert again.gradient_flow == whole.gradient_flow
    for a, b in zip(continued.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    # A new tracking run hears of the epochs of the killed one, too.
    assert [step for step, _ in ear.epochs] == list(range(1, again.epochs_run + 1))
    assert "gradient_reach" in ear.epochs[0][1]

    changed = RESUMED.model_copy(update={"epochs": 1, "learning_rate": 0.02})
    fresh, _ = fit(store, changed, tmp_path / "killed", ear)
    assert fresh.resumed_after == 0
    assert any("another configuration" in text for text in ear.warnings)


@pytest.mark.slow
def test_two_devices_give_the_numbers_of_one() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.models.training.fitted", "mirrored"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    import json

    one, two = json.loads(done.stdout.splitlines()[-1])
    assert (one["devices"], two["devices"]) == (1, 2)
    assert one["epochs"]["clipped_share"][0] > 0
    for name in set(SERIES) - {"seconds"}:
        np.testing.assert_allclose(two["epochs"][name], one["epochs"][name], rtol=1e-4)
    for a, b in zip(one["weights"], two["weights"], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
