"""Threads of TensorFlow, which can be set only before it computes anything in a process."""

from __future__ import annotations

import logging

import tensorflow as tf

from models.training.execution import Execution

log = logging.getLogger(__name__)


def set_threads(plan: Execution) -> bool:
    """Sets how many threads share an operation, and how many operations run side by side.

    Args:
        plan: Zeros leave TensorFlow's choice.

    Returns:
        Whether they are as planned now; False where TensorFlow has started with other ones.
    """
    threading = tf.config.threading
    try:
        if plan.intra_op:
            threading.set_intra_op_parallelism_threads(plan.intra_op)
        if plan.inter_op:
            threading.set_inter_op_parallelism_threads(plan.inter_op)
    except RuntimeError:
        log.info(
            "TensorFlow has started with %d and %d threads, which cannot be changed to %d and %d",
            *threads(),
            plan.intra_op,
            plan.inter_op,
        )
        return False
    return True


def threads() -> tuple[int, int]:
    """Threads that share an operation, operations side by side; 0: TensorFlow's choice."""
    threading = tf.config.threading
    return (
        threading.get_intra_op_parallelism_threads(),
        threading.get_inter_op_parallelism_threads(),
    )
