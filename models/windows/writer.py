"""`StoreWriter`: a store written segment by segment, so that memory does not grow with the data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.roles import Roles
from models.windows.gaps import Fill
from models.windows.origins import origins
from models.windows.spec import WindowSpec
from models.windows.store import MARKER, SPLITS, SeriesStore


class ArrayWriter:
    """Appends rows to a `.npy` file; the header gets its final length when the file is closed."""

    def __init__(self, path: Path, dtype: npt.DTypeLike, columns: int | None = None) -> None:
        self._dtype = np.dtype(dtype)
        self._tail = () if columns is None else (columns,)
        self._file = path.open("wb")
        self.rows = 0
        self._header()
        self._data = self._file.tell()

    def append(self, array: npt.NDArray[Any]) -> None:
        """Adds the rows of `array`."""
        assert array.shape[1:] == self._tail, (array.shape, self._tail)
        block = np.ascontiguousarray(array, self._dtype)
        self._file.write(block.data.cast("B") if block.size else b"")
        self.rows += len(block)

    def close(self) -> None:
        """Writes the header anew, with the number of rows, and closes the file."""
        self._file.seek(0)
        self._header()
        # NumPy pads headers so that the first axis may grow in place.
        assert self._file.tell() == self._data, "header has grown"
        self._file.close()

    def abandon(self) -> None:
        """Closes the file as it is."""
        self._file.close()

    def _header(self) -> None:
        np.lib.format.write_array_header_1_0(
            self._file,
            {
                "descr": np.lib.format.dtype_to_descr(self._dtype),
                "fortran_order": False,
                "shape": (self.rows, *self._tail),
            },
        )


class StoreWriter:
    """Writes a `SeriesStore` into a folder; `store.json`, the mark of a whole store, comes last.

    Args:
        folder: Where to; made if missing. A store already there stops being one at once.
        spec: The window definition.
        roles: The columns by role.
        frequency: Step as a pandas offset alias.
        boundaries: As in `SeriesStore`.
        fill: How holes are filled in the segments appended.
    """

    def __init__(
        self,
        folder: Path,
        spec: WindowSpec,
        roles: Roles,
        frequency: str,
        boundaries: tuple[int, int, int, int],
        fill: Fill,
    ) -> None:
        self._folder, self._spec, self._roles = folder, spec, roles
        self._frequency, self.boundaries, self._fill = frequency, boundaries, fill
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKER).unlink(missing_ok=True)
        width = len(roles.dynamic)
        self._values = ArrayWriter(folder / "values.npy", np.float32, width)
        self._observed = ArrayWriter(folder / "observed.npy", np.bool_, width)
        self._time = ArrayWriter(folder / "time.npy", np.int64)
        self._segments = ArrayWriter(folder / "segments.npy", np.int64, 3)
        # Of the segment being written: its first row, and how many of its steps lie before each
        # boundary.
        self._first, self._edges = 0, np.zeros(len(SPLITS) + 1, np.int64)
        self._origins = {s: ArrayWriter(folder / f"origins-{s}.npy", np.int64) for s in SPLITS}

    @property
    def windows(self) -> dict[str, int]:
        """Windows so far, by split."""
        return {split: writer.rows for split, writer in self._origins.items()}

    @property
    def segments(self) -> int:
        """Segments so far."""
        return self._segments.rows

    @property
    def rows(self) -> int:
        """Rows so far."""
        return self._values.rows

    def extend(
        self,
        values: npt.NDArray[np.float32],
        observed: npt.NDArray[np.bool_],
        time: npt.NDArray[np.int64],
    ) -> None:
        """Adds steps to the segment that is being written, or begins one.

        Args:
            values: float32 `[n, columns]`, filled.
            observed: bool `[n, columns]`.
            time: int64 `[n]`, Unix seconds UTC, the steps that follow those before.
        """
        self._values.append(values)
        self._observed.append(observed)
        self._time.append(time)
        self._edges += np.searchsorted(time, self.boundaries)

    def end_segment(self, series: int) -> dict[str, int]:
        """Ends the segment and adds the windows in it; without steps there is no segment.

        Args:
            series: Index of the series; segments come ordered by it, then by time.

        Returns:
            Steps of the segment in each split.
        """
        first = self._first
        steps, edges = self._values.rows - first, self._edges.tolist()
        self._first, self._edges = self._values.rows, np.zeros(len(SPLITS) + 1, np.int64)
        if steps:
            self._segments.append(np.array([[series, first, steps]], np.int64))
            for i, split in enumerate(SPLITS):
                inside = origins(self._spec, steps, edges[i], edges[i + 1])
                self._origins[split].append(first + inside)
        return {split: edges[i + 1] - edges[i] for i, split in enumerate(SPLITS)}

    def finish(
        self,
        series: tuple[str, ...],
        static: Mapping[str, tuple[Any, ...]],
        means: Mapping[str, tuple[float | None, ...]] | None = None,
    ) -> SeriesStore:
        """Closes the arrays, writes `store.json` and gives the store, memory-mapped."""
        for writer in self._writers():
            writer.close()
        spec, roles = self._spec, self._roles
        # Only what the marker says is taken from this object; the arrays are on disk already.
        empty: Any = np.empty(0)
        SeriesStore(
            spec=spec,
            roles=roles,
            frequency=self._frequency,
            values=empty,
            observed=empty,
            time=empty,
            segments=empty,
            series=series,
            static=static,
            origins=dict.fromkeys(SPLITS, empty),
            boundaries=self.boundaries,
            fill=self._fill,
            means=means or {},
        ).save_marker(self._folder)
        return SeriesStore.load(self._folder)

    def abandon(self) -> None:
        """Closes the files without making a store of them, and removes them."""
        for writer in self._writers():
            writer.abandon()
        names = ("values", "observed", "time", "segments", *(f"origins-{s}" for s in SPLITS))
        for name in names:
            (self._folder / f"{name}.npy").unlink(missing_ok=True)

    def _writers(self) -> tuple[ArrayWriter, ...]:
        return (
            self._values, self._observed, self._time, self._segments, *self._origins.values()
        )  # fmt: skip
