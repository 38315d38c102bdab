"""`Channel`: the child's end of the pipes to the benchmark. Needs the standard library alone."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

Answer = dict[str, Any]


class Channel:
    """Reads a question per line from standard input and answers with a line each.

    Answers go to what was standard output; whatever else is printed goes to standard error, so that
    no library can break into the talk.
    """

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        self._handlers: dict[str, Callable[[], Answer]] = {}
        self._asked = 0.0

    def on(self, name: str, handler: Callable[[], Answer]) -> None:
        """Answers the question `name` with what `handler` returns."""
        self._handlers[name] = handler

    def wait_for_turn(self) -> None:
        """Answers questions until one asks for a turn; ends the process when nobody asks more."""
        for line in sys.stdin:
            name = json.loads(line)
            if name == "turn":
                self._asked = time.perf_counter()
                return
            self._answer(self._handlers[name]())
        raise SystemExit(0)

    def end_turn(self, steps: int, loss: float | None = None) -> None:
        """Answers the turn that `wait_for_turn` returned for.

        Args:
            steps: Done in it.
            loss: Mean over its batches.
        """
        seconds = time.perf_counter() - self._asked
        self._answer({"seconds": seconds, "steps": steps, "loss": loss})

    def _answer(self, answer: Answer) -> None:
        self._out.write(json.dumps(answer) + "\n")
        self._out.flush()
