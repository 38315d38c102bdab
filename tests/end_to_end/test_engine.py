"""A run with another engine: its file is written, checked, pushed, and makes the forecasts."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from pipeline.cli.main import cli
from tests.end_to_end.small_pipeline import versions, write_config, write_data

# In short: tests of the export, of the serving check, and of `elman predict`.
pytestmark = [pytest.mark.end_to_end, pytest.mark.nightly]


def test_what_onnx_runs_is_what_was_checked_and_pushed(tmp_path: Path) -> None:
    from pipeline.config import load
    from pipeline.runner.run import run_pipeline

    write_data(tmp_path, value=lambda table: table.iloc[-700:])
    config = write_config(tmp_path, serving={"engine": "onnx"}, train__epochs=2)
    result = run_pipeline(load(config), terminal=io.StringIO())
    assert result.blessed, result.summary
    (version,) = versions(tmp_path)
    model = tmp_path / "work" / "serving" / "co2" / str(version)
    assert (model / "model.onnx").is_file()
    reports = list((tmp_path / "work").rglob("check.json"))
    checks = {c["name"]: c["passed"] for c in json.loads(reports[0].read_text())["checks"]}
    assert checks["model.onnx, batch 1: co2 values"]
    answers = {}
    for engine in ("onnx", "tensorflow"):
        write_config(tmp_path, serving={"engine": engine}, train__epochs=2)
        out = tmp_path / f"{engine}.csv"
        done = CliRunner().invoke(
            cli,
            ["predict", str(config), "--input", str(tmp_path / "co2.csv"), "--output", str(out)],
        )
        assert done.exit_code == 0, done.stderr
        answers[engine] = pd.read_csv(out)
    pd.testing.assert_frame_equal(answers["onnx"], answers["tensorflow"], rtol=1e-5)
