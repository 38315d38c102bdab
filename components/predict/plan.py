"""`Plan`: which series can be forecast and how many forecasts there will be, before any is made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from components.predict.rows import StagedRows
from models.errors import BadInputError
from models.frequency import DAY
from models.history.piece import Piece
from models.history.refusal import Refusal
from models.history.series import Origins, SeriesHistory

SHOWN = 20
"""Series that cannot be forecast which a message names."""


@dataclass
class Plan:
    """What a pass over all series found.

    Attributes:
        origins: The origins that are wanted.
        series: Series in the input.
        windows: Forecasts there will be.
        refused: Series that cannot be forecast, by kind of `Refusal`.
        listed: The first of them, at most `SHOWN`.
        midnight: Whether all origins are at midnight UTC.
    """

    origins: Origins
    series: int = 0
    windows: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    listed: list[Refusal] = field(default_factory=list)
    midnight: bool = True

    @classmethod
    def of(cls, rows: StagedRows, origins: Origins) -> Plan:
        """Looks at every series.

        Raises:
            BadInputError: If times of a series are on no grid of the model's frequency.
        """
        plan = cls(origins)
        for one in rows.series():
            history = SeriesHistory(rows.recipe, one.series, origins)
            for block in one.blocks:
                plan._count(history.add(*block))
            rest = history.finish()
            plan.series += 1
            if isinstance(rest, Refusal):
                plan.refused[rest.kind] += 1
                if len(plan.listed) < SHOWN:
                    plan.listed.append(rest)
            else:
                plan._count(rest)
        return plan

    def refuse(self, *, skip: bool) -> None:
        """Refuses series that cannot be forecast, unless they are to be left out.

        Args:
            skip: Whether to leave them out; then only an input without any other is refused.

        Raises:
            BadInputError: With the first of them and their number.
        """
        total = self.refused.total()
        if not total or (skip and self.windows):
            return
        if self.series == 1:
            raise BadInputError(f"input: the series cannot be forecast: {self.listed[0].reason}")
        lines = [f"  series {r.series!r}: {r.reason}" for r in self.listed]
        if total > len(lines):
            lines.append(f"  ... and {total - len(lines)} more")
        advice = "complete the data"
        if not skip:
            advice += ", or leave such series out with --skip-short"
        raise BadInputError(
            "\n".join(
                [
                    f"input: {total} of {self.series} series cannot be forecast "
                    f"({', '.join(f'{kind} {n}' for kind, n in self.refused.most_common())})",
                    *lines,
                    advice,
                ]
            )
        )

    def _count(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            self.windows += len(piece.origins)
            self.midnight = self.midnight and not (piece.time[piece.origins] % DAY).any()
