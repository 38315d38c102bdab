"""`FlowWatch`: measures gradient flow while a training runs, and warns."""

from __future__ import annotations

import keras

from models.training.gradient_flow.config import GradientFlowConfig
from models.training.gradient_flow.flow import GradientFlow
from models.training.gradient_flow.plan import ProbePlan
from models.training.gradient_flow.probe import FlowProbe, has_states
from models.training.history import TrainingHistory
from models.training.listener import Listener
from models.training.losses import Loss


class FlowWatch:
    """What `config` asks for on one training, nothing if it is off.

    Args:
        network: In training.
        plan: Which `config.windows` windows to measure it on, and how.
        loss: Of the training.
        config: When and on how many windows.
        listener: Hears warnings.
    """

    def __init__(
        self,
        network: keras.Model,
        plan: ProbePlan,
        loss: Loss,
        config: GradientFlowConfig,
        listener: Listener,
    ) -> None:
        self._every = config.every
        self._shorter = plan.shorter
        self._listener = listener
        self._exploded = False
        self._probe = None
        if config.every and has_states(network):
            batch = plan.batch(config.windows)
            if batch is None:
                listener.warn(
                    f"gradient flow is not measured: none of {plan.looked_at} looked at has an "
                    "observed label"
                )
            else:
                self._probe = FlowProbe(network, *batch, loss, backward=plan.backward)

    def after_epoch(self, epoch: int, last: bool, history: TrainingHistory) -> None:
        """Measures if it is time to, and adds the result to `history`.

        Args:
            epoch: Finished epochs.
            last: Whether the training ends here.
            history: Of the training.
        """
        if self._probe is None or not (epoch == 1 or epoch % self._every == 0 or last):
            return
        flow = self._probe.measure(epoch)
        history.gradient_flow.append(flow.to_json())
        text = flow.exploding()
        if text is not None and not self._exploded:
            self._exploded = True
            self._listener.warn(text)

    def after_training(self, history: TrainingHistory) -> None:
        """Warns if, as last measured, gradients vanish within what the network reads."""
        if history.gradient_flow:
            text = GradientFlow.from_json(history.gradient_flow[-1]).vanishing(self._shorter)
            if text is not None:
                self._listener.warn(text)
