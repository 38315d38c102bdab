"""`Scaling`: mean and standard deviation of each column on the train split."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from models.section import Section


class Moments(Section):
    """Mean and population standard deviation of the observed values of one column."""

    mean: float
    std: float = Field(ge=0)

    @property
    def scale(self) -> float:
        """The divisor: `std`, or 1 for a constant column."""
        return self.std if self.std > 0 else 1.0


class Scaling(Section):
    """Moments by column, from the train rows only."""

    columns: dict[str, Moments]

    @classmethod
    def of(cls, moments: Mapping[str, tuple[float, float]]) -> Scaling:
        """From `{column: (mean, std)}`."""
        return cls(columns={k: Moments(mean=m, std=s) for k, (m, s) in moments.items()})

    def __getitem__(self, column: str) -> Moments:
        """The moments of `column`.

        Raises:
            KeyError: If the column had no statistics.
        """
        return self.columns[column]
