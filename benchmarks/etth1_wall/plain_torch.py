"""A forecaster of ETTh1 in plain PyTorch: its own reading, loader, training, scores, file.

Needs PyTorch and NumPy alone. Prints one line of JSON: seconds by part, and the scores.
"""

from __future__ import annotations

import argparse
import copy
import csv
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

EDGES = (0, 8640, 11520, 14400)
LOOKBACK, HORIZON, BATCH = 96, 24, 64


class Windows(Dataset[tuple[Tensor, Tensor]]):
    """The windows whose labels lie in one split; inputs may reach back beyond it."""

    def __init__(self, values: Tensor, first: int, stop: int) -> None:
        self._values = values
        self._first = max(first, LOOKBACK)
        self._count = stop - HORIZON - self._first + 1

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Inputs [lookback, columns] and labels [horizon, columns]."""
        at = self._first + index
        return self._values[at - LOOKBACK : at], self._values[at : at + HORIZON]


class Forecaster(nn.Module):
    """An LSTM with a linear map on its last state."""

    def __init__(self, columns: int, units: int) -> None:
        super().__init__()
        self.rnn = nn.LSTM(columns, units, batch_first=True)
        self.head = nn.Linear(units, HORIZON * columns)
        self.columns = columns

    def forward(self, inputs: Tensor) -> Tensor:
        """[batch, lookback, columns] to [batch, horizon, columns]."""
        states, _ = self.rnn(inputs)
        found: Tensor = self.head(states[:, -1]).view(-1, HORIZON, self.columns)
        return found


def scores(model: nn.Module, windows: Windows) -> dict[str, float]:
    """Mean squared and absolute error over all windows, of scaled values."""
    model.eval()
    squares = absolutes = 0.0
    with torch.inference_mode():
        for inputs, labels in DataLoader(windows, 1024):
            error = model(inputs) - labels
            squares += float(error.square().sum())
            absolutes += float(error.abs().sum())
    model.train()
    cells = len(windows) * HORIZON * 7
    return {"mse": squares / cells, "mae": absolutes / cells}


def main() -> None:
    """Reads, trains, evaluates, saves."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--units", type=int, required=True)
    given = parser.parse_args()
    imported = time.perf_counter()
    torch.manual_seed(7)
    with given.data.open() as file:
        rows = [[float(v) for v in row[1:]] for row in list(csv.reader(file))[1 : EDGES[-1] + 1]]
    values = np.asarray(rows, np.float32)
    train_rows = values[: EDGES[1]]
    scaled = torch.from_numpy((values - train_rows.mean(0)) / train_rows.std(0))
    train, validation, test = (Windows(scaled, EDGES[i], EDGES[i + 1]) for i in range(3))
    model = Forecaster(values.shape[1], given.units)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
    loss, best, kept = nn.MSELoss(), float("inf"), model.state_dict()
    ready = time.perf_counter()
    for _ in range(given.epochs):
        for inputs, labels in DataLoader(train, BATCH, shuffle=True):
            optimizer.zero_grad()
            loss(model(inputs), labels).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        now = scores(model, validation)["mse"]
        if now < best:
            best, kept = now, copy.deepcopy(model.state_dict())
    trained = time.perf_counter()
    model.load_state_dict(kept)
    found = scores(model, test)
    torch.save(model.state_dict(), given.out)
    ended = time.perf_counter()
    seconds = {
        "run": ended - imported,
        "data": ready - imported,
        "training": trained - ready,
        "evaluation": ended - trained,
    }
    windows = {"train": len(train), "validation": len(validation), "test": len(test)}
    print(json.dumps({"seconds": seconds, "scores": found, "windows": windows}))


if __name__ == "__main__":
    main()
