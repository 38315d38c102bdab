"""The checks `data` and `skew`: new rows, or requests, against the champion's training rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.monitor.columns import ColumnBins
from components.monitor.config import DataDriftConfig, SkewConfig
from components.monitor.distance import Comparator
from components.monitor.findings import column_findings, drift_sentence, iso
from components.monitor.levels import distances_inside
from components.monitor.profile import Profile
from components.monitor.report import Check, Finding
from components.monitor.request_log import log_files, read_requests
from models.frequency import Frequency

Counts = Mapping[str, npt.NDArray[np.int64]]


class Distributions:
    """The distribution of the training rows, and what new values are held against it.

    Args:
        profile: Of the training rows.
        train_end: Last time of the training rows, Unix seconds.
        columns: Those watched; None: all.
        frequency: Step of the rows.
    """

    def __init__(
        self,
        profile: Profile,
        train_end: int,
        columns: tuple[str, ...] | None,
        frequency: Frequency,
    ) -> None:
        self._profile = profile
        self._train_end = train_end
        self._step = frequency.mean_step
        self.columns: dict[str, ColumnBins] = {
            name: bins
            for name, bins in profile.columns.items()
            if columns is None or name in columns
        }
        self._comparator = Comparator(self.columns)

    def findings(
        self, new: Counts, *, first: int, last: int, threshold: float
    ) -> tuple[Finding, ...]:
        """Each watched column of some new values.

        Args:
            new: Counts by column, int64 `[bins]`.
            first: Unix seconds of the first of them.
            last: Of the last one.
            threshold: Smallest distance that counts.
        """
        reference = self._profile.total()
        inside = distances_inside(
            self._profile,
            self._comparator,
            seconds=last - first + self._step,
            gap=max(0.0, first - self._train_end - self._step),
        )
        distances = self._comparator.distances(reference, new)
        return column_findings(self.columns, reference, new, distances, inside, threshold)

    def check_data(
        self, new: Counts, rows: int, times: tuple[int, int], config: DataDriftConfig, least: int
    ) -> Check:
        """The check of new rows.

        Args:
            new: Counts by column.
            rows: How many rows.
            times: First and last time of them.
            config: The limits.
            least: With fewer rows nothing is checked.
        """
        if rows < least:
            return Check(
                name="data",
                action=config.action,
                state="not_checked",
                reason=f"{rows} rows are new to the champion; drift.min_rows is {least}",
                waiting=True,
                size=rows,
            )
        found = self.findings(new, first=times[0], last=times[1], threshold=config.threshold)
        return Check(
            name="data",
            action=config.action,
            state="drifted" if any(f.drifted for f in found) else "steady",
            reason=drift_sentence("new rows", found),
            size=rows,
            start=iso(times[0]),
            end=iso(times[1]),
            findings=found,
        )

    def check_skew(
        self,
        place: str,
        metadata: Mapping[str, Any],
        config: SkewConfig,
        *,
        least: int,
        last: int,
    ) -> Check:
        """The check of logged requests.

        Args:
            place: Where they are.
            metadata: The champion's `elman.json`.
            config: The limits.
            least: With fewer values nothing is checked.
            last: Last time of the data; where requests do not say, they are taken to be from then.
        """
        files: list[Path] = log_files(place)
        logged = read_requests(files, self.columns, metadata, newest=config.newest)
        if logged.values < least:
            return Check(
                name="skew",
                action=config.action,
                state="not_checked",
                reason=f"{logged.requests} requests with {logged.values} values are logged in "
                f"{place}; drift.min_rows is {least}",
                waiting=True,
                size=logged.requests,
            )
        end = last if logged.last is None else logged.last
        reach = (int(metadata["spec"]["lookback"]) - 1) * self._step
        start = round((end if logged.first is None else logged.first) - reach)
        found = self.findings(logged.counts, first=start, last=end, threshold=config.threshold)
        said = logged.first is not None
        return Check(
            name="skew",
            action=config.action,
            state="drifted" if any(f.drifted for f in found) else "steady",
            reason=drift_sentence("requests", found),
            size=logged.requests,
            start=iso(start) if said else "",
            end=iso(end) if said else "",
            findings=found,
        )
