"""Small tables with holes, for tests of windows of raw history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from hypothesis import strategies as st

from components.windows.build import build_store
from models.errors import BadInputError
from models.frequency import Frequency
from models.history.recipe import DataDescription, RawData, WindowRecipe
from models.roles import OBSERVED, Covariates, Roles
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore
from tests.components.windows.example_files import write_examples

START = 1_000_000_800
HOUR = 3600


@dataclass(frozen=True)
class Table:
    """Hourly series with missing rows and cells.

    Attributes:
        steps: By series, int64 `[rows]`, ascending hours.
        values: By series, float32 `[rows, columns]`, nan where missing.
        roles: The columns; the static ones are called `area` and `kind`.
        spec: The window.
        gaps: What is done about holes.
        borders: Hours at which the splits begin and the last ends.
    """

    steps: dict[str, npt.NDArray[np.int64]]
    values: dict[str, npt.NDArray[np.float32]]
    roles: Roles
    spec: WindowSpec
    gaps: GapsConfig
    borders: tuple[int, ...]

    def time(self, series: str) -> npt.NDArray[np.int64]:
        """Unix seconds of the rows of a series."""
        return START + HOUR * self.steps[series]

    def static(self, series: str) -> dict[str, Any]:
        """Static covariates of a series."""
        number = sorted(self.steps).index(series)
        values = {"area": np.float32(number + 0.5), "kind": f"kind {number % 2}"}
        return {name: values[name] for name in self.roles.covariates.static}

    @property
    def boundaries(self) -> tuple[int, int, int, int]:
        """Unix seconds of `borders`."""
        a, b, c, d = (START + HOUR * hour for hour in self.borders)
        return a, b, c, d

    def store(self, folder: Path) -> SeriesStore | None:
        """The windows of training; None if a split gets none."""
        rows = []
        for series, steps in self.steps.items():
            names = self.roles.dynamic
            for i in range(len(steps)):
                row: dict[str, Any] = {"series": series, "time": int(self.time(series)[i])}
                row |= {
                    n: None if np.isnan(v) else float(v)
                    for n, v in zip(names, self.values[series][i], strict=True)
                }
                row |= self.static(series)
                rows.append(row)
        types = {n: pa.float32() for n in (*self.roles.dynamic, "area")}
        if "kind" in self.roles.covariates.static:
            types["kind"] = pa.binary()
        types = {n: t for n, t in types.items() if n in rows[0]}
        write_examples(folder / "examples", rows, self.boundaries, types=types)
        try:
            build_store(
                folder / "examples",
                self.boundaries,
                self.spec,
                self.roles,
                self.gaps,
                "h",
                folder / "store",
            )
        except BadInputError:
            return None
        return SeriesStore.load(folder / "store")

    def recipe(self, store: SeriesStore | None = None) -> WindowRecipe:
        """What a model trained on `store` says about its windows."""
        raw = RawData(time="when", series="id", gaps=self.gaps)
        return WindowRecipe(
            spec=self.spec,
            roles=self.roles,
            step=Frequency.parse("h"),
            text=tuple(n for n in self.roles.covariates.static if n == "kind"),
            data=(
                DataDescription(**dict(raw), boundaries=self.boundaries)
                if store is None
                else DataDescription.of(raw, store)
            ),
        )


ROLES = (
    Roles(targets=("y",)),
    Roles(targets=("y", "z"), covariates=Covariates(past=(OBSERVED,))),
    Roles(targets=("y",), covariates=Covariates(past=("p", OBSERVED), future=("f",))),
    Roles(
        targets=("y", "z"),
        covariates=Covariates(
            past=("p",), future=("f", "g"), static=("area", "kind"), calendar=("hour_of_day",)
        ),
    ),
)


@st.composite
def tables(draw: st.DrawFn, kinds: Sequence[Roles] = ROLES) -> Table:
    """Tables with all kinds of holes, columns and fills."""
    roles = draw(st.sampled_from(kinds))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(20, 70))
    steps, values = {}, {}
    for series in draw(st.sampled_from([("a",), ("a", "b"), ("a", "b", "c")])):
        begin = draw(st.integers(0, 5))
        present = random.random(count) >= draw(st.sampled_from([0.0, 0.05, 0.2]))
        present[draw(st.integers(0, count)) :][: draw(st.integers(0, 8))] = False
        present[begin] = True
        kept = begin + np.flatnonzero(present[begin:])
        cells = random.normal(size=(len(kept), len(roles.dynamic))).astype(np.float32)
        cells[random.random(cells.shape) < draw(st.sampled_from([0.0, 0.05, 0.3]))] = np.nan
        steps[series], values[series] = kept, cells
    first, second = sorted(draw(st.sets(st.integers(5, count), min_size=2, max_size=2)))
    return Table(
        steps=steps,
        values=values,
        roles=roles,
        spec=WindowSpec(
            lookback=draw(st.integers(1, 6)),
            horizon=draw(st.integers(1, 4)),
            stride=draw(st.integers(1, 3)),
            gap=draw(st.integers(0, 2)),
        ),
        gaps=GapsConfig(
            max=draw(st.integers(0, 4)),
            fill=draw(st.sampled_from(["linear", "previous", "mean"])),
        ),
        borders=(0, first, second, draw(st.integers(second + 1, count + 3))),
    )
