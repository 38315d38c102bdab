"""What a page of the report is made of, and the page as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from components.secrets import scrubbed

Tone = Literal["good", "neutral", "bad"]


@dataclass(frozen=True)
class Chart:
    """A drawing.

    Attributes:
        title: What it shows.
        drawing: The `<svg>` element.
        words: How to read it; may be empty.
    """

    title: str
    drawing: Markup
    words: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of text; all columns but the first `left` are figures, set to the right.

    Attributes:
        title: What it shows; may be empty.
        columns: Heads.
        rows: As many cells as there are columns.
        left: Columns of words.
        strong: The row that people look for, or None.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1
    strong: int | None = None


@dataclass(frozen=True)
class ReportSection:
    """A part of the page.

    Attributes:
        key: Its anchor.
        title: Its heading.
        words: Paragraphs.
        facts: Label and value.
        tables: Tables; those without a row are left out.
        charts: Drawings.
        folded: Whether it is closed until a person opens it; a folded section is still printed
            by nobody who does not.
    """

    key: str
    title: str
    words: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    folded: bool = False


@dataclass(frozen=True)
class Page:
    """A whole report.

    Attributes:
        title: Of the page.
        run_id: Id of the run.
        tone: Whether the verdict is good news.
        verdict: One sentence.
        reasons: Why.
        facts: Label and value, right below the verdict.
        warnings: What a person should read.
        sections: In order.
    """

    title: str
    run_id: str
    tone: Tone
    verdict: str
    reasons: Sequence[str]
    facts: Sequence[tuple[str, str]]
    warnings: Sequence[str]
    sections: Sequence[ReportSection]


def rendered(page: Page) -> str:
    """`page` as HTML; secrets in texts are masked, and texts escaped; drawings stay as they are."""
    return _environment().get_template("report.html").render(page=page)


def _masked(value: object) -> object:
    # Drawings are left as they are: they hold names of columns, series and classes, and numbers.
    return scrubbed(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("components.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_masked,
        trim_blocks=True,
        lstrip_blocks=True,
    )
