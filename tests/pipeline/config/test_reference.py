"""The page of all keys says what the code says."""

from pathlib import Path

from pipeline.config.flat import flat
from pipeline.config.loading import load
from pipeline.config.reference import reference

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_is_the_one_that_the_code_makes() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text() == reference()


def test_every_key_has_a_meaning() -> None:
    for line in reference().splitlines():
        if line.startswith("| `"):
            assert line.split("|")[-2].strip(), line


def test_every_key_of_an_example_is_on_the_page() -> None:
    page = reference()
    for key in flat(load(ROOT / "examples" / "co2.yaml").config):
        assert f"| `{key}` |" in page, key
