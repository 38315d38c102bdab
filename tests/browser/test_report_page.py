"""The report as a browser shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from components.report.build import build_report
from tests.browser.conftest import Watched
from tests.components.report.reported import Artifacts, make_artifacts

Watch = Callable[..., Watched]

# Every text of the page and every line of a drawing with the colour that it has, and the paper's.
COLORS = """() => {
  const texts = 'h1, h2, p, li, dt, dd, th, td, caption, figcaption span, svg text';
  const shown = [...document.querySelectorAll(texts)]
    .filter(e => e.textContent.trim() && e.getClientRects().length)
    .map(e => [e.closest('svg') ? getComputedStyle(e).fill : getComputedStyle(e).color, 'text']);
  const lines = [...document.querySelectorAll('svg path')]
    .map(e => [getComputedStyle(e).stroke, 'line'])
    .filter(([color]) => color.startsWith('rgb'));
  const paper = getComputedStyle(document.body).backgroundColor;
  return [paper, [...new Set([...shown, ...lines].map(JSON.stringify))].map(JSON.parse)];
}"""


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    return make_artifacts(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(scope="module")
def report(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    run = artifacts.run(warnings=("gradients vanish",), config={"model.cell": "gru"})
    path.write_text(build_report(run), encoding="utf-8")
    return path


def brightness(color: str) -> float:
    """Relative luminance of `rgb(...)`, as WCAG 2.2 defines it."""
    parts = [float(p) / 255 for p in color[color.index("(") + 1 : -1].split(",")[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, from 1 to 21."""
    low, high = sorted((brightness(one), brightness(other)))
    return (high + 0.05) / (low + 0.05)


def test_it_shows_verdict_and_charts_and_asks_for_nothing(
    watch: Watch, artifacts: Artifacts, report: Path
) -> None:
    watched = watch(viewport={"width": 1200, "height": 900})
    page = watched.page
    page.goto(report.as_uri())
    verdict = page.locator("#verdict")
    assert verdict.inner_text() == artifacts.evaluation.verdict.summary
    box = verdict.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 900, "not to be seen without scrolling"
    charts = page.locator("figure svg")
    assert charts.count() == 10
    for chart in charts.all():
        size = chart.bounding_box()
        assert size is not None
        assert size["width"] > 400
        assert size["height"] > 100
    assert page.get_by_role("img", name="mae by step of the horizon").is_visible()
    page.get_by_role("link", name="Training", exact=True).click()
    page.get_by_role("group").filter(has_text="Configuration").locator("summary").click()
    assert page.get_by_text("model.cell").is_visible()
    assert watched.files == [report]
    assert watched.left == []
    assert watched.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_in_light_and_dark(watch: Watch, report: Path, scheme: str) -> None:
    page = watch(color_scheme=scheme).page
    page.goto(report.as_uri())
    paper, colors = page.evaluate(COLORS)
    assert (brightness(paper) > 0.5) == (scheme == "light")
    assert {kind for _, kind in colors} == {"text", "line"}
    faint = {
        color: round(contrast(color, paper), 2)
        for color, kind in colors
        if contrast(color, paper) < (4.5 if kind == "text" else 3) and color != rule(scheme)
    }
    assert not faint


def rule(scheme: str) -> str:
    """The colour of grid lines, which are to be faint."""
    return "rgb(216, 222, 228)" if scheme == "light" else "rgb(58, 66, 76)"


def test_it_is_printed_dark_on_white_whatever_the_screen(watch: Watch, report: Path) -> None:
    page = watch(color_scheme="dark").page
    page.goto(report.as_uri())
    page.emulate_media(media="print")
    paper, colors = page.evaluate(COLORS)
    assert brightness(paper) > 0.95
    assert min(contrast(color, paper) for color, kind in colors if kind == "text") >= 4.5
    assert not page.locator("nav").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF-")


def test_it_fits_on_a_telephone(watch: Watch, report: Path) -> None:
    page = watch(viewport={"width": 390, "height": 800}).page
    page.goto(report.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_watch_sees_what_leaves_and_what_breaks(watch: Watch, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text('<img src="http://elsewhere.invalid/a.png"><script>nothing.there()</script>')
    watched = watch()
    watched.page.goto(bad.as_uri())
    assert watched.left == ["http://elsewhere.invalid/a.png"]
    assert any("nothing is not defined" in error for error in watched.errors)
