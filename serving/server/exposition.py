"""Metric families in the Prometheus text format, printed as TF Serving prints them.

Written here because Prometheus' own client library ends every counter's name in `_total`, which
dashboards made for TF Serving do not look for.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

Labels = tuple[str, ...]
"""Values of a family's labels, in the order of its names."""


def exponential(scale: float, growth: float, count: int) -> tuple[float, ...]:
    """Upper bounds `scale * growth^i` for i below `count`; the bucket up to infinity comes on top.

    As `Buckets::Exponential` of TensorFlow's monitoring library (tsl/lib/monitoring/sampler.h).
    """
    return tuple(scale * growth**i for i in range(count))


class Family:
    """Samples of one metric by label values. Safe for use from several threads.

    Args:
        name: As printed, such as `:tensorflow:serving:request_count`.
        kind: `counter`, `gauge` or `histogram`.
        labels: Names of the labels.
    """

    def __init__(self, name: str, kind: str, labels: tuple[str, ...]) -> None:
        self.name = name
        self.kind = kind
        self.labels = labels
        self._lock = threading.Lock()

    def lines(self) -> Iterator[str]:
        """The family's lines, the type first; labels in a fixed order."""
        yield f"# TYPE {self.name} {self.kind}"
        with self._lock:
            samples = list(self._samples())
        yield from samples

    def _samples(self) -> Iterator[str]:
        raise NotImplementedError

    def _sample(self, suffix: str, values: Labels, number: float, *extra: tuple[str, str]) -> str:
        pairs = [*zip(self.labels, values, strict=True), *extra]
        inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)
        return f"{self.name}{suffix}{{{inside}}} {_number(number)}"


class Scalar(Family):
    """A counter or a gauge."""

    def __init__(self, name: str, kind: str, labels: tuple[str, ...]) -> None:
        super().__init__(name, kind, labels)
        self._values: dict[Labels, float] = {}

    def add(self, labels: Labels, amount: float = 1) -> None:
        """Adds `amount` to the sample of `labels`."""
        with self._lock:
            self._values[labels] = self._values.get(labels, 0) + amount

    def set(self, labels: Labels, value: float) -> None:
        """Sets the sample of `labels`."""
        with self._lock:
            self._values[labels] = value

    def drop(self, labels: Labels) -> None:
        """Forgets the sample of `labels`, if there is one."""
        with self._lock:
            self._values.pop(labels, None)

    def _samples(self) -> Iterator[str]:
        for labels, value in sorted(self._values.items()):
            yield self._sample("", labels, value)


class Histogram(Family):
    """Counts of observations up to each of some bounds.

    Args:
        name: As printed, without `_bucket`, `_sum` and `_count`.
        labels: Names of the labels, `le` not among them.
        bounds: Upper bounds, ascending; one bucket up to infinity comes on top.
    """

    def __init__(self, name: str, labels: tuple[str, ...], bounds: tuple[float, ...]) -> None:
        super().__init__(name, "histogram", labels)
        self._bounds = bounds
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}

    def observe(self, labels: Labels, value: float) -> None:
        """Counts `value` in the first bucket whose bound is not below it."""
        index = bisect_left(self._bounds, value)
        with self._lock:
            counts = self._counts.setdefault(labels, [0] * (len(self._bounds) + 1))
            counts[index] += 1
            self._sums[labels] = self._sums.get(labels, 0.0) + value

    def _samples(self) -> Iterator[str]:
        # Six significant digits, as TF Serving has them: dashboards name bounds by these texts.
        bounds = [*(f"{bound:.6g}" for bound in self._bounds), "+Inf"]
        for labels, counts in sorted(self._counts.items()):
            for bound, count in zip(bounds, accumulate(counts), strict=True):
                yield self._sample("_bucket", labels, count, ("le", bound))
            yield self._sample("_sum", labels, self._sums[labels])
            yield self._sample("_count", labels, sum(counts))


def page(families: list[Family]) -> str:
    """The whole page: each family's lines, every line ended."""
    return "".join(f"{line}\n" for family in families for line in family.lines())


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
