"""Retryable components are tried again with back-off; refusals never are."""

import io
from collections.abc import Callable

import pytest

from models.errors import BadInputError, FailedRunError
from pipeline.runner.display import TerminalDisplay
from pipeline.runner.retry import FIRST_WAIT, RETRIES, with_retries


class Attempts:
    """Fails `failures` times with what `error` makes, then answers 42."""

    def __init__(self, failures: int, error: Callable[[], Exception]) -> None:
        self.failures = failures
        self.error = error
        self.made = 0

    def __call__(self) -> int:
        self.made += 1
        if self.made <= self.failures:
            raise self.error()
        return 42


def away() -> Exception:
    return ConnectionError("the database is away\nsecond line")


def run(name: str, attempts: Attempts) -> tuple[object, list[float], str]:
    waits: list[float] = []
    words = io.StringIO()
    value = with_retries(name, attempts, display=TerminalDisplay(words), sleep=waits.append)
    return value, waits, words.getvalue()


def test_a_moment_of_absence_is_waited_out_with_back_off() -> None:
    attempts = Attempts(2, away)
    value, waits, words = run("ingest", attempts)
    assert value == 42
    assert waits == [FIRST_WAIT, 2 * FIRST_WAIT]
    assert words.count("the database is away") == 2
    assert "second line" not in words


@pytest.mark.parametrize("name", ["ingest", "train"])
def test_after_the_last_attempt_the_run_fails_in_plain_words(name: str) -> None:
    attempts = Attempts(99, away)
    with pytest.raises(FailedRunError, match=f"Component {name} failed with ConnectionError"):
        run(name, attempts)
    assert attempts.made == 1 + RETRIES.get(name, 0)


def test_a_refusal_is_not_repeated() -> None:
    attempts = Attempts(1, lambda: BadInputError("the file is empty"))
    with pytest.raises(BadInputError, match="the file is empty"):
        run("ingest", attempts)
    assert attempts.made == 1


def test_an_interrupt_is_not_swallowed() -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        with_retries("ingest", interrupted, display=TerminalDisplay(io.StringIO()))
