"""The fastest product of matrices that TensorFlow makes on this machine."""

from __future__ import annotations

import time

SIZE = 2048
"""Rows and columns of both factors: large enough for a product to run at full speed."""


def tensorflow_peak() -> dict[str, float]:
    """GFLOP/s of a float32 product of `SIZE` by `SIZE`, the best of three."""
    import tensorflow as tf

    a = tf.random.normal((SIZE, SIZE))
    seconds = []
    for _ in range(4):
        began = time.perf_counter()
        float(tf.linalg.matmul(a, a)[0, 0])
        seconds.append(time.perf_counter() - began)
    return {"gflops": 2 * SIZE**3 / min(seconds[1:]) / 1e9}
