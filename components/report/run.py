"""`ReportedRun`: what a report is made from, apart from the files of the run's artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from components.report.page import Tone
from components.spans.summary import SpansSummary


@dataclass(frozen=True)
class ReportedNode:
    """One component that finished.

    Attributes:
        node: Its id.
        execution_id: In ML Metadata.
        cached: Whether an earlier execution's artifacts were re-used.
        seconds: Wall time.
        outputs: Folder of each output artifact, by output key.
    """

    node: str
    execution_id: int
    cached: bool
    seconds: float
    outputs: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportedRun:
    """A run that came to an end. Texts need not be escaped; secrets must be masked already.

    Attributes:
        name: The configuration's name.
        run_id: Id of the run.
        verdict: What it came to, in one sentence.
        tone: Whether that is good news.
        reasons: Why.
        facts: Label and value, shown first.
        lineage: Label and value: ids, digests, versions.
        config: Every value of the configuration by dotted key.
        nodes: The components that finished, in order.
        warnings: What components warned of.
        shown: Metrics that people look at first, the gate's among them.
        spans: Which spans were trained on; None where the data comes in one piece.
    """

    name: str
    run_id: str
    verdict: str
    tone: Tone
    reasons: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    lineage: tuple[tuple[str, str], ...] = ()
    config: Mapping[str, str] = field(default_factory=dict)
    nodes: tuple[ReportedNode, ...] = ()
    warnings: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    spans: SpansSummary | None = None

    def output(self, node: str, key: str) -> Path | None:
        """Folder of an output artifact; None where the component did not run or has none."""
        for one in self.nodes:
            if one.node == node:
                return one.outputs.get(key)
        return None
