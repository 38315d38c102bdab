"""The window stage against an enumeration of every window."""

from __future__ import annotations

import math
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.windows.build import build_store
from components.windows.report import WindowsReport
from models.errors import BadInputError
from models.roles import Covariates, Roles
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec
from models.windows.store import SPLITS, SeriesStore
from tests.components.windows import enumeration as reference
from tests.components.windows.example_files import write_examples

HOUR = 3600
EXAMPLES = int(os.environ.get("ELMAN_EXAMPLES", "120"))


@st.composite
def cases(draw: st.DrawFn) -> reference.Case:
    columns = draw(st.integers(1, 3))
    steps = draw(st.integers(8, 40))
    rows: set[tuple[str, int]] = set()
    cells: reference.Cells = {}
    for series in draw(st.sampled_from([["a"], ["a", "b"], ["a", "b", "c"]])):
        start = draw(st.integers(0, 6))
        missing = draw(st.sets(st.integers(0, steps - 1), max_size=draw(st.integers(0, 12))))
        blank = draw(
            st.sets(
                st.tuples(st.integers(0, steps - 1), st.integers(0, columns - 1)),
                max_size=draw(st.integers(0, 10)),
            )
        )
        for t in range(start, steps):
            if t in missing:
                continue
            rows.add((series, t))
            for c in range(columns):
                if (t, c) not in blank:
                    cells[series, t, c] = float(draw(st.integers(-50, 50)))
    borders = sorted(draw(st.sets(st.integers(1, steps + 2), min_size=3, max_size=3)))
    return reference.Case(
        cells=cells,
        rows=frozenset(rows),
        columns=columns,
        targets=draw(st.integers(1, columns)),
        lookback=draw(st.integers(1, 5)),
        horizon=draw(st.integers(1, 4)),
        stride=draw(st.integers(1, 4)),
        gap=draw(st.integers(0, 2)),
        longest=draw(st.integers(0, 4)),
        kind=draw(st.sampled_from(["linear", "previous", "mean"])),
        borders=(0, *borders),
    )


def roles_of(case: reference.Case) -> Roles:
    names = tuple(f"y{c}" for c in range(case.columns))
    return Roles(targets=names[: case.targets], covariates=Covariates(past=names[case.targets :]))


def build(case: reference.Case, folder: Path, **options: Any) -> WindowsReport:
    rows = [
        {"series": s, "time": t * HOUR}
        | {f"y{c}": case.cells.get((s, t, c)) for c in range(case.columns)}
        for s, t in case.rows
    ]
    borders = tuple(b * HOUR for b in case.borders)
    options["types"] = {f"y{c}": pa.float64() for c in range(case.columns)}
    write_examples(folder / "examples", rows, borders, **options)
    return build_store(
        folder / "examples",
        borders,
        WindowSpec(lookback=case.lookback, horizon=case.horizon, stride=case.stride, gap=case.gap),
        roles_of(case),
        GapsConfig(max=case.longest, fill=case.kind),
        "h",
        folder / "store",
    )


def check(case: reference.Case, expected: dict[str, list[reference.Window]], folder: Path) -> None:
    report = build(case, folder, row_group=7)
    store = SeriesStore.load(folder / "store")
    assert report.windows == {s: len(w) for s, w in expected.items()}
    assert np.isfinite(store.values).all()
    names = store.roles.dynamic
    for split in SPLITS:
        view = store.view(split)
        batch, rows = view.gather(), np.asarray(view.origins)
        assert (np.diff(rows) > 0).all()
        got = [(store.series[s], t // HOUR) for s, t in zip(batch.series, batch.time, strict=True)]
        assert got == [(w.series, w.origin) for w in expected[split]]
        for i, window in enumerate(expected[split]):
            past = np.stack([batch.past[n][i] for n in names], axis=-1)
            np.testing.assert_allclose(past, [[v for v, _ in u] for u in window.past], rtol=1e-6)
            back = rows[i] + np.arange(1 - case.lookback, 1)
            assert store.observed[back].tolist() == [[o for _, o in u] for u in window.past]
            wanted = [[math.nan if v is None else v for v in u] for u in window.labels]
            np.testing.assert_array_equal(batch.labels[i], np.asarray(wanted, np.float32))
    cells = int((~store.observed).sum())
    assert report.filled_cells == cells
    assert report.segments == len(store.segments)
    assert report.rows == len(store.values)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_the_windows_are_those_of_the_enumeration(case: reference.Case) -> None:
    expected = reference.windows(case)
    with TemporaryDirectory() as name:
        folder = Path(name)
        empty = [s for s in SPLITS if not expected[s]]
        if not empty:
            check(case, expected, folder)
            return
        with pytest.raises(BadInputError, match=f"the {empty[0]} split gets no window"):
            build(case, folder)
        assert not any((folder / "store").iterdir())


@settings(max_examples=EXAMPLES // 2, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_long_series_with_windows_in_every_split(data: st.DataObject) -> None:
    steps = 90
    seed = data.draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    columns = data.draw(st.integers(1, 3))
    cells, rows = {}, set()
    for series in ("a", "b"):
        present = random.random(steps) > data.draw(st.sampled_from([0.0, 0.02, 0.1]))
        known = random.random((steps, columns)) > data.draw(st.sampled_from([0.0, 0.02, 0.1]))
        for t in np.flatnonzero(present):
            rows.add((series, int(t)))
            for c in np.flatnonzero(known[t]):
                cells[series, int(t), int(c)] = float(np.float32(random.normal()))
    case = reference.Case(
        cells=cells,
        rows=frozenset(rows),
        columns=columns,
        targets=data.draw(st.integers(1, columns)),
        lookback=data.draw(st.integers(1, 6)),
        horizon=data.draw(st.integers(1, 4)),
        stride=data.draw(st.integers(1, 3)),
        gap=data.draw(st.integers(0, 2)),
        longest=data.draw(st.integers(2, 6)),
        kind=data.draw(st.sampled_from(["linear", "previous", "mean"])),
        borders=(0, 40, 65, 85),
    )
    expected = reference.windows(case)
    if all(expected.values()):
        with TemporaryDirectory() as name:
            check(case, expected, Path(name))
