"""`elman predict`: forecasts for every series of a file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from models.errors import BadInputError
from models.export.engines import ONNX_FILE
from pipeline.cli.quiet_tensorflow import quiet_tensorflow

if TYPE_CHECKING:
    from components.predict.predict import Model, PredictReport
    from pipeline.config import LoadedConfig

_FILE = click.Path(path_type=Path)
_LOAD_SECONDS = 600.0
_REMOTE = ("model", "label", "token_file", "ca", "cert", "key", "timeout", "retries")


@click.command()
@click.argument("config", type=_FILE)
@click.option("--input", "pattern", required=True, help="File or glob: CSV(.gz), Parquet, JSONL.")
@click.option(
    "--output", type=_FILE, help="CSV(.gz) or Parquet, by its ending; else CSV on standard output."
)
@click.option(
    "--origins",
    default="last",
    show_default=True,
    type=click.Choice(["last", "all"]),
    help="One forecast per series, from its last target; or from every origin (window.stride).",
)
@click.option("--version", type=click.IntRange(0), help="Of the model; by default the live one.")
@click.option(
    "--skip-short",
    is_flag=True,
    help="Leave out series without enough usable history (or future covariates).",
)
@click.option(
    "--batch-size", default=256, show_default=True, type=click.IntRange(1), help="Windows per call."
)
@click.option("--endpoint", help="Ask a server: http(s)://host:port or grpc(s)://host:port.")
@click.option("--model", help="Its name on the server; by default that of the configuration.")
@click.option("--label", help="Use the version with this label on the server.")
@click.option("--token-file", type=_FILE, help="Holds the server's bearer token.")
@click.option("--ca", type=_FILE, help="Certificate of the authority behind the server's, PEM.")
@click.option("--cert", type=_FILE, help="Own certificate, where the server asks for one, PEM.")
@click.option("--key", type=_FILE, help="Its private key, PEM.")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), help="Seconds per request.")
@click.option("--retries", type=click.IntRange(0), help="Times a request is sent again at most.")
@click.option(
    "--probabilities", is_flag=True, help="Sequences: also a column for each class's probability."
)
@click.option("--json", "json_output", is_flag=True, help="Print the report as JSON.")
def predict(config: Path, *, json_output: bool, **given: Any) -> None:
    """Forecast every series of the input with the live model, or through a server.

    The input has the columns of the training data; future covariates come as rows after the last
    target. Models of sequences label every sequence of the input, which needs no labels. The output
    appears when it is whole. The bearer token may also be in the environment, as
    ELMAN_SERVING_TOKEN.
    """
    from pipeline.config import SequenceConfig, load

    loaded = load(config)
    output: Path | None = given["output"]
    if json_output and output is None:
        raise BadInputError("--json needs --output: the forecasts are on the standard output")
    if isinstance(loaded.config, SequenceConfig):
        from pipeline.cli.predict_sequences import predict_sequences

        predict_sequences(loaded, loaded.config, given, json_output=json_output)
        return
    if given["probabilities"]:
        raise BadInputError("--probabilities is for tasks over sequences, not for forecasts")
    if given["endpoint"] is None:
        quiet_tensorflow()
    from components.predict.predict import predict as run
    from pipeline.cli.predict_progress import bar

    with _model(loaded, given) as (model, called), bar() as progress:
        if model.recipe.carries_state:
            click.echo(
                f"Warning: {called} was trained with truncated BPTT and scored on series read "
                "from their start; these forecasts are from one window each and may be worse "
                "than the gate's numbers. Stream the series (docs/client.md) for those.",
                err=True,
            )
        report = run(
            loaded.forecast.data,
            model,
            given["pattern"],
            output,
            origins=given["origins"],
            skip=given["skip_short"],
            batch_size=given["batch_size"],
            progress=progress,
        )
    if json_output:
        click.echo(json.dumps({"model": called, **report.model_dump(mode="json")}, indent=1))
    else:
        click.echo(_told(report, called, output), err=True)


@contextmanager
def _model(loaded: LoadedConfig, given: dict[str, Any]) -> Iterator[tuple[Model, str]]:
    """What makes the forecasts, and its name for people."""
    if given["endpoint"] is None:
        alone = [name for name in _REMOTE if given[name] is not None]
        if alone:
            raise BadInputError(f"--{alone[0].replace('_', '-')} is for --endpoint; give that too")
        from components.predict.champion import Champion

        champion = Champion(loaded.serving_directory, given["version"])
        called = f"version {champion.version}"
        if loaded.config.serving.engine == "onnx":
            if not (champion.folder / ONNX_FILE).is_file():
                click.echo(f"{called} has no {ONNX_FILE}: TensorFlow runs it.", err=True)
                yield champion, called
                return
            with _by_onnx(loaded, champion.version) as model:
                yield model, called
            return
        yield champion, called
        return
    from serving.client import ForecastClient, Tls

    options = {name: given[name] for name in ("timeout", "retries") if given[name] is not None}
    files = [given[name] for name in ("ca", "cert", "key")]
    with ForecastClient(
        given["endpoint"],
        given["model"] or loaded.config.name,
        version=given["version"],
        label=given["label"],
        token=_token(given["token_file"]),
        tls=Tls(*files) if any(files) else None,
        **options,
    ) as client:
        pinned = client.pinned()
        yield pinned, pinned.described.called


@contextmanager
def _by_onnx(loaded: LoadedConfig, version: int) -> Iterator[Model]:
    """A pushed version in this process, its windows run by ONNX Runtime if it brings `model.onnx`.

    Raises:
        BadInputError: If the package is missing.
    """
    from serving.client import ForecastClient

    folder = loaded.serving_directory.absolute()
    with ForecastClient(
        folder.as_uri(), loaded.config.name, version=version, engine="onnx", timeout=_LOAD_SECONDS
    ) as client:
        yield client.pinned()


def _token(file: Path | None) -> str | None:
    from serving.server.errors import StartError
    from serving.server.token import read_token

    try:
        return read_token(file, os.environ)
    except StartError as error:
        raise BadInputError(str(error)) from None


def _told(report: PredictReport, called: str, output: Path | None) -> str:
    made = report.series - sum(report.skipped.values())
    text = (
        f"{report.forecasts} forecast{'' if report.forecasts == 1 else 's'} of {made} series by "
        f"{called}"
    )
    if output is not None:
        text += f" {'is' if report.forecasts == 1 else 'are'} in {output}"
    lines = [f"{text}."]
    if report.skipped:
        kinds = ", ".join(f"{kind} {number}" for kind, number in report.skipped.items())
        lines.append(f"Left out: {sum(report.skipped.values())} series ({kinds}).")
    if report.dropped:
        rows = ", ".join(f"{reason} {number}" for reason, number in report.dropped.items())
        lines.append(f"Dropped: {sum(report.dropped.values())} of {report.rows} rows ({rows}).")
    return "\n".join(lines)
