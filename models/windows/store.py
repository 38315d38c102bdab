"""`SeriesStore`: contiguous arrays of all series, on disk, memory-mapped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from models.errors import FailedRunError
from models.roles import Roles
from models.windows.gaps import Fill
from models.windows.spec import WindowSpec
from models.windows.view import WindowView

FORMAT = 1
MARKER = "store.json"
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class SeriesStore:
    """All series end to end in one array, cut into segments, with the origins of every split.

    A segment is a stretch of one series without a hole (short holes are filled before). Rows of a
    segment are consecutive steps; no window reaches across two segments.

    Attributes:
        spec: The window definition.
        roles: The columns by role; `roles.dynamic` orders the columns of `values`.
        frequency: Step as a pandas offset alias.
        values: float32 `[rows, columns]`, natural units, filled where a short hole was; nan never.
        observed: bool `[rows, columns]`, false where a value was filled.
        time: int64 `[rows]`, Unix seconds UTC.
        segments: int64 `[segments, 3]`: index of the series, first row, rows.
        series: Series ids, sorted.
        static: By static covariate, one value (float or str) per series.
        origins: By split, int64 `[windows]`: the row of each window's last input step, ascending.
        boundaries: Unix seconds at which `train` starts, `validation` starts, `test` starts, and
            the first second after `test`.
        fill: How holes were filled; with `linear`, views hold back what they must not see.
        means: With `fill: mean`, by series what each column was filled with: the mean of its train
            values, None where it has none. Empty otherwise.
    """

    spec: WindowSpec
    roles: Roles
    frequency: str
    values: npt.NDArray[np.float32]
    observed: npt.NDArray[np.bool_]
    time: npt.NDArray[np.int64]
    segments: npt.NDArray[np.int64]
    series: tuple[str, ...]
    static: Mapping[str, tuple[Any, ...]]
    origins: Mapping[str, npt.NDArray[np.int64]]
    boundaries: tuple[int, int, int, int]
    fill: Fill = "linear"
    means: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)

    def view(self, split: str) -> WindowView:
        """The windows of one split (`train`, `validation` or `test`), as a view."""
        return WindowView(self, self.origins[split])

    def series_of(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Index into `series` of each of `rows`."""
        position = np.searchsorted(self.segments[:, 1], rows, side="right") - 1
        series: npt.NDArray[np.int64] = self.segments[position, 0]
        return series

    def first_of(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """First row of the segment of each of `rows`."""
        starts = np.asarray(self.segments[:, 1])
        first: npt.NDArray[np.int64] = starts[np.searchsorted(starts, rows, side="right") - 1]
        return first

    def save(self, folder: Path) -> None:
        """Writes the store into `folder` (made if missing); `store.json` is written last."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKER).unlink(missing_ok=True)
        for name in ("values", "observed", "time", "segments"):
            np.save(folder / f"{name}.npy", np.ascontiguousarray(getattr(self, name)))
        for split, rows in self.origins.items():
            np.save(folder / f"origins-{split}.npy", rows)
        self.save_marker(folder)

    def save_marker(self, folder: Path) -> None:
        """Writes `store.json` beside arrays that are already in `folder`."""
        meta = {
            "format": FORMAT,
            "spec": self.spec.model_dump(mode="json"),
            "roles": self.roles.model_dump(mode="json"),
            "frequency": self.frequency,
            "series": list(self.series),
            "static": {k: list(v) for k, v in self.static.items()},
            "splits": list(self.origins),
            "boundaries": list(self.boundaries),
            "fill": self.fill,
            "means": {k: list(v) for k, v in self.means.items()},
        }
        part = folder / f"{MARKER}.part"
        part.write_text(json.dumps(meta, indent=1) + "\n")
        part.replace(folder / MARKER)

    @classmethod
    def load(cls, folder: Path) -> SeriesStore:
        """The store saved in `folder`; arrays are memory-mapped, read-only.

        Raises:
            FailedRunError: If `folder` holds no finished store, or one of another format.
        """
        try:
            meta = json.loads((folder / MARKER).read_text())
        except FileNotFoundError:
            raise FailedRunError(
                f"{folder} holds no finished window store ({MARKER} is missing): run the pipeline "
                "again"
            ) from None
        if meta["format"] != FORMAT:
            raise FailedRunError(
                f"{folder}: window store of format {meta['format']}, expected {FORMAT}: run the "
                "pipeline again"
            )

        def array(name: str) -> Any:
            return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)

        return cls(
            spec=WindowSpec.model_validate(meta["spec"]),
            roles=Roles.model_validate(meta["roles"]),
            frequency=meta["frequency"],
            values=array("values"),
            observed=array("observed"),
            time=array("time"),
            segments=array("segments"),
            series=tuple(meta["series"]),
            static={k: tuple(v) for k, v in meta["static"].items()},
            origins={split: array(f"origins-{split}") for split in meta["splits"]},
            boundaries=cast(tuple[int, int, int, int], tuple(meta["boundaries"])),
            fill=meta["fill"],
            means={k: tuple(v) for k, v in meta.get("means", {}).items()},
        )
