"""The works that every side does. Needs the standard library alone: PyTorch's process reads it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Cell = Literal["lstm", "gru", "simple_rnn"]
GATES: dict[str, int] = {"lstm": 4, "gru": 3, "simple_rnn": 1}
"""Matrix products of units by units in a step, side by side in one kernel."""


@dataclass(frozen=True)
class Work:
    """A recurrent layer with a linear map on its last state, and the batches it reads.

    Attributes:
        name: In tables and JSON.
        cell: Of the recurrent layer.
        units: Of one direction.
        batch: Rows of a step.
        steps: Length of a window, or of the longest sequence.
        features: Values at a time step.
        outputs: Values that are predicted; of a masked work, classes.
        horizon: Of these outputs, steps of a forecast: each has `outputs / horizon` values.
        masked: Whether a bidirectional layer classifies right-padded sequences of random length.
        turn: Training steps in a turn, which is an epoch.
    """

    name: str
    cell: Cell
    units: int
    batch: int
    steps: int = 96
    features: int = 7
    outputs: int = 24 * 7
    horizon: int = 24
    masked: bool = False
    turn: int = 128

    @property
    def directions(self) -> int:
        """Two where the layer is bidirectional."""
        return 2 if self.masked else 1

    @property
    def shortest(self) -> int:
        """Least length of a sequence: lengths are uniform from here to `steps`."""
        return max(1, self.steps // 4)

    @property
    def parameters(self) -> int:
        """Trainable values in Keras: a GRU has a bias at either product, others have one."""
        gates, biases = GATES[self.cell], 2 if self.cell == "gru" else 1
        layer = gates * self.units * (self.features + self.units + biases)
        return self.directions * layer + self.outputs * (self.directions * self.units + 1)

    @property
    def torch_parameters(self) -> int:
        """Trainable values in PyTorch, which has two biases where one would do."""
        extra = 0 if self.cell == "gru" else GATES[self.cell] * self.units
        return self.parameters + self.directions * extra

    def json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)


TRAINING = (
    Work("LSTM 64", "lstm", 64, 64),
    Work("LSTM 256", "lstm", 256, 128, turn=64),
    Work("GRU 64", "gru", 64, 64),
    Work("SimpleRNN 64", "simple_rnn", 64, 64),
    Work("masked BiLSTM 64", "lstm", 64, 64, features=12, outputs=9, horizon=1, masked=True),
)


@dataclass(frozen=True)
class Call:
    """Calls of an exported model of a work.

    Attributes:
        name: In tables and JSON.
        work: The model.
        batch: Windows in a call.
        turn: Calls in a turn.
        carried: Whether a call reads one time step and carries the state.
    """

    name: str
    work: Work
    batch: int
    turn: int
    carried: bool = False

    def json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)


CALLS = (
    Call("LSTM 64, a call of 1 window", TRAINING[0], 1, 400),
    Call("LSTM 64, a call of 256 windows", TRAINING[0], 256, 20),
    Call("LSTM 256, a call of 256 windows", TRAINING[1], 256, 6),
    Call("LSTM 64, one carried step", TRAINING[0], 1, 2000, carried=True),
)


def training_work(values: dict[str, Any]) -> Work:
    """The work whose `json` these values are."""
    return Work(**values)


def call_of(values: dict[str, Any]) -> Call:
    """The call whose `json` these values are."""
    return Call(**{**values, "work": Work(**values["work"])})
