"""A commented configuration file for a table that was looked at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import yaml

from components.ingest.infer import Guess
from pipeline.cli.suggest import Suggestion
from pipeline.config.document import ConfigDumper

COLUMN = 26
"""Where comments begin."""


def template(name: str, path: str, guess: Guess, made: Suggestion) -> str:
    """The text of a configuration, with a word on why each setting is what it is.

    Args:
        name: Of the pipeline.
        path: Of the data, relative to where the configuration will be.
        guess: What the table seems to be.
        made: The settings for it.
    """
    season = (
        f"the season is {made.season} steps"
        if made.season > 1
        else "no season is known for this step"
    )
    # Targets of different sizes are compared in standard deviations, or the largest decides alone.
    metric = "mae_scaled" if len(guess.targets) > 1 else "mae"
    time_format = None if guess.time.time_format == "iso" else guess.time.time_format
    lines: list[str | tuple[str, str]] = [
        f"# {name}: forecast of {_listed(guess.targets)}, {made.horizon} steps of "
        f"{guess.frequency.alias} ahead.",
        f"# Written by elman init from {guess.rows:,} rows, {guess.series_count:,} series, "
        f"{_day(guess.first)} to {_day(guess.last)}.",
        "# Look it over, then: elman check, elman run. Paths are relative to this file.",
        "",
        (f"name: {_value(name)}", "names folders and the served model"),
        (f"workspace: {_value('./workspace')}", "all state: artifacts, runs, versions"),
        "",
        "data:",
        (f"  path: {_value(path)}", "file or glob; CSV(.gz), Parquet, JSON lines"),
        f"  time: {_value(guess.time.name)}",
        _time_format(time_format),
        ("  timezone: UTC", "of time stamps without an offset"),
        (f"  series: {_value(guess.series.name if guess.series else None)}", _series(guess)),
        (f"  frequency: {guess.frequency.alias}", f"step, a pandas offset alias; {season}"),
        (f"  gaps: {{max: {made.gaps}, fill: linear}}", _gaps(guess)),
        ("  on_bad_rows: fail", "or drop: leaves out and counts rows that cannot be used"),
        "",
        "task: forecast",
        "# Columns to forecast. Move one to covariates if it only helps the others.",
        f"targets: {_value(list(guess.targets))}",
        *_left_out(guess),
        "covariates:",
        ("  past: []", "known up to the forecast origin"),
        ("  future: []", "known ahead: holidays, prices, weather forecasts"),
        (f"  static: {_value(list(guess.static))}", "one value per series"),
        (f"  calendar: {_value(list(made.calendar))}", "computed from the time"),
        "",
        "# Time is split before windows: train, then validation, then test. No label crosses.",
        "split: {by: time, validation: 0.15, test: 0.15}",
        "",
        f"# Steps of {guess.frequency.alias}: how much past the model sees, how far it forecasts.",
        f"window: {{lookback: {made.lookback}, horizon: {made.horizon}, stride: 1, gap: 0}}",
        "",
        "model:",
        ("  cell: lstm", "or gru, simple_rnn, second_order"),
        ("  units: [64]", "a number per layer"),
        "  dropout: 0.0",
        ("  normalize: window", "forecasts changes from the last value; or standard, none"),
        (
            "  shortcut: true",
            "adds a linear forecast from the lookback: a strong start, AR is hard to beat",
        ),
        (
            f"  channels: {'shared' if len(guess.targets) > 1 else 'mixed'}",
            "shared: the same weights for each target; mixed: one network over all",
        ),
        "",
        "train:",
        ("  epochs: 40", "at most; stops early after `patience` epochs without gain"),
        "  batch_size: 64",
        "  learning_rate: 1.0e-3",
        ("  loss: mse", "or mae, huber"),
        ("  clip: {global_norm: 1.0}", "or norm, value: recurrent gradients can explode"),
        "  patience: 5",
        "  seed: 7",
        "",
        "# Scored on the same test windows in every run.",
        "baselines: {names: [naive, seasonal_naive, ar, ffnn], season: null}",
        "",
        "# A model is pushed only if it beats these baselines and the live model on the test data.",
        f"gate: {{metric: {metric}, beats: [seasonal_naive, ar], margin: 0.0, champion: true}}",
        "",
        ("serving: {keep: 3}", "versions kept for rollback, the live one included"),
        ("tracking: {uri: null, experiment: null}", "MLflow; null: sqlite in the workspace"),
    ]
    return "\n".join(_aligned(line) for line in lines) + "\n"


def _aligned(line: str | tuple[str, str]) -> str:
    """A line, or a setting with its comment in the comments' column."""
    if isinstance(line, str):
        return line
    setting, comment = line
    return f"{setting:<{COLUMN}} # {comment}"


def _value(value: Any) -> str:
    """`value` as YAML on one line."""
    text: str = yaml.dump(
        value, Dumper=ConfigDumper, default_flow_style=True, allow_unicode=True, width=10**6
    )
    return text.removesuffix("...\n").rstrip("\n")


def _time_format(format_: str | None) -> tuple[str, str]:
    if format_ is None:
        return "  time_format: null", "ISO 8601; else a strptime format, or s, ms, us, ns"
    return f"  time_format: {_value(format_)}", "how the time stamps are written"


def _series(guess: Guess) -> str:
    if guess.series is None:
        return "one series; else the column of series ids"
    return f"column of series ids: {guess.series_count:,} series"


def _gaps(guess: Guess) -> str:
    if not guess.holes:
        return "no steps are missing; longer holes than max split a series"
    return (
        f"{guess.missing_steps:,} steps are missing in {guess.holes:,} holes, the longest "
        f"{guess.longest_hole:,}; longer holes than max split a series"
    )


def _left_out(guess: Guess) -> list[str]:
    if not guess.left_out:
        return []
    return [f"# Left out: {_plain(name)} ({reason})" for name, reason in guess.left_out]


def _listed(names: tuple[str, ...]) -> str:
    shown = [_plain(name) for name in names]
    return ", ".join(shown) if len(shown) <= 4 else f"{shown[0]} and {len(shown) - 1} more columns"


def _plain(name: str) -> str:
    """`name` as it may stand in a comment: no line breaks, no control characters."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(name.split())) or repr(name)


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
