"""Writes questions of air travellers with the part of speech of each word: a row per word.

    python -m examples.atis_data FOLDER

FOLDER holds en_atis-ud-train.conllu, -dev and -test, the treebank UD_English-Atis of Universal
Dependencies (CC BY-SA 4.0) in the CoNLL-U format; FORM becomes `word`, UPOS becomes `upos`. Nothing
is downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from examples.tables import DATA, PARTS, arguments, published, refuse, write

HEADER = ("sentence", "step", "word", "upos", "part")
SOURCE = "the GitHub repository UniversalDependencies/UD_English-Atis (three .conllu files)"


def rows(folder: Path) -> Iterator[tuple[str, str, str, str, str]]:
    """The rows of the three files."""
    for part, name in zip(PARTS, ("train", "dev", "test"), strict=True):
        file = published(folder / f"en_atis-ud-{name}.conllu", SOURCE)
        for sentence, step, word, tag in words(file):
            yield f"{name}-{sentence:05d}", str(step), word, tag, part


def words(file: Path) -> Iterator[tuple[int, int, str, str]]:
    """Sentence, step, form and tag of each syntactic word of a CoNLL-U file, counted from 1.

    Lines of a range (1-2) stand for surface forms and those with a decimal (1.1) for words that
    were left out in speech: neither is a word with a tag of its own.
    """
    sentence, step = 1, 0
    for line, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not text.strip():
            sentence, step = sentence + bool(step), 0
            continue
        if text.startswith("#"):
            continue
        fields = text.split("\t")
        if len(fields) != 10:
            refuse(
                f"{file}, line {line}: got {len(fields)} fields, expected the 10 of the CoNLL-U "
                f"format: this is not the file of {SOURCE}."
            )
        if fields[0].isdigit():
            step += 1
            yield sentence, step, fields[1], fields[3]


def main() -> None:
    """Writes the table."""
    given = arguments(__doc__, DATA / "atis.csv", folder="folder of the three .conllu files")
    write(given.output, HEADER, rows(given.folder))


if __name__ == "__main__":
    main()
