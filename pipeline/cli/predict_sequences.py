"""`elman predict` for tasks over whole sequences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from models.errors import BadInputError
from pipeline.cli.quiet_tensorflow import quiet_tensorflow
from pipeline.config import LoadedConfig, SequenceConfig


def predict_sequences(
    loaded: LoadedConfig, config: SequenceConfig, given: dict[str, Any], *, json_output: bool
) -> None:
    """Labels every sequence of the input with a pushed model, in this process.

    Args:
        loaded: Where the model is.
        config: How the input is read.
        given: The options of `elman predict` by their names.
        json_output: Whether the report is printed as JSON.

    Raises:
        BadInputError: If an option is for forecasts, there is no model, or the input cannot be
            used.
    """
    for option, at_rest in (("endpoint", None), ("origins", "last"), ("skip_short", False)):
        if given[option] != at_rest:
            raise BadInputError(
                f"--{option.replace('_', '-')} is for forecasts. A served model of sequences takes "
                "raw values over REST and gRPC, see docs/tasks.md"
            )
    quiet_tensorflow()
    from components.predict.champion import version_folder
    from components.predict.sequences import predict_sequences as run
    from models.sequences.export.loaded import LoadedSequenceModel
    from pipeline.cli.predict_progress import bar

    version, folder = version_folder(loaded.serving_directory, given["version"])
    output: Path | None = given["output"]
    with bar() as progress:
        report = run(
            config.data,
            LoadedSequenceModel(folder),
            given["pattern"],
            output,
            probabilities=given["probabilities"],
            batch_size=given["batch_size"],
            progress=progress,
        )
    if json_output:
        found = {"model": f"version {version}", **report.model_dump(mode="json")}
        click.echo(json.dumps(found, indent=1))
        return
    where = "" if output is None else f" in {output}"
    told = f"{report.labels} labels of {report.sequences} sequences by version {version}{where}."
    lines = [told]
    if report.left_out:
        lines.append(f"Left out: {report.left_out} sequences with bad rows.")
    if report.dropped:
        rows = ", ".join(f"{reason} {number}" for reason, number in report.dropped.items())
        lines.append(f"Dropped: {sum(report.dropped.values())} of {report.rows} rows ({rows}).")
    click.echo("\n".join(lines), err=True)
