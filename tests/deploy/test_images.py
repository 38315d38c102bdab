"""The Dockerfiles: what they copy is there and let through, and they do not run as root."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY, ROOT

IMAGES = {"elman": DEPLOY / "Dockerfile", "mlflow": DEPLOY / "mlflow" / "Dockerfile"}


def instructions(path: Path) -> list[tuple[str, str]]:
    """Name and rest of every instruction; lines that go on are joined."""
    text = re.sub(r"\\\n\s*", "", path.read_text("utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.partition(" ")[2]) for line in lines]


def copied(path: Path) -> list[str]:
    """Sources of COPY."""
    found = []
    for name, rest in instructions(path):
        if name == "COPY":
            words = [word for word in rest.split() if not word.startswith("--")]
            found += words[:-1]
    return found


@pytest.mark.parametrize("name", IMAGES)
def test_it_does_not_run_as_root_and_starts_from_a_pinned_image(name: str) -> None:
    found = instructions(IMAGES[name])
    assert found[0][0] == "FROM"
    assert re.fullmatch(r"python:3\.11-slim-\w+", found[0][1])
    users = [rest for what, rest in found if what == "USER"]
    assert users == ["10001:10001"]


def test_what_is_copied_is_there_and_not_ignored() -> None:
    sources = copied(IMAGES["elman"])
    assert len(sources) == 9
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignore
    allowed = {line[1:] for line in ignore if line.startswith("!")}
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source in allowed, source
    assert allowed == set(sources)


def test_the_daily_loop_can_be_run() -> None:
    assert (DEPLOY / "daily.sh").stat().st_mode & 0o111
    copies = [rest for what, rest in instructions(IMAGES["elman"]) if what == "COPY"]
    assert "--chmod=755 deploy/daily.sh /usr/local/bin/elman-daily" in copies


def test_the_packages_are_those_of_the_project() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {
        name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]
    }
    assert wanted <= set(copied(IMAGES["elman"]))


def test_it_is_set_up_as_everywhere_and_not_from_an_index_named_here() -> None:
    text = IMAGES["elman"].read_text()
    assert "bash requirements/setup.sh" in text
    assert (ROOT / "requirements" / "setup.sh").is_file()
    for path in IMAGES.values():
        assert not re.search(r"index-url|https?://", path.read_text())


def test_the_version_is_that_of_the_project() -> None:
    import tomllib

    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for path in (ROOT / "docker-compose.yml", DEPLOY / "kubernetes" / "training.yaml"):
        assert re.findall(r"image: elman:(\S+)", path.read_text()) == [version]
