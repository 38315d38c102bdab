"""The version of Elman, installed or run from its source folder."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path


def version() -> str:
    """The version; `unknown` where neither the package's nor the project's metadata is there."""
    project = Path(__file__).resolve().parents[2] / "pyproject.toml"
    try:
        data = tomllib.loads(project.read_text())
        if data["project"]["name"] == "elman":
            return str(data["project"]["version"])
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        pass
    try:
        return installed("elman")
    except PackageNotFoundError:
        return "unknown"
