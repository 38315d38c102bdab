"""Imports point one way, as docs/architecture.md has it, with serving beside."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
OURS = ("pipeline", "components", "models", "serving")

# Which of our packages each of them may import, besides itself.
BELOW = {
    "pipeline": {"components", "models", "serving"},
    "components": {"models"},
    "models": set(),
    "serving": set(),
}

# A client makes windows, and there is one definition of those; the server is without all of ours.
CLIENT = (
    *("serving/client.py", "serving/history/*"),
    *("serving/streaming/*", "serving/transport/*"),
)

# The client's part of serving knows windows; the server's part runs where only TensorFlow is.
CLIENT = ("serving/client.py", "serving/transport/*", "serving/history/*", "serving/streaming/*")

# Heavy or far-reaching libraries, and the only files that may import them.
TFX_WIRING = (
    *("pipeline/*", "components/artifacts.py"),
    *("components/*/component.py", "components/*/executor.py"),
)
ALLOWED_IN = {
    "tfx": TFX_WIRING,
    "ml_metadata": TFX_WIRING,
    "mlflow": ("pipeline/*", "components/tracking/*", "components/push/*"),
    "duckdb": ("components/ingest/*", "components/sequences/ingest/*"),
}


def imported_modules(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of every module imported, wherever in the file that is."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def violations(path: str, source: str) -> list[str]:
    """What the file at `path` (from the repository's root) imports and must not."""
    package = path.split("/", maxsplit=1)[0]
    client = any(fnmatch(path, place) for place in CLIENT)
    below = {"models"} if client else BELOW[package]
    found = []
    for line, module in imported_modules(source):
        top = module.split(".", maxsplit=1)[0]
        where = f"{path}:{line} imports {module}"
        if module.startswith("."):
            found.append(f"{where}: name the module in full, so that the direction shows")
        elif top in OURS and top != package and top not in below:
            found.append(f"{where}: {package} may import {sorted(below) or 'none of ours'}")
        elif package == "serving" and not client and _is_client(module):
            found.append(f"{where}: the server does without its clients")
        elif top in ALLOWED_IN and not any(fnmatch(path, place) for place in ALLOWED_IN[top]):
            found.append(f"{where}: {top} belongs in {', '.join(ALLOWED_IN[top])}")
        elif top in {"tests", "examples", "benchmarks"}:
            found.append(f"{where}: that is not installed with the packages")
    return found


def _is_client(module: str) -> bool:
    path = module.replace(".", "/")
    return any(fnmatch(name, place) for place in CLIENT for name in (f"{path}.py", f"{path}/"))


def _is_client(module: str) -> bool:
    path = module.replace(".", "/")
    return any(fnmatch(f"{path}{end}", place) for place in CLIENT for end in (".py", "/x.py"))


@pytest.mark.parametrize("package", OURS)
def test_every_import_points_the_right_way(package: str) -> None:
    files = sorted((REPOSITORY / package).rglob("*.py"))
    assert files, f"no Python files in {package}"
    found = [
        line
        for file in files
        for line in violations(file.relative_to(REPOSITORY).as_posix(), file.read_text("utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("models/cells/lstm.py", "import components"),
        ("models/cells/lstm.py", "from pipeline.config import load"),
        ("models/cells/lstm.py", "def f():\n    import tfx.types"),
        ("models/cells/lstm.py", "import mlflow.keras"),
        ("models/cells/lstm.py", "from . import gru"),
        ("components/push/files.py", "from pipeline import dag"),
        ("components/push/files.py", "from serving import rest"),
        ("components/push/files.py", "from tfx import types"),
        ("components/train/loop.py", "import mlflow"),
        ("components/push/component.py", "import duckdb"),
        ("serving/rest.py", "from models.windows import spec"),
        ("serving/rest/app.py", "from serving.transport.retry import Retry"),
        ("serving/rest/app.py", "import serving.client"),
        ("serving/client.py", "from components.push import repository"),
        ("serving/rest.py", "import ml_metadata"),
        ("serving/rest.py", "from serving.history import frame"),
        ("serving/rest.py", "from serving.client import ForecastClient"),
        ("serving/rest.py", "import serving.transport.rest"),
        ("serving/client.py", "from components.ingest import sql"),
        ("pipeline/run.py", "from tests.setup import conftest"),
    ],
)
def test_a_wrong_import_is_found(path: str, source: str) -> None:
    assert len(violations(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("pipeline/dag.py", "from components.push.component import push\nimport tfx, mlflow"),
        (
            "components/push/component.py",
            "from models.errors import ElmanError\nimport tfx, mlflow",
        ),
        ("components/ingest/sql.py", "import duckdb, models.section"),
        ("serving/rest.py", "import tensorflow as tf\nfrom serving import repository"),
        ("serving/client.py", "from models.errors import ElmanError\nfrom serving import history"),
        ("serving/history/frame.py", "from models.windows import spec\nimport serving.transport"),
        ("serving/history/frame.py", "from models.windows import spec\nimport serving.client"),
    ],
)
def test_a_right_import_passes(path: str, source: str) -> None:
    assert violations(path, source) == []
