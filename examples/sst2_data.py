"""Writes the sentences of SST-2 as one table: sentence, label, part.

    python -m examples.sst2_data FOLDER

FOLDER holds train.tsv, dev.tsv and test.tsv: a sentence of a film review, a tab, and 1 for praise
or 0 for blame (6,920, 872 and 1,821 whole sentences; R. Socher et al., "Recursive deep models for
semantic compositionality over a sentiment treebank", 2013). Nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from examples.tables import DATA, PARTS, arguments, published, refuse, write

HEADER = ("sentence", "label", "part")
SOURCE = (
    "the folder data/SST2 of the GitHub repository clairett/pytorch-sentiment-classification "
    "(three tab separated files of whole sentences, without a header)"
)
LABELS = {"0": "negative", "1": "positive"}


def rows(folder: Path) -> Iterator[tuple[str, str, str]]:
    """The rows of the three files."""
    for part, name in zip(PARTS, ("train", "dev", "test"), strict=True):
        file = published(folder / f"{name}.tsv", SOURCE)
        for line, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            sentence, tab, label = text.rpartition("\t")
            if not tab or label not in LABELS:
                refuse(
                    f"{file}, line {line}: got {text[:60]!r}, expected a sentence, a tab and 0 or "
                    f"1: this is not the file of {SOURCE}."
                )
            yield sentence, LABELS[label], part


def main() -> None:
    """Writes the table."""
    given = arguments(__doc__, DATA / "sst2.csv", folder="folder of the three .tsv files")
    write(given.output, HEADER, rows(given.folder))


if __name__ == "__main__":
    main()
