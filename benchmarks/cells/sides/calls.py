"""What calls of an exported model have in common on every side. Needs NumPy alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.cells.channel import Channel
from benchmarks.cells.data import Floats
from benchmarks.cells.work import Call

SHOWN = 4
"""Windows of a call whose forecasts are compared between sides."""
CARRIED = 3
"""Steps after which the forecasts of a carried state are compared."""


def serve(
    channel: Channel,
    call: Call,
    windows: Floats,
    forecast: Callable[[Floats], Floats],
    restart: Callable[[], None],
    facts: Callable[[], dict[str, Any]],
) -> None:
    """Answers the check and turns of calls, until nobody asks more.

    Args:
        channel: To the benchmark.
        call: What is called.
        windows: Those of training, [windows, steps, features].
        forecast: From NumPy to NumPy: [batch, steps, features], or [1, features] where the state is
            carried, to [batch, outputs].
        restart: Forgets the state that is carried, if there is one.
        facts: Versions and devices.
    """
    series = np.ascontiguousarray(windows[0])
    first = np.ascontiguousarray(windows[: call.batch])

    def check() -> dict[str, Any]:
        restart()
        if call.carried:
            for row in series[:CARRIED]:
                found = forecast(row[None])
        else:
            found = forecast(first)
        return {"forecasts": np.asarray(found)[:SHOWN].tolist(), **facts()}

    channel.on("check", check)
    while True:
        channel.wait_for_turn()
        for number in range(call.turn):
            forecast(series[number % len(series)][None] if call.carried else first)
        channel.end_turn(call.turn)
