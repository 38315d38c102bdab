"""Where the real data for tests lies: beside the project, never in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared_data(*parts: str) -> Path:
    """A file of the shared data: missing, it fails a test in CI, and skips it elsewhere."""
    path = FOLDER.joinpath(*parts)
    if path.exists():
        return path
    words = f"{path} is not there: this test needs real data that is not part of the project"
    if os.environ.get("CI"):
        pytest.fail(words)
    pytest.skip(words)
