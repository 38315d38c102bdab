"""What training changes in the process, it puts back."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config as tf_config

from models.errors import BadInputError
from models.training import machine
from models.training.config import TrainConfig, TruncatedBptt
from models.training.machine import keep_off_cudnn, training_machine, uses_gpu
from tests.models.training.conftest import Ear


def test_policy_determinism_and_seed_inside_and_afterwards(ear: Ear) -> None:
    before = keras.config.dtype_policy().name
    draws = []
    for _ in range(2):
        config = TrainConfig(precision="mixed_bfloat16", devices="cpu")
        with training_machine(config, ear) as strategy:
            assert keras.config.dtype_policy().name == "mixed_bfloat16"
            assert tf_config.is_op_determinism_enabled()
            assert strategy.num_replicas_in_sync == 1
            draws.append((float(tf.random.uniform(())), float(np.random.random())))  # noqa: NPY002
    assert draws[0] == draws[1]
    assert keras.config.dtype_policy().name == before
    assert not tf_config.is_op_determinism_enabled()


def test_a_gpu_that_is_not_there(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "gpus", list)
    with (
        pytest.raises(BadInputError, match="sees no GPU"),
        training_machine(TrainConfig(devices="gpu"), ear),
    ):
        pass
    assert not uses_gpu(TrainConfig())


def test_truncated_bptt_takes_one_of_several_gpus(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "gpus", lambda: ["/gpu:0", "/gpu:1", "/gpu:2"])
    with training_machine(TrainConfig(bptt=TruncatedBptt(truncated=4)), ear) as strategy:
        assert strategy.num_replicas_in_sync == 1
    assert any("one GPU, and 2 more" in text for text in ear.warnings)


def test_recurrent_layers_are_kept_off_cudnn() -> None:
    inside = keras.layers.Bidirectional(keras.layers.LSTM(2))
    network = keras.Sequential([keras.Input((3, 1)), inside])
    keep_off_cudnn(network)
    assert inside.forward_layer.use_cudnn is False
    assert inside.backward_layer.use_cudnn is False
