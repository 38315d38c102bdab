from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.lds.em import fit_em, fit_steady, lifted, maximised
from models.lds.kalman import kalman_filter
from models.lds.moments import moments
from models.lds.pieces import Piece
from models.lds.smoother import smooth
from tests.models.lds.systems import random_system, reference, simulated


def pieces_of(model, seed, missing, lengths=(30, 1, 20)):
    random = np.random.default_rng(seed)
    values = [simulated(model, rows, seed + rows) for rows in lengths]
    return [Piece(v, random.random(v.shape) >= missing) for v in values]


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 9999),
    states=st.integers(1, 4),
    columns=st.integers(1, 3),
    missing=st.sampled_from([0.0, 0.2]),
)
def test_the_likelihood_never_falls(seed, states, columns, missing):
    pieces = pieces_of(random_system(seed, states, columns), seed, missing)
    start = random_system(seed + 1, states, columns)
    for fit in (fit_em, fit_steady):
        path = fit(start, pieces, 6).log_likelihoods
        assert (np.diff(path) >= -1e-7 * np.abs(path[:-1])).all()
        assert len(path) > 1
    # It is also what a filter of its own says, and the reference.
    fitted = fit_em(start, pieces, 3)
    total = 0.0
    for piece in pieces:
        values = np.where(piece.seen, piece.values, np.nan)
        total += reference(fitted.model, values).ssm.loglike()
    assert fitted.log_likelihoods[-1] == pytest.approx(total, abs=1e-5)


def test_moments_are_sums_over_the_smoothed_rows():
    model = random_system(3, 2, 2)
    pieces = pieces_of(model, 1, 0.0)
    found = moments(model, pieces)
    before, crossed, states = np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((2, 2))
    for piece in pieces:
        other = reference(model, piece.values).ssm.smooth()
        means, spread = other.smoothed_state.T, np.moveaxis(other.smoothed_state_cov, -1, 0)
        lagged = np.moveaxis(other.smoothed_state_autocov, -1, 0)
        for t in range(len(means)):
            square = np.outer(means[t], means[t]) + spread[t]
            states += square
            if t + 1 < len(means):
                before += square
                crossed += np.outer(means[t + 1], means[t]) + lagged[t]
    np.testing.assert_allclose(found.states[:2, :2], states, rtol=1e-6)
    np.testing.assert_allclose(found.before, before, rtol=1e-6)
    np.testing.assert_allclose(found.crossed, crossed, atol=1e-6)
    assert (found.steps, found.rows, len(found.firsts)) == (48, 51, 3)


def test_one_step_improves_every_part_of_the_expected_likelihood():
    model = random_system(5, 2, 2)
    pieces = pieces_of(random_system(6, 2, 2), 2, 0.3, (80,))
    best = maximised(model, moments(model, pieces))

    # The expected log density of the states is greatest at the new matrices, nowhere near them.
    found = moments(model, pieces)

    def expected(transition, noise):
        left = found.after - transition @ found.crossed.T - found.crossed @ transition.T
        left = left + transition @ found.before @ transition.T
        inverse = np.linalg.inv(noise)
        return -found.steps * np.linalg.slogdet(noise)[1] - np.trace(inverse @ left)

    top = expected(best.transition, best.state_noise)
    random = np.random.default_rng(0)
    for _ in range(20):
        nudge = 0.02 * random.normal(size=(2, 2))
        assert expected(best.transition + nudge, best.state_noise) < top
        assert expected(best.transition, best.state_noise + nudge @ nudge.T) < top


def test_a_floor_keeps_the_noise_of_a_constant_series():
    start = lifted(random_system(7, 2, 1), 1e-6)
    piece = Piece(np.zeros((50, 1)), np.ones((50, 1), bool))
    fitted = fit_em(start, [piece], 60)
    assert np.isfinite(fitted.log_likelihoods).all()
    assert (np.diff(fitted.log_likelihoods) >= -1e-6).all()
    assert np.linalg.eigvalsh(fitted.model.observation_noise)[0] >= 1e-6 * (1 - 1e-9)


def test_first_states_may_be_given_by_piece():
    model = random_system(8, 2, 1)
    values = simulated(model, 30, 1)
    seen = np.ones(values.shape, bool)
    first = np.array([3.0, -2.0])
    given_first = kalman_filter(model, values, seen, first=first)
    other = kalman_filter(replace(model, mean=first), values, seen)
    np.testing.assert_array_equal(given_first.filtered, other.filtered)
    np.testing.assert_array_equal(smooth(given_first).means, smooth(other).means)
