"""Checkpoints that a kill cannot tear, so that training goes on after the last finished epoch.

Keras' BackupAndRestore is not used: it writes weights and epoch number one after the other in
place (a kill between the two resumes the wrong epoch, a kill inside either leaves a torn file),
and early stopping, the plateau schedule, the best weights and the history start again from
nothing. Here one folder per epoch holds all of it and appears by a rename.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = list[npt.NDArray[Any]]
_FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """All that a run needs to go on.

    Attributes:
        epoch: Finished epochs.
        weights: Every variable of the network, seed generators included.
        optimizer: Every variable of the optimizer.
        best: Weights of the best epoch.
        state: JSON-able rest: history, early stopping, schedule.
    """

    epoch: int
    weights: Arrays
    optimizer: Arrays
    best: Arrays
    state: dict[str, Any]


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Writes `checkpoint` into `folder` whole or not at all, then drops the one before it.

    Args:
        folder: Made if missing; used by one run at a time.
        checkpoint: Its epoch names the entry `epoch-<n>`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"epoch-{checkpoint.epoch:06d}"
    partial = folder / f".{final.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name in ("weights", "optimizer", "best"):
        _write_arrays(partial / f"{name}.npz", getattr(checkpoint, name))
    _write(
        partial / "state.json",
        json.dumps({"format": _FORMAT, "epoch": checkpoint.epoch, "state": checkpoint.state}),
    )
    _sync(partial)
    shutil.rmtree(final, ignore_errors=True)
    partial.rename(final)
    _sync(folder)
    for entry in folder.iterdir():
        if entry != final and entry.name.lstrip(".").startswith("epoch-"):
            shutil.rmtree(entry, ignore_errors=True)


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """The last checkpoint in `folder`; None where there is none.

    Raises:
        ValueError: If it was written by another version of the format.
    """
    entries = sorted(folder.glob("epoch-*")) if folder.is_dir() else []
    if not entries:
        return None
    entry = entries[-1]
    meta = json.loads((entry / "state.json").read_text())
    if meta["format"] != _FORMAT:
        raise ValueError(f"{entry}: checkpoint format {meta['format']}, expected {_FORMAT}")
    return Checkpoint(
        epoch=meta["epoch"],
        weights=_read_arrays(entry / "weights.npz"),
        optimizer=_read_arrays(entry / "optimizer.npz"),
        best=_read_arrays(entry / "best.npz"),
        state=meta["state"],
    )


def assign(variables: Sequence[Any], values: Arrays, what: str) -> None:
    """Puts `values` into `variables`.

    Raises:
        ValueError: If number or shapes differ: the checkpoint is of another network.
    """
    expected = [tuple(v.shape) for v in variables]
    if expected != [v.shape for v in values]:
        raise ValueError(
            f"the checkpoint's {what} has shapes {[v.shape for v in values]}, this run's has "
            f"{expected}: it was written for another network; remove the checkpoint folder"
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def arrays(variables: Sequence[Any]) -> Arrays:
    """Copies of the values of `variables`."""
    return [np.array(v.numpy() if hasattr(v, "numpy") else v) for v in variables]


def _write_arrays(path: Path, values: Arrays) -> None:
    with path.open("wb") as file:
        np.savez(file, **{f"{i:05d}": v for i, v in enumerate(values)})  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())


def _read_arrays(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as stored:
        return [stored[name] for name in sorted(stored.files)]


def _write(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
