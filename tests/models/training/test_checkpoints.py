"""A checkpoint is whole or not there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.training import checkpoints
from models.training.checkpoints import Checkpoint, assign, read_checkpoint, write_checkpoint


class Killed(BaseException):
    """Stands for a process that ends between two system calls."""


def made(epoch: int) -> Checkpoint:
    rng = np.random.default_rng(epoch)
    arrays = [rng.normal(size=(3, 2)).astype(np.float32), np.array(epoch, np.int64)]
    return Checkpoint(epoch, arrays, arrays[::-1], arrays[:1], {"loss": [0.1 * epoch, np.pi]})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path / "none") is None
    for epoch in (9, 10):
        write_checkpoint(tmp_path / "c", made(epoch))
    found, want = read_checkpoint(tmp_path / "c"), made(10)
    assert found is not None
    assert (found.epoch, found.state) == (10, want.state)
    for name in ("weights", "optimizer", "best"):
        for a, b in zip(getattr(found, name), getattr(want, name), strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype
    assert [p.name for p in (tmp_path / "c").iterdir()] == ["epoch-000010"]


@pytest.mark.parametrize("call", range(1, 8))
def test_killed_at_any_file_operation_the_one_before_is_intact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    write_checkpoint(tmp_path, made(1))
    calls = 0

    def counted(operation: Any) -> Any:
        def run(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == call:
                raise Killed
            return operation(*args, **kwargs)

        return run

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", counted(os.fsync))
        patch.setattr(Path, "rename", counted(Path.rename))
        patch.setattr(checkpoints, "_write", counted(checkpoints._write))
        with pytest.raises(Killed):
            write_checkpoint(tmp_path, made(2))
    found = read_checkpoint(tmp_path)
    assert found is not None
    # Calls 1 to 6 come before the rename has been done, the seventh after it.
    assert found.epoch == (1 if call < 8 and not (tmp_path / "epoch-000002").exists() else 2)
    np.testing.assert_array_equal(found.weights[0], made(found.epoch).weights[0])
    write_checkpoint(tmp_path, made(3))
    assert [p.name for p in tmp_path.iterdir()] == ["epoch-000003"]


def test_another_network_and_another_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="another network"):
        assign([np.zeros(3)], [np.zeros(4)], "network")
    write_checkpoint(tmp_path, made(1))
    state = tmp_path / "epoch-000001" / "state.json"
    state.write_text(state.read_text().replace('"format": 1', '"format": 99'))
    with pytest.raises(ValueError, match="format 99"):
        read_checkpoint(tmp_path)
