"""The spans of a run: what is new is ingested and checked, each in a small pipeline of its own."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.spans.plan import SpanPlan, plan
from components.spans.reading import Terms
from components.spans.report import SpanReport
from components.spans.settings import SpanSettings
from components.spans.source import SpanSource
from components.spans.span import Span
from components.spans.state import FOLDER, INCOMING, Entry, SpanState
from components.spans.summary import SpansSummary, first_line, summary
from components.tracking.recorder import SilentRecorder, use
from components.tracking.session import RunTracker
from models.errors import BadInputError
from pipeline.config import LoadedConfig
from pipeline.runner.display import Display
from pipeline.runner.span_launch import checked_ids, run_span
from pipeline.spans import look


@dataclass(frozen=True)
class SpansOutcome:
    """What a run trains on: the good spans in order, and what to say of all of them."""

    entries: tuple[Entry, ...]
    summary: SpansSummary


def ingest_spans(
    loaded: LoadedConfig, run_id: str, tracker: RunTracker, display: Display, *, use_cache: bool
) -> SpansOutcome:
    """Ingests what is new or changed in the range of a configuration with `data.spans`.

    What became of each span is kept at once, so that a killed run goes on where it was.

    Args:
        loaded: The configuration.
        run_id: Id of the run.
        tracker: Started; each span gets a nested run.
        display: Shown what happens.
        use_cache: False ingests every span again that the source still holds.

    Raises:
        BadInputError: If there is nothing to train on, or a span is blocked and
            `data.spans.on_blocked` is `stop`.
        FailedRunError: If a span cannot be ingested for another reason.
    """
    data, name = loaded.forecast.data, loaded.config.name
    known = _still_known(loaded, SpanState.load(loaded.workspace, name))
    with look(loaded, fresh=not use_cache, state=known) as (source, now):
        state = now.state
        for position, span in enumerate(now.todo, start=1):
            display.starting(f"span {span.label}", position, len(now.todo))
            entry = _ingest(
                loaded, run_id, tracker, display, now.terms, source, span, use_cache=use_cache
            )
            state = state.noted(entry)
            state.save(loaded.workspace, name)
        state = source.noted(state)
        state.save(loaded.workspace, name)
        done = plan(data, source, state, now.terms)
    told = summary(data, done, [span.number for span in now.todo])
    tracker.recorder.tags({"elman.spans": told.words})
    tracker.recorder.metrics(
        {
            "spans": told.count,
            "spans_new": told.new_count,
            "spans_blocked": told.blocked_count,
            "spans_missing": told.missing_count,
        }
    )
    display.say(f"  {told.words}")
    _judge(loaded, done, display)
    entries = tuple(entry for _, entry in sorted(done.good.items()))
    return SpansOutcome(entries, told)


def _still_known(loaded: LoadedConfig, state: SpanState) -> SpanState:
    """The state without good spans that the metadata store does not know: it may be a new one.

    Spans that are older than the range may have been removed, and are not asked for.
    """
    spans_section = loaded.forecast.data.spans
    assert spans_section is not None
    keep = spans_section.keep
    range_ = {str(n) for n in (state.numbers if keep is None else state.numbers[-keep:])}
    ids = {
        known.good.artifact_id
        for number, known in state.spans.items()
        if known.good is not None and number in range_
    }
    lost = ids - checked_ids(loaded, ids)
    spans = {
        number: known.model_copy(update={"good": None})
        if known.good is not None and known.good.artifact_id in lost
        else known
        for number, known in state.spans.items()
    }
    kept = {n: k for n, k in spans.items() if k.newest is not None}
    return state.model_copy(update={"spans": kept, "source_settings": ""}) if lost else state


def _judge(loaded: LoadedConfig, done: SpanPlan, display: Display) -> None:
    """Says which blocked spans are left out.

    Raises:
        BadInputError: If blocked spans end the run, or nothing else is there.
    """
    spans = loaded.forecast.data.spans
    assert spans is not None
    told = [f"span {e.span.title} is blocked: {e.error}" for _, e in sorted(done.blocked.items())]
    if told and (spans.on_blocked == "stop" or not done.good):
        told.append(
            "nothing was trained; correct the span (the next run picks it up)"
            + (
                ", or set data.spans.on_blocked: skip to go on without it"
                if spans.on_blocked == "stop"
                else ": there is no good one to go on with"
            )
        )
        raise BadInputError("\n".join(told))
    for number, entry in sorted(done.blocked.items()):
        instead = done.good.get(number)
        how = "left out" if instead is None else f"{instead.span.title} is used instead"
        display.warn(
            f"span {entry.span.title} is blocked and {how}, until it is corrected: "
            f"{first_line(entry.error)}"
        )


def _ingest(
    loaded: LoadedConfig,
    run_id: str,
    tracker: RunTracker,
    display: Display,
    terms: Terms,
    source: SpanSource,
    span: Span,
    *,
    use_cache: bool,
) -> Entry:
    """Runs the pipeline of one span; a refusal becomes a blocked entry."""
    config, since = loaded.forecast, time.monotonic()
    # Always the same folder, as it is among the parameters that TFX's cache goes by.
    folder = loaded.workspace / FOLDER / INCOMING / config.name / str(span.number)
    shutil.rmtree(folder, ignore_errors=True)
    known: dict[str, Any] = {
        "span": span,
        "settings": terms.settings,
        "code": terms.code,
        "schema_digest": terms.schema_digest,
        "run_id": run_id,
    }
    shown = f"span {span.label}"
    try:
        settings = SpanSettings(
            config.data,
            config.roles,
            source.taken_in(span, folder),
            loaded.folder,
            terms.settings,
            terms.code,
        )
        # A nested run only for a span that fails: the parent run has the figures of all.
        with tracker.component(shown), use(SilentRecorder()):
            uri, artifact, cached = run_span(loaded, settings, run_id, display, use_cache=use_cache)
    except BadInputError as error:
        display.failed(shown, time.monotonic() - since)
        return Entry(**known, error=str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report = SpanReport.load(Path(uri))
    seconds = time.monotonic() - since
    display.finished(shown, cached=cached, seconds=seconds, detail=f"{report.rows:,} rows")
    return Entry(
        **known,
        uri=str(uri),
        artifact_id=artifact,
        rows=report.rows,
        first=report.first,
        last=report.last,
    )
