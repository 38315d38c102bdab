"""What the node `tune` is told, as one parameter."""

from __future__ import annotations

from components.tune.candidate import Candidate
from components.tune.config import TuneConfig
from models.section import Section


class TuneSettings(Section):
    """The configuration that the search starts from, and the search."""

    base: Candidate
    tune: TuneConfig
    order: tuple[str, ...] = ()
    """Keys of the space in the order of the file, which JSON with sorted keys forgets."""

    @property
    def ordered(self) -> TuneConfig:
        """`tune` with its space in the order of the file."""
        space = {key: self.tune.space[key] for key in self.order or self.tune.space}
        return self.tune.model_copy(update={"space": space})
