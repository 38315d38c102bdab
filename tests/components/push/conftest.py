"""Folders that look like SavedModels to everything but TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

MakeModel = Callable[..., Path]


@pytest.fixture
def make_model(tmp_path: Path) -> MakeModel:
    """Makes `model-<seed>/`: the layout of a SavedModel, with contents that follow the seed."""

    def make(seed: int, *, extra: str | None = None) -> Path:
        root = tmp_path / f"model-{seed}"
        for folder in ("variables", "assets", "assets.extra"):
            (root / folder).mkdir(parents=True)
        (root / "saved_model.pb").write_bytes(bytes([seed % 256]) * 5000)
        (root / "variables" / "variables.index").write_bytes(b"index" + str(seed).encode())
        (root / "variables" / "variables.data-00000-of-00001").write_bytes(bytes(range(256)) * 30)
        if extra is not None:
            (root / "assets.extra" / "elman.json").write_text(extra)
        return root

    return make
