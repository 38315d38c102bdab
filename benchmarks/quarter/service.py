"""What the served model said of a day, before anybody knew the day."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

DAY = 24


def errors(
    serving: Path, hourly: pd.Series, day: pd.Timestamp, *, before: int | None
) -> tuple[int, float, float] | None:
    """Version, mean absolute error of the live model on `day`, and that of the seasonal naive.

    The forecast starts from the last hour of the day before. TensorFlow alone is asked, as a
    client of the serving directory would.

    Args:
        serving: The model directory.
        hourly: The true values.
        day: Midnight.
        before: A version that was pushed only after that day, or None.

    Returns:
        None where no version is live.
    """
    there = {int(p.name) for p in serving.glob("[0-9]*")} if serving.is_dir() else set()
    versions = sorted(there - {before})
    if not versions:
        return None
    import tensorflow as tf

    signature = tf.saved_model.load(str(serving / str(versions[-1]))).signatures["serving_default"]
    specs = signature.structured_input_signature[1]
    known, truth = hourly[hourly.index < day], hourly[hourly.index >= day].iloc[:24].to_numpy()
    name = next(name for name in specs if name != "time")
    feed = {name: tf.constant([known.iloc[-specs[name].shape[1] :].to_numpy()], tf.float32)}
    if "time" in specs:
        origin = int(known.index[-1].tz_localize("UTC").timestamp())
        feed["time"] = tf.constant([origin], tf.int64)
    said = next(iter(signature(**feed).values())).numpy()[0, : len(truth)]
    naive = known.iloc[-DAY:][: len(truth)].to_numpy()
    return versions[-1], float(abs(said - truth).mean()), float(abs(naive - truth).mean())
