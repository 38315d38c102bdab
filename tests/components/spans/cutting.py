"""A long table, cut into files of spans, and ingested span by span as a run does."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from components.ingest.config import DataConfig, SplitConfig
from components.ingest.report import IngestReport
from components.spans.ingest import ingest_span
from components.spans.join import join_spans
from components.spans.plan import SpanPlan, plan
from components.spans.reading import Terms
from components.spans.source import opened
from components.spans.state import Entry, SpanState
from models.errors import BadInputError
from models.roles import Covariates, Roles

ROLES = Roles(targets=("y",), covariates=Covariates(past=("x",), static=("k",)))
WIDE = SplitConfig(validation=0.2, test=0.2)


def settings(path: str | None = "s/{SPAN}.{VERSION}.csv", **more: object) -> DataConfig:
    spans = {"on_blocked": "skip", **more.pop("spans", {})}  # type: ignore[dict-item]
    return DataConfig.model_validate(
        {"path": path, "time": "t", "series": "id", "frequency": "h", "spans": spans, **more}
    )


class Night:
    """The runs of one pipeline, without TFX: plan, ingest what is new, join."""

    def __init__(self, data: DataConfig, base: Path, roles: Roles = ROLES) -> None:
        self.data, self.base, self.roles = data, base, roles
        self.ingested: list[str] = []
        self._count = 0

    @property
    def state(self) -> SpanState:
        return SpanState.load(self.base / "work", "p")

    @property
    def terms(self) -> Terms:
        return Terms.of(self.data, self.roles, self.base / "schema.pbtxt")

    def plan(self, *, fresh: bool = False) -> SpanPlan:
        with opened(
            self.data, self.roles, self.base, self.state, self.terms, fresh=fresh
        ) as source:
            return plan(self.data, source, self.state, self.terms, fresh=fresh)

    def run(self, *, fresh: bool = False) -> SpanPlan:
        """One night; the plan as it is afterwards."""
        self.ingested, state, terms = [], self.state, self.terms
        (self.base / "work").mkdir(exist_ok=True)
        with opened(self.data, self.roles, self.base, state, terms, fresh=fresh) as source:
            for span in plan(self.data, source, state, terms, fresh=fresh).todo:
                self.ingested.append(span.title)
                self._count += 1
                out = Path(tempfile.mkdtemp(dir=self.base / "work"))
                entry = Entry(
                    span=span,
                    settings=terms.settings,
                    code=terms.code,
                    schema_digest=terms.schema_digest,
                )
                try:
                    taken = source.taken_in(span, self.base / "work" / "incoming")
                    report = ingest_span(self.data, self.roles, taken, self.base, out)
                    made = {"uri": str(out), "rows": report.rows, "artifact_id": self._count}
                except BadInputError as error:
                    made = {"error": str(error)}
                state = state.noted(entry.model_copy(update=made))
            state = source.noted(state)
            state.save(self.base / "work", "p")
            return plan(self.data, source, state, terms)

    def joined(self, split: SplitConfig = WIDE) -> IngestReport:
        """The Examples of a run, in `work/joined`."""
        folders = [Path(entry.uri) for entry in self.plan().good.values()]
        return join_spans(self.data, split, self.roles, folders, self.base / "work" / "joined")


def write(frame: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False)


def same(one: IngestReport, other: IngestReport) -> Mapping[str, tuple[object, object]]:
    """What two reports say differently, apart from where the rows were."""
    left, right = one.model_dump(), other.model_dump()
    return {k: (left[k], right[k]) for k in left if left[k] != right[k] and k != "sources"}
