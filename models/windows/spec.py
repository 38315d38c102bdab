"""`WindowSpec`: the one definition of a window, shared by training, backtest and serving."""

from __future__ import annotations

from pydantic import Field

from models.section import Section


class WindowSpec(Section):
    """How much past a model sees and how much future it forecasts, in steps.

    A window at forecast origin `t` (the index of the last input step) has the inputs
    `x[t - lookback + 1 .. t]` and the labels `x[t + 1 + gap .. t + gap + horizon]`, both ends
    included. In a stretch of `n` consecutive steps the origins are `lookback - 1`,
    `lookback - 1 + stride`, ... while `t + gap + horizon < n`.
    """

    lookback: int = Field(ge=1, description="input steps L")
    horizon: int = Field(ge=1, description="label steps H")
    stride: int = Field(default=1, ge=1, description="steps between two forecast origins")
    gap: int = Field(default=0, ge=0, description="steps between last input and first label")

    @property
    def span(self) -> int:
        """Steps from the first input to the last label, both included."""
        return self.lookback + self.gap + self.horizon

    @property
    def reach(self) -> int:
        """Steps from the forecast origin to the last label."""
        return self.gap + self.horizon

    def count(self, steps: int) -> int:
        """Number of windows in `steps` consecutive steps: `steps - span + 1` at stride 1."""
        return max(0, (steps - self.span) // self.stride + 1)
