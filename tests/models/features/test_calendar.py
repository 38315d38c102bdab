from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import BadInputError
from models.features.calendar import Calendar, calendar_values, step_times
from models.features.step import Step

FREQUENCIES = [
    *("s", "15min", "h", "6h", "D", "2D", "W-SAT", "2W-MON", "B", "3B", "MS", "ME", "2MS", "QS"),
    *("QE", "QS-FEB", "YS", "YE", "YS-APR", "YE-JUN", "BMS", "BME", "BQE-DEC", "BYS"),
]
SECONDS = st.integers(-(10**10), 10**10)  # years 1653 to 2286


@settings(max_examples=200, deadline=None)
@given(st.lists(SECONDS, min_size=1, max_size=50))
def test_values_are_those_of_pandas(seconds):
    index = pd.to_datetime(np.array(seconds, "datetime64[s]"))
    expected = {
        "minute_of_hour": index.minute,
        "hour_of_day": index.hour,
        "day_of_week": index.dayofweek,
        "day_of_month": index.day,
        "day_of_year": index.dayofyear,
        "week_of_year": index.isocalendar().week,
        "month_of_year": index.month,
        "quarter_of_year": index.quarter,
    }
    values = calendar_values(tf.constant(seconds, tf.int64))
    assert set(values) == set(expected)
    for name, (value, phase) in values.items():
        np.testing.assert_array_equal(value, np.asarray(expected[name], np.int64), err_msg=name)
        assert (np.asarray(phase) >= 0).all()
        assert (np.asarray(phase) < 1).all()


def test_phases_divide_by_the_true_length_of_the_cycle():
    days = pd.date_range("1999-12-20", "2001-01-10")
    seconds = tf.constant(days.as_unit("s").asi8)
    values = calendar_values(seconds)
    year = np.where(days.is_leap_year, 366, 365)
    np.testing.assert_allclose(values["day_of_year"][1], (days.dayofyear - 1) / year, rtol=1e-6)
    month = (days.day - 1) / days.days_in_month
    np.testing.assert_allclose(values["day_of_month"][1], month, rtol=1e-6)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(FREQUENCIES),
    st.dates(pd.Timestamp("1950-01-01").date(), pd.Timestamp("2099-12-31").date()),
    st.integers(1, 40),
    st.integers(1, 40),
)
def test_steps_are_those_of_pandas(frequency, start, past, future):
    index = pd.date_range(start, periods=past + future, freq=frequency).as_unit("s")
    origin = tf.constant([index.asi8[past - 1]], tf.int64)
    offsets = tf.range(1 - past, future + 1, dtype=tf.int64)
    times = step_times(origin, offsets, Step.parse(frequency))
    np.testing.assert_array_equal(times[0], index.asi8, err_msg=frequency)


@pytest.mark.parametrize("frequency", ["SMS", "bh", "C", "ms", "-1D", "nonsense", "LWOM-FRI"])
def test_steps_without_a_calendar_are_refused(frequency):
    with pytest.raises(BadInputError, match=r"data\.frequency"):
        Step.parse(frequency)


def test_layer_gives_points_on_the_circle_for_every_step():
    layer = Calendar(["day_of_week", "month_of_year"], "D", past=4, future=3)
    index = pd.date_range("2024-02-26", periods=7).as_unit("s")
    features = layer(tf.constant([index.asi8[3]], tf.int64))
    assert features.shape == (1, 7, 4)
    assert features.dtype == tf.float32
    for column, (value, period) in enumerate(((index.dayofweek, 7), (index.month - 1, 12))):
        angle = 2 * np.pi * np.asarray(value) / period
        np.testing.assert_allclose(features[0, :, 2 * column], np.sin(angle), atol=1e-6)
        np.testing.assert_allclose(features[0, :, 2 * column + 1], np.cos(angle), atol=1e-6)
    again = Calendar.from_config(layer.get_config())
    np.testing.assert_array_equal(again(tf.constant([index.asi8[3]], tf.int64)), features)
