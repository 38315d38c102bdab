"""Threads are set in a process that has computed nothing yet, and left alone in any other."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import json
from models.network.config import ModelConfig
from models.training import execution
from models.training.config import TrainConfig
from models.training.machine import claim_threads
from models.training.threads import threads
import tensorflow as tf

execution.cores = lambda: 3
found = [claim_threads(TrainConfig(devices="cpu"), ModelConfig(cell="gru")), threads()]
tf.constant(1.0) + 1.0
more = TrainConfig.model_validate({"devices": "cpu", "execution": {"intra_op": 2}})
found += [claim_threads(more, ModelConfig()), threads()]
print(json.dumps(found))
"""


def test_before_and_after_the_first_operation():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=120
    )
    assert json.loads(done.stdout) == [True, [1, 3], False, [1, 3]]
