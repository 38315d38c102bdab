"""When and on what gradient flow is measured."""

from __future__ import annotations

from pydantic import Field

from models.section import Section


class GradientFlowConfig(Section):
    """How far back the loss gradient reaches, measured between epochs on the same train windows.

    At each of the steps that a recurrent layer reads, the norm of the gradient of the loss by the
    layer's state; MLflow gets it as a curve over the time lag and as a heat map over epochs, and as
    the metric `gradient_reach` the lag from which on the norm stays at or below 1% of that at the
    last step (the number of steps, where it never does). It is measured after the first epoch,
    after every `every` epochs, and after the last, and does not change what is learned. There is a
    warning if the norm falls to 1% before the first step of the lookback, and if, before clipping,
    it grows to more than 100 times that at the last step.
    """

    every: int = Field(default=5, ge=0, description="epochs between measurements; 0: none are made")
    windows: int = Field(default=32, ge=1, description="train windows it is measured on")
