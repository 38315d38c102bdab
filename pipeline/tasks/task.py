"""`Task`: what a run asks of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from models.section import Section

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline

    from components.spans.state import Entry


class DataResult(Section):
    """The data that went into a forecast; times are ISO 8601 UTC."""

    start: str
    end: str
    rows: int
    dropped: int
    series: int
    frequency: str
    digest: str

    @property
    def words(self) -> str:
        """One line for people."""
        dropped = f", {self.dropped:,} dropped" if self.dropped else ""
        return (
            f"{self.start[:10]} to {self.end[:10]}, every {self.frequency}: "
            f"{self.rows:,} rows, {self.series:,} series{dropped}"
        )


class SequencesResult(Section):
    """The data that went into a task over whole sequences; `classes` are those of the labels."""

    sequences: int
    rows: int
    dropped: int
    classes: int
    digest: str

    @property
    def words(self) -> str:
        """One line for people."""
        dropped = f", {self.dropped:,} rows dropped" if self.dropped else ""
        return (
            f"{self.sequences:,} sequences in {self.rows:,} rows, {self.classes:,} classes{dropped}"
        )


@dataclass(frozen=True)
class Source:
    """The data of a run, for tracking.

    Attributes:
        source: File, glob or database URL.
        digest: Of the data.
        schema: Type by column.
        profile: Figures, such as rows.
        tags: For the run.
    """

    source: str
    digest: str
    schema: Mapping[str, str]
    profile: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)


class Task(Protocol):
    """What differs between tasks in a run."""

    @property
    def unit(self) -> str:
        """What a split is counted in: windows or sequences."""

    @property
    def higher_is_better(self) -> bool:
        """Whether that is so for the gate's metric."""

    def fingerprint(self) -> str:
        """Digest of the content of the data now.

        Raises:
            BadInputError: If it cannot be read.
        """

    def graph(self, *, champion: str, force: bool, spans: Sequence[Entry] = ()) -> Pipeline:
        """The components and how they are joined.

        Args:
            champion: JSON of the champion that the candidate has to beat, or empty.
            force: Whether a model that was rolled back may be pushed again.
            spans: The ingested spans to train on, where the data comes in spans.
        """

    def source(self, examples: Path) -> Source:
        """The data in the Examples at `examples`, for tracking."""

    def data(self, examples: Path, store: Path) -> DataResult | SequencesResult:
        """The data in the Examples and the store made of them, for the result."""

    def rows(self, examples: Path) -> str:
        """A few words on the Examples at `examples`."""

    def counts(self, store: Path) -> dict[str, int]:
        """Windows or sequences in the store by split."""

    def metrics(self) -> tuple[str, ...]:
        """The metrics that people look at first, the gate's among them."""
