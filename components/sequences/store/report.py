"""`SequencesReport`: what the store builder made of the sequences."""

from __future__ import annotations

from models.section import Section

MAX_LISTED = 20
"""Most unseen labels that a report names."""


class SequencesReport(Section):
    """Counts of the store builder, by split where nothing else is said.

    Attributes:
        sequences: Sequences in the store.
        steps: Steps in the store; a text's symbols.
        dropped: Sequences of one symbol, which have none that follows (next_step only).
        longest: Steps of the longest sequence.
        classes: Number of classes; for next_step the vocabulary and the unknown symbol.
        train_labels: By class, its labels in the train split; empty for next_step.
        vocabulary: By symbol or text column, the number of symbols that models know.
        unknown: By symbol or text column, by split, the share of steps whose symbol is unknown.
        unseen: Labels that the train split does not have: no model can be right about them.
        unseen_labels: Their names, the first `MAX_LISTED`, over all splits.
    """

    sequences: dict[str, int]
    steps: dict[str, int]
    dropped: dict[str, int]
    longest: dict[str, int]
    classes: int
    train_labels: dict[str, int]
    vocabulary: dict[str, int]
    unknown: dict[str, dict[str, float]]
    unseen: dict[str, int]
    unseen_labels: tuple[str, ...]

    def metrics(self) -> dict[str, float]:
        """Every count as a metric, with the split at the end of its name."""
        found = {"classes": float(self.classes)}
        for name in ("sequences", "steps", "dropped", "longest", "unseen"):
            found |= {f"{name}_{split}": float(n) for split, n in getattr(self, name).items()}
        for column, size in self.vocabulary.items():
            found[f"vocabulary_{column}"] = float(size)
            found |= {f"unknown_{column}_{s}": x for s, x in self.unknown[column].items()}
        return found
