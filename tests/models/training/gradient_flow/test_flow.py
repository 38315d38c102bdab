"""What a measurement says, without a network."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.train.flow_figures import flow_figures
from models.training.gradient_flow.flow import GradientFlow, reach


def flow(*norms, epoch=3):
    return GradientFlow(epoch, {f"layer_{i}": values for i, values in enumerate(norms)})


@given(st.floats(0.05, 0.999), st.integers(1, 200), st.floats(1e-6, 1e6))
def test_of_a_geometric_decay_the_reach_is_where_it_crosses_one_per_cent(rate, steps, first):
    norms = [first * rate**lag for lag in range(steps)]
    crossing = math.log(0.01) / math.log(rate)
    if abs(crossing - round(crossing)) > 1e-6:
        assert reach(norms) == min(math.ceil(crossing), steps)


@pytest.mark.parametrize(
    ("norms", "expected"),
    [
        ([2.0], 1),
        ([2.0, 2.0, 2.0], 3),
        ([2.0, 0.02, 0.001], 1),  # 1% itself has fallen
        ([2.0, 0.001, 1.0, 0.001], 3),  # it stays there from lag 3 on only
        ([1.0, 5.0, 0.001], 2),
        ([0.0, 0.0, 0.0], 0),
    ],
)
def test_reach(norms, expected):
    assert reach(norms) == expected


def test_the_first_layer_says_how_far_the_network_learns():
    fast, slow = [1.0, 0.001, 0.001, 0.001], [1.0, 0.5, 0.25, 0.125]
    assert flow(slow, fast).reach == 4
    assert flow(slow, fast).vanishing() is None
    assert flow(fast, slow).reach == 1
    both = GradientFlow(1, {"r": fast, "r backward": slow, "s": fast, "s backward": fast})
    assert both.reach == 4
    assert both.vanishing() is None


def test_vanishing_says_after_which_step_and_what_to_do():
    text = flow([1.0, 0.5, 0.01, 0.002], epoch=12).vanishing()
    assert text is not None
    for words in (
        "after epoch 12",
        "layer_0",
        "from 2 steps back on",
        "the first 2 of the 4 steps",
    ):
        assert words in text
    dead = flow([0.0, 0.0]).vanishing()
    assert dead is not None
    assert dead.startswith("no gradient")


def test_exploding_is_a_hundredfold_growth_in_any_layer():
    assert flow([1.0, 50.0, 100.0]).exploding() is None
    text = flow([1.0, 1.0, 1.0], [1e-3, 0.05, 0.2]).exploding()
    assert text is not None
    for words in ("layer_1", "200 times", "2 steps back", "before clipping", "train.clip"):
        assert words in text
    assert "inf times" in str(flow([1.0, math.nan, 2.0]).exploding())
    assert flow([0.0, 0.0]).exploding() is None


def test_it_survives_json():
    measured = flow([1.0, 0.1], [0.3, 0.2])
    assert GradientFlow.from_json(json.loads(json.dumps(measured.to_json()))) == measured


@pytest.mark.parametrize("epochs", [[1], [1, 5, 10, 12], list(range(1, 60))])
def test_figures_show_the_last_curve_and_every_epoch(tmp_path, epochs):
    decay, dead = [0.9**k for k in range(20)], [0.0] * 20
    measured = [flow(decay, [1e-4 / (e + k) for k in range(20)], dead, epoch=e) for e in epochs]
    drawn = dict(flow_figures(measured))
    assert set(drawn) == {"figures/gradient_flow.png", "figures/gradient_flow_epochs.png"}
    lines = drawn["figures/gradient_flow.png"].axes[0].lines
    assert lines[0].get_label() == f"layer_0, after epoch {epochs[-1]}"
    np.testing.assert_allclose(lines[0].get_ydata(), decay)
    panels = drawn["figures/gradient_flow_epochs.png"].axes
    image = panels[0].images[0].get_array()
    assert image.shape == (20, len(epochs))
    np.testing.assert_allclose(image[:, -1], np.log10(decay), atol=1e-12)
    ticks = [label.get_text() for label in panels[0].get_xticklabels()]
    assert ticks[0] == "1"
    assert ticks[-1] == str(epochs[-1])
    for index, figure in enumerate(drawn.values()):
        figure.savefig(tmp_path / f"{index}.png")
        assert (tmp_path / f"{index}.png").stat().st_size > 5000
