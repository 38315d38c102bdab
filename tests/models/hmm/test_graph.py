from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.hmm import graph
from models.hmm.chain import Chain, smoothed
from models.hmm.emissions import Categorical, DiagonalGaussian
from models.hmm.graph_emissions import SymbolDensity, VectorDensity, stacked
from models.hmm.recursions import forward, posterior

RNG = np.random.default_rng(11)


def random_chain(states):
    return Chain(
        smoothed(RNG.exponential(size=states), 0.01),
        smoothed(RNG.exponential(size=(states, states)), 0.01),
    )


# Models of different sizes, so that some are padded with states that cannot be reached.
CHAINS = [random_chain(3), random_chain(1), random_chain(4)]
SYMBOLS = [Categorical(smoothed(RNG.random((c.states, 5)), 0.01)) for c in CHAINS]
VECTORS = [
    DiagonalGaussian(100 + RNG.normal(size=(c.states, 2)), 0.1 + RNG.random((c.states, 2)))
    for c in CHAINS
]
LENGTH = np.array([7, 1, 4], np.int32)
IDS = RNG.integers(1, 6, (3, 7)).astype(np.int32)
# The last row is far from every state: plain densities would all be 0.
VALUES = (100 + RNG.normal(size=(3, 7, 2))).astype(np.float32)
VALUES[2, 1] = 500.0


@pytest.fixture(params=["symbols", "vectors"])
def case(request):
    """Log densities in the graph, and by row and model in NumPy."""
    if request.param == "symbols":
        inputs, models, density = IDS, SYMBOLS, SymbolDensity(SYMBOLS)
        steps = [row[:n] - 1 for row, n in zip(IDS, LENGTH, strict=True)]
    else:
        inputs, models, density = VALUES, VECTORS, VectorDensity(VECTORS)
        steps = [row[:n] for row, n in zip(VALUES, LENGTH, strict=True)]
    expected = [[model.log_density(row) for model in models] for row in steps]
    return density, inputs, expected


def test_densities_are_those_of_numpy(case):
    density, inputs, expected = case
    found = density(tf.constant(inputs)).numpy()
    assert found.dtype == np.float64
    for b, row in enumerate(expected):
        for m, log_emission in enumerate(row):
            states = log_emission.shape[1]
            np.testing.assert_allclose(
                found[b, : LENGTH[b], m, :states], log_emission, rtol=1e-5, atol=1e-5
            )


def run(density, inputs, length):
    start, transition = (tf.constant(a) for a in stacked(CHAINS))
    log_emission = density(tf.constant(inputs))
    return [
        np.asarray(x)
        for x in (
            *graph.forward(start, transition, log_emission, tf.constant(length)),
            graph.posterior(start, transition, log_emission, tf.constant(length)),
        )
    ]


def test_recursions_are_those_of_numpy_for_every_row_and_model(case):
    density, inputs, expected = case
    filtered, likelihood, smooth = run(density, inputs, LENGTH)
    assert np.isfinite(smooth).all()
    alone = graph.likelihood(
        *(tf.constant(a) for a in stacked(CHAINS)),
        lambda t: density(tf.constant(inputs)[:, t]),
        tf.constant(LENGTH),
    )
    np.testing.assert_allclose(alone, likelihood, rtol=1e-12)
    for b, row in enumerate(expected):
        for m, (chain, log_emission) in enumerate(zip(CHAINS, row, strict=True)):
            reference = forward(chain, log_emission)
            assert likelihood[b, m] == pytest.approx(reference.log_likelihood, rel=1e-5)
            inside = (b, slice(LENGTH[b]), m, slice(chain.states))
            np.testing.assert_allclose(filtered[inside], reference.state, atol=1e-5)
            np.testing.assert_allclose(smooth[inside], posterior(chain, log_emission), atol=1e-5)
            assert (smooth[b, :, m, chain.states :] == 0).all()


def test_padding_and_other_rows_change_nothing(case):
    density, inputs, _ = case
    together = run(density, inputs, LENGTH)
    for b, n in enumerate(LENGTH):
        alone = run(density, inputs[b : b + 1, :n], LENGTH[b : b + 1])
        more = np.concatenate([inputs, np.full_like(inputs, 5)], axis=1)
        padded = run(density, more, LENGTH)
        for name, a, t, p in zip("fls", alone, together, padded, strict=True):
            cut = (b,) if name == "l" else (b, slice(n))
            np.testing.assert_allclose(t[cut], a[0], rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(p[cut], a[0], rtol=1e-12, atol=1e-12)
