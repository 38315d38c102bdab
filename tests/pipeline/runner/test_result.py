"""What a person reads at the end of a run."""

import io
from typing import Any

from rich.console import Console

from pipeline.runner.result import RunResult, render


def result(**changes: Any) -> RunResult:
    base: dict[str, Any] = {
        "name": "co2",
        "run_id": "r",
        "data": {
            "start": "1958-03-29T00:00:00Z",
            "end": "2001-12-29T00:00:00Z",
            "rows": 2284,
            "dropped": 3,
            "series": 1,
            "frequency": "W-SAT",
            "digest": "d",
        },
        "windows": {"train": 1352, "validation": 331, "test": 330},
        "unit": "windows",
        "metric": "rmse",
        "higher_is_better": False,
        "shown": ("rmse", "mae", "mase", "skill"),
        "models": {
            "naive": {"mae": 1.6, "rmse": 2.0, "mase": 1.3, "skill": 0.03},
            "candidate": {"mae": 0.39, "rmse": 0.5, "mase": None, "skill": 0.76},
        },
        "blessed": True,
        "summary": "Blessed: rmse 0.5 beats naive 2 on 330 test windows.",
        "reasons": ["rmse 0.5 is below naive 2 (margin 0%)"],
        "push": {"pushed": True, "version": 7, "directory": "/long/" * 30, "reason": "pushed"},
        "live": 7,
        "mlflow_uri": "sqlite:///x",
        "mlflow_run_id": "abc",
        "nodes": [{"node": "ingest", "cached": True, "seconds": 0.1, "execution_id": 1}],
        "seconds": 61.0,
    }
    return RunResult.model_validate({**base, **changes})


def shown(value: RunResult) -> str:
    stream = io.StringIO()
    render(value, config="co2.yaml", console=Console(file=stream, width=80, highlight=False))
    return stream.getvalue()


def test_says_everything_a_person_asks_for() -> None:
    text = shown(result())
    for part in (
        "1958-03-29 to 2001-12-29",
        "2,284 rows, 1 series, 3 dropped",
        "train 1,352, validation 331, test 330",
        "1 of 1 components re-used",
        "RMSE (gate)",
        "Blessed: rmse 0.5 beats naive 2",
        "version 7 in /long/",
        "run abc in sqlite:///x",
        "elman ui co2.yaml",
    ):
        assert part in text, part


def test_the_best_model_by_the_gate_metric_stands_first() -> None:
    text = shown(result())
    assert text.index("candidate") < text.index("naive  ")


def test_a_long_path_stays_in_one_piece() -> None:
    assert "/long/" * 30 in shown(result())


def test_a_refused_model_is_told_with_what_serves_instead() -> None:
    push = {"pushed": False, "version": None, "directory": "d", "reason": "not blessed"}
    text = shown(
        result(
            blessed=False, summary="Not blessed: rmse 3 is not below naive 2.", push=push, live=5
        )
    )
    assert "Not blessed: rmse 3 is not below naive 2." in text
    assert "nothing: not blessed" in text
    assert "version 5" in text


def test_a_baseline_that_was_pushed_is_named() -> None:
    text = shown(result(winner="ar", summary="Blessed: the baseline ar, rmse 2; the network was."))
    assert "version 7 (the baseline ar) in /long/" in text
    assert "(the baseline" not in shown(result(winner="candidate"))


def test_json_round_trip() -> None:
    value = result()
    assert RunResult.from_json(value.model_dump_json()) == value


def test_a_held_run_shows_no_table_and_what_still_serves() -> None:
    nothing = {"pushed": False, "version": None, "directory": "/x", "reason": "nothing was trained"}
    text = shown(
        result(
            held=True,
            blessed=False,
            models={},
            summary="held: champion version 7 still holds",
            drift="held: champion version 7 still holds",
            push=nothing,
        )
    )
    assert "RMSE" not in text
    assert "held: champion version 7 still holds" in text
    assert text.count("still holds") == 1
    assert "nothing was trained" in text


def test_drift_has_a_line_of_its_own() -> None:
    assert "drift     no drift since champion version 7" in shown(
        result(drift="no drift since champion version 7")
    )
    assert "drift" not in shown(result())
