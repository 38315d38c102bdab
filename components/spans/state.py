"""What is known of the spans: `<workspace>/spans/<name>.json`.

The plan of a night needs no metadata store: it goes by this file, which is written in one step
after each span. Lost, it is made again: every span is new then, and comes from TFX's cache. The
folders of spans in use are `SpanState.folders`; whoever removes artifacts must keep them.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field

from components.spans.span import Span, SpanFile
from models.section import Section

FOLDER = "spans"
INCOMING = "incoming"
"""In it, by pipeline and span: rows on their way into a span, gone when it is ingested."""


class Entry(Section):
    """What became of one version of a span.

    Attributes:
        span: Which one.
        settings: Digest of how it was read: source, columns, formats.
        code: Digest of the code that read it.
        schema_digest: Of the schema file it was checked against; empty if there was none.
        error: Why it is blocked; empty for a good one.
        uri: Folder of its Examples artifact; empty if none was made.
        artifact_id: Of that artifact in ML Metadata; 0 if none was made.
        rows: Good rows.
        first: Time of the first row, Unix seconds UTC; None if unknown.
        last: Time of the last row.
        run_id: The run that ingested it.
    """

    span: Span
    settings: str
    code: str
    schema_digest: str
    error: str = ""
    uri: str = ""
    artifact_id: int = 0
    rows: int = 0
    first: int | None = None
    last: int | None = None
    run_id: str = ""


class Known(Section):
    """The newest good version of a span, and a newer one that is blocked, if there is one."""

    good: Entry | None = None
    blocked: Entry | None = None

    @property
    def newest(self) -> Entry | None:
        """The version that was looked at last."""
        return self.blocked or self.good


class SpanState(Section):
    """All spans that were ever ingested, by number.

    Attributes:
        spans: By number as text, as JSON wants it.
        source: The files of a growing source as they were when it was read last.
        source_settings: How it was read.
        keep: `data.spans.keep` then: a longer range needs a look at older periods.
    """

    spans: dict[str, Known] = Field(default_factory=dict)
    source: tuple[SpanFile, ...] = ()
    source_settings: str = ""
    keep: int | None = None

    @property
    def numbers(self) -> list[int]:
        """Of the spans, in order."""
        return sorted(int(number) for number in self.spans)

    def known(self, number: int) -> Known | None:
        """What is known of a span."""
        return self.spans.get(str(number))

    def folders(self) -> list[Path]:
        """The Examples of all good spans."""
        return [Path(k.good.uri) for k in self.spans.values() if k.good is not None]

    def noted(self, entry: Entry) -> SpanState:
        """This state with what became of a span."""
        known = self.known(entry.span.number) or Known()
        now = Known(good=known.good, blocked=entry) if entry.error else Known(good=entry)
        return self.model_copy(update={"spans": {**self.spans, str(entry.span.number): now}})

    def save(self, workspace: Path, name: str) -> None:
        """Writes the file in one step."""
        path = file_of(workspace, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        with temporary.open("w") as stream:
            stream.write(self.canonical_json())
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)

    @classmethod
    def load(cls, workspace: Path, name: str) -> SpanState:
        """The state; an empty one where there is no file, or a torn or foreign one."""
        try:
            return cls.from_json(file_of(workspace, name).read_text())
        except (OSError, ValueError):
            return cls()


def file_of(workspace: Path, name: str) -> Path:
    """Where the state of the pipeline `name` is."""
    return workspace / FOLDER / f"{name}.json"
