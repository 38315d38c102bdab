"""The two ways in which Elman refuses: bad input, and a run that failed."""

from __future__ import annotations


class ElmanError(Exception):
    """A refusal whose message is for people: what was received, what was expected, what to do."""

    exit_code = 1


class BadInputError(ElmanError, ValueError):
    """Configuration or data that cannot be used as it is; the command line exits with 2."""

    exit_code = 2


class FailedRunError(ElmanError, RuntimeError):
    """A run that started on good input and could not finish; the command line exits with 1."""

    exit_code = 1


class DataAnomalyError(BadInputError):
    """Data that breaks the schema; `anomalies` lists each as (column, short, description)."""

    def __init__(self, message: str, anomalies: tuple[tuple[str, str, str], ...] = ()) -> None:
        super().__init__(message)
        self.anomalies = anomalies
