"""The network of a work in PyTorch, with weights that come in the layout of Keras."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.cells.data import Floats
from benchmarks.cells.work import Work

LAYERS = {"lstm": nn.LSTM, "gru": nn.GRU, "simple_rnn": nn.RNN}


class Plain(nn.Module):
    """A recurrent layer with a linear map on its last state."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self.rnn = LAYERS[work.cell](work.features, work.units, batch_first=True)
        self.head = nn.Linear(work.units, work.outputs)

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:  # noqa: ARG002
        """[batch, steps, features] to [batch, outputs]."""
        states, _ = self.rnn(inputs)
        return self.head(states[:, -1])

    def step(
        self, inputs: Tensor, state: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """One carried step of an LSTM: [batch, 1, features] to [batch, outputs]."""
        states, after = self.rnn(inputs, state)
        return self.head(states[:, -1]), after


class Packed(nn.Module):
    """A bidirectional layer over packed sequences."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self.rnn = nn.LSTM(work.features, work.units, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * work.units, work.outputs)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """[batch, steps, features] and lengths [batch] on the CPU to [batch, outputs]."""
        packed = nn.utils.rnn.pack_padded_sequence(
            inputs, lengths, batch_first=True, enforce_sorted=False
        )
        _, (last, _) = self.rnn(packed)
        return self.head(torch.cat([last[0], last[1]], dim=1))


class Gather(nn.Module):
    """Two layers; one reads each sequence reversed within its length, padding staying behind.

    Neither needs a mask: with padding on the right, the state after the last real step depends on
    nothing behind it.
    """

    def __init__(self, work: Work) -> None:
        super().__init__()
        self.ahead = nn.LSTM(work.features, work.units, batch_first=True)
        self.back = nn.LSTM(work.features, work.units, batch_first=True)
        self.head = nn.Linear(2 * work.units, work.outputs)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """[batch, steps, features] and lengths [batch] to [batch, outputs]."""
        rows = torch.arange(len(inputs), device=inputs.device)
        last = lengths.to(inputs.device) - 1
        steps = torch.arange(inputs.shape[1], device=inputs.device)
        mirrored = last[:, None] - steps
        order = torch.where(mirrored >= 0, mirrored, steps)
        ahead, _ = self.ahead(inputs)
        back, _ = self.back(inputs[rows[:, None], order])
        return self.head(torch.cat([ahead[rows, last], back[rows, last]], dim=1))


def network(work: Work, variant: str, weights: Sequence[Floats]) -> nn.Module:
    """The network with these weights.

    Args:
        work: The work.
        variant: `plain`, `packed` or `gather`.
        weights: As `data.weights` has them.
    """
    made: nn.Module = {"plain": Plain, "packed": Packed, "gather": Gather}[variant](work)
    *layers, kernel, bias = weights
    _fill(made.head.weight, kernel.T)
    _fill(made.head.bias, bias)
    if variant == "gather":
        _fill_layer(work, made.ahead, "", layers[:3])
        _fill_layer(work, made.back, "", layers[3:])
    else:
        _fill_layer(work, made.rnn, "", layers[:3])
        if work.masked:
            _fill_layer(work, made.rnn, "_reverse", layers[3:])
    return made


def _fill_layer(work: Work, layer: nn.Module, end: str, weights: Sequence[Floats]) -> None:
    kernel, recurrent, bias = (_gates(work, w) for w in weights)
    _fill(getattr(layer, f"weight_ih_l0{end}"), kernel.T)
    _fill(getattr(layer, f"weight_hh_l0{end}"), recurrent.T)
    first, second = bias if work.cell == "gru" else (bias, np.zeros_like(bias))
    _fill(getattr(layer, f"bias_ih_l0{end}"), first)
    _fill(getattr(layer, f"bias_hh_l0{end}"), second)


def _gates(work: Work, weight: Floats) -> Floats:
    """Keras' GRU has the update gate first, PyTorch's the reset gate; LSTMs agree."""
    if work.cell != "gru":
        return weight
    update, reset, new = np.split(weight, 3, axis=-1)
    return np.concatenate([reset, update, new], axis=-1)


def _fill(parameter: Tensor, values: Floats) -> None:
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))
