"""The machine that a network is trained on: devices, precision, seeds, threads.

All settings of TensorFlow that training makes are made here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.framework import config as tf_config

from models.cells.registry import fusable
from models.errors import BadInputError
from models.network.config import RecurrentConfig
from models.training.config import FittingConfig
from models.training.execution import execution
from models.training.listener import Listener
from models.training.threads import set_threads

JIT_COMPILE = False
"""XLA. It compiles for seconds at each new shape of a batch, and does not know BlockLSTMV2."""


def gpus() -> list[str]:
    """Names of the GPUs that TensorFlow may use now."""
    return [device.name for device in tf.config.get_visible_devices("GPU")]


def claim_threads(config: FittingConfig, model: RecurrentConfig) -> bool:
    """Sets the threads of this process for a training, before TensorFlow computes anything in it.

    Args:
        config: `devices` and `execution` are used.
        model: The network to be trained.

    Returns:
        Whether they are as planned; False where TensorFlow has started with other ones.
    """
    plan = execution(
        config.execution,
        gpu=uses_gpu(config),
        fusable=fusable(model),
        directions=2 if model.bidirectional else 1,
    )
    return set_threads(plan)


@contextmanager
def training_machine(
    config: FittingConfig, listener: Listener, model: RecurrentConfig | None = None
) -> Iterator[tf.distribute.Strategy]:
    """Prepares this process for training; build the network and call `fit_forecaster` inside.

    Sets the seeds of Python, NumPy and TensorFlow, the Keras precision policy and, on a CPU,
    TensorFlow's deterministic operations; policy and determinism are put back afterwards. Threads
    are those of `train.execution` where TensorFlow has not computed anything in this process yet;
    they stay.

    Args:
        config: `devices`, `precision`, `seed`, `execution` and `one_device` are used. `auto` is
            every GPU, or the CPU; with truncated backpropagation through time it is the first GPU.
        listener: Hears about choices that cost speed.
        model: The network to be trained, for the choice of threads; None leaves them.

    Yields:
        The distribution strategy in whose scope the block runs: MirroredStrategy over several
        GPUs, else one device.

    Raises:
        BadInputError: If `devices: gpu` is asked for and there is none.
    """
    found = gpus()
    if config.devices == "gpu" and not found:
        raise BadInputError(
            "train.devices is gpu, but TensorFlow sees no GPU on this machine; check the driver "
            "and CUDA libraries, or write devices: auto to train on the CPU"
        )
    on_cpu = config.devices == "cpu" or not found
    if on_cpu and config.precision == "mixed_float16":
        listener.warn(
            "train.precision mixed_float16 is slower than float32 on a CPU; it is for GPUs"
        )
    if model is not None:
        claim_threads(config, model)
    keras.utils.set_random_seed(config.seed)
    if config.one_device and not on_cpu and len(found) > 1:
        listener.warn(
            f"train.bptt is truncated: the state is carried on one GPU, and {len(found) - 1} more "
            "of this machine stay unused"
        )
        found = found[:1]
    strategy = _strategy(found, on_cpu)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(config.precision)
    try:
        with (
            _deterministic() if on_cpu else nullcontext(),
            nullcontext() if strategy is None else strategy.scope(),
        ):
            yield tf.distribute.get_strategy()
    finally:
        keras.config.set_dtype_policy(before)


def _strategy(found: list[str], on_cpu: bool) -> tf.distribute.Strategy | None:
    if on_cpu:
        # With a GPU in the machine the block must still stay off it.
        return tf.distribute.OneDeviceStrategy("/cpu:0") if found else None
    return tf.distribute.MirroredStrategy() if len(found) > 1 else None


@contextmanager
def _deterministic() -> Iterator[None]:
    """Deterministic operations inside the block.

    Private import: TensorFlow offers no public way back, and leaving it on would make random
    operations without a seed fail in whatever runs later in this process.
    """
    before = tf_config.is_op_determinism_enabled()
    tf.config.experimental.enable_op_determinism()
    try:
        yield
    finally:
        if not before:
            tf_config.disable_op_determinism()


def keep_off_cudnn(network: Any) -> None:
    """Forbids cuDNN kernels in every recurrent layer of `network` (for training on a CPU).

    Keras chooses them when it traces, by whether a GPU is listed, not by where the trace runs.
    """
    for layer in network._flatten_layers(include_self=False):
        if hasattr(layer, "use_cudnn"):
            layer.use_cudnn = False


def uses_gpu(config: FittingConfig) -> bool:
    """Whether training as configured runs on a GPU of this machine."""
    return config.devices != "cpu" and bool(gpus())
