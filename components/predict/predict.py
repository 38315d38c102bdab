"""`predict`: forecasts for every series of input files, written as they are made."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from components.ingest.config import DataConfig
from components.predict.plan import Plan
from components.predict.rows import StagedRows, staged
from components.predict.sink import Sink, Stream, output_kind
from components.predict.table import ForecastTable
from models.errors import BadInputError
from models.export.feed import Feed
from models.history.batches import Batch, Pool
from models.history.recipe import WindowRecipe
from models.history.refusal import Refusal
from models.history.series import Origins, SeriesHistory
from models.section import Section

BATCH = 256
"""Windows in one call of the model, unless told otherwise."""


class Model(Protocol):
    """What makes forecasts: a SavedModel, or a server."""

    @property
    def recipe(self) -> WindowRecipe:
        """How its windows are made."""

    def forecast(self, feed: Feed) -> npt.NDArray[np.float32]:
        """Forecasts float32 [windows, horizon, targets] from inputs by column."""


class Progress(Protocol):
    """Hears how far it is."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A stage begins, of `total` forecasts if that is what it makes."""

    def advance(self, windows: int) -> None:
        """So many more forecasts are made."""


class Silent:
    """Shows nothing."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Shows nothing."""

    def advance(self, windows: int) -> None:
        """Shows nothing."""


class PredictReport(Section):
    """What was made of the input.

    Attributes:
        rows: Records read.
        dropped: Bad rows dropped, by reason.
        duplicates: Rows dropped because another says the same.
        series: Series in the input.
        skipped: Series left out, by why they cannot be forecast.
        forecasts: Windows forecast.
    """

    rows: int
    dropped: dict[str, int]
    duplicates: int
    series: int
    skipped: dict[str, int]
    forecasts: int


def predict(
    data: DataConfig,
    model: Model,
    pattern: str,
    output: Path | None,
    *,
    origins: Origins = "last",
    skip: bool = False,
    batch_size: int = BATCH,
    progress: Progress | None = None,
) -> PredictReport:
    """Forecasts every series of the input.

    The input is staged in DuckDB, out of core, and read twice in the order of series and time:
    once to see that every series can be forecast, and once to forecast. Memory holds a block of
    rows, what one series needs of its past, and `batch_size` windows.

    Args:
        data: How the input is read.
        model: What makes the forecasts.
        pattern: Path or glob of the input.
        output: CSV or Parquet by its ending; replaced in one step when all is written. None: CSV
            on the standard output.
        origins: Where forecasts begin.
        skip: Whether series that cannot be forecast are left out, or refuse the input.
        batch_size: Windows in one call of the model.
        progress: Hears how far it is.

    Raises:
        BadInputError: If the input cannot be used; then `output` is as it was before.
    """
    shown = progress or Silent()
    recipe = _named(model.recipe, data)
    with workspace(output, pattern) as work:
        shown.stage("reading")
        with staged(data, recipe, pattern, work) as rows:
            rows.settle()
            shown.stage("checking")
            plan = Plan.of(rows, origins)
            plan.refuse(skip=skip)
            shown.stage("forecasting", plan.windows)
            table = ForecastTable(recipe, series=data.series is not None)
            dates = recipe.step.is_date and plan.midnight
            target = (
                Stream(sys.stdout.buffer, dates=dates)
                if output is None
                else Sink(output, work, dates=dates)
            )
            with target as sink:
                for batch in _batches(rows, plan.origins, batch_size):
                    sink.write(table.table(batch, model.forecast(batch.feed)))
                    shown.advance(len(batch))
            return PredictReport(
                rows=rows.rows,
                dropped=rows.bad.by_reason(),
                duplicates=rows.duplicates,
                series=plan.series,
                skipped=dict(plan.refused),
                forecasts=plan.windows,
            )


def _batches(rows: StagedRows, origins: Origins, size: int) -> Iterator[Batch]:
    pool = Pool(rows.recipe, size)
    for one in rows.series():
        history = SeriesHistory(rows.recipe, one.series, origins)
        for block in one.blocks:
            yield from pool.add(history.add(*block), one.static)
        rest = history.finish()
        if not isinstance(rest, Refusal):
            yield from pool.add(rest, one.static)
    yield from pool.flush()


def _named(recipe: WindowRecipe, data: DataConfig) -> WindowRecipe:
    """The recipe with the names of the time and series columns as the input has them."""
    names = {"time": data.time, "series": data.series}
    return replace(recipe, data=recipe.data.model_copy(update=names))


@contextmanager
def workspace(output: Path | None, pattern: str) -> Iterator[Path]:
    """A folder beside the output (so that a rename is one step), removed in the end."""
    make: Callable[[], str] = tempfile.mkdtemp
    if output is not None:
        output_kind(output)
        if output.is_dir():
            raise BadInputError(f"--output {output} is a folder; name a file")
        if not output.parent.is_dir():
            raise BadInputError(f"--output {output}: there is no folder {output.parent}")
        if Path(pattern).expanduser().resolve() == output.resolve():
            raise BadInputError(f"--output {output} is the input; give another file")

        def make() -> str:
            return tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent)

    work = Path(make())
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
