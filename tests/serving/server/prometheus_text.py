"""A strict reader of the Prometheus text format, version 0.0.4, for the tests.

Grammar: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram|summary|untyped)")
VALUE = r'"((?:[^"\\\n]|\\\\|\\"|\\n)*)"'
LABEL = re.compile(rf"([a-zA-Z_][a-zA-Z0-9_]*)={VALUE}(,|$)")
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)(?: -?\d+)?")
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}

Sample = tuple[str, dict[str, str], float]


@dataclass(frozen=True)
class Page:
    """Types by family, and every sample: name, labels, value."""

    types: dict[str, str]
    samples: list[Sample]

    def value(self, name: str, **labels: str) -> float:
        """The one sample of that name and those labels."""
        (found,) = [v for n, given, v in self.samples if n == name and given == labels]
        return found


def parse(text: str) -> Page:
    """Reads a page.

    Raises:
        ValueError: If it breaks the grammar.
        AssertionError: If its families contradict themselves.
    """
    if text and not text.endswith("\n"):
        raise ValueError("the last line does not end")
    page = Page({}, [])
    for line in text.split("\n")[:-1]:
        if (typed := TYPE.fullmatch(line)) is not None:
            assert typed[1] not in page.types, f"{typed[1]} has two types"
            page.types[typed[1]] = typed[2]
            continue
        sample = SAMPLE.fullmatch(line)
        if sample is None:
            raise ValueError(f"not a sample: {line!r}")
        page.samples.append((sample[1], _labels(sample[2] or ""), float(sample[3])))
    _check(page)
    return page


def _labels(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        label = LABEL.match(text, at)
        if label is None:
            raise ValueError(f"not labels: {text!r}")
        assert label[1] not in found
        found[label[1]] = re.sub(r"\\.", lambda m: ESCAPES[m[0]], label[2])
        at = label.end()
    return found


def _check(page: Page) -> None:
    seen = set()
    buckets: dict[tuple[object, ...], list[tuple[str, float]]] = defaultdict(list)
    for name, labels, value in page.samples:
        key = (name, *sorted(labels.items()))
        assert key not in seen, f"{key} is there twice"
        seen.add(key)
        family = name if name in page.types else re.sub(r"_(bucket|sum|count)$", "", name)
        assert family in page.types, f"{name} has no type"
        if page.types[family] == "histogram" and name.endswith("_bucket"):
            rest = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
            buckets[family, rest].append((labels["le"], value))
    for counted in buckets.values():
        bounds = [float(bound) for bound, _ in counted]
        assert bounds == sorted(set(bounds))
        assert counted[-1][0] == "+Inf"
        assert [c for _, c in counted] == sorted(c for _, c in counted)
