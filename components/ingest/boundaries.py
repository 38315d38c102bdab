"""Where train, validation and test begin, on the grid of time steps."""

from __future__ import annotations

from fractions import Fraction

from components.ingest.config import SplitConfig
from models.errors import BadInputError


def split_steps(split: SplitConfig, steps: int) -> tuple[int, int, int]:
    """How many of `steps` time steps train, validation and test get.

    A fraction is of all `steps`, rounded down; a whole number is that many steps. Train gets what
    is left before them, or `split.train` steps: then what comes after test is not used.

    Raises:
        BadInputError: If a split would be empty, or there are fewer steps than asked for.
    """
    # repr, not the float itself: 0.29 of 100 steps are 29, though 0.29 * 100 < 29.
    validation, test = (
        int(Fraction(repr(part)) * steps) if isinstance(part, float) else part
        for part in (split.validation, split.test)
    )
    train = steps - validation - test if split.train is None else split.train
    for name, count in (("train", train), ("validation", validation), ("test", test)):
        if count < 1:
            raise BadInputError(
                f"split: the data has {steps} time steps, which leaves {max(count, 0)} for "
                f"{name} (train {train}, validation {validation}, test {test}); give more data "
                "or change split"
            )
    if train + validation + test > steps:
        raise BadInputError(
            f"split: train {train}, validation {validation} and test {test} are "
            f"{train + validation + test} time steps, but the data has only {steps}; "
            "make them smaller"
        )
    return train, validation, test
