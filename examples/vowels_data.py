"""Writes the Japanese vowels as two long tables: a row per step of an utterance, 12 channels.

    python -m examples.vowels_data FOLDER

FOLDER holds JapaneseVowels_TRAIN.ts and JapaneseVowels_TEST.ts, the .ts files of the time series
classification archive (aeon-toolkit/aeon, timeseriesclassification.com; made from the UCI data of
M. Kudo, J. Toyama and M. Shimbo, 1999): nine speakers say /ae/, 7 to 29 steps of 12 LPC cepstrum
coefficients. The published split stays: a table for each part. Nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from examples.tables import DATA, arguments, published, refuse, write

CHANNELS = 12
HEADER = ("utterance", "step", *(f"lpc{i + 1}" for i in range(CHANNELS)), "speaker")
SOURCE = (
    "JapaneseVowels of the time series classification archive (timeseriesclassification.com, "
    "repository aeon-toolkit/aeon), two files in .ts format"
)


def rows(folder: Path, part: str) -> Iterator[tuple[str, ...]]:
    """The rows of `part` (train or test); numbers stay as they are written."""
    file = published(folder / f"JapaneseVowels_{part.upper()}.ts", SOURCE)
    for number, (channels, speaker) in enumerate(cases(file), 1):
        for step, values in enumerate(zip(*channels, strict=True)):
            yield (f"{part}-{number:03d}", str(step), *values, speaker)


def cases(file: Path) -> Iterator[tuple[list[list[str]], str]]:
    """The channels and the class of each case of a .ts file of equally many channels."""
    for line, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not text.strip() or text[0] in "#@":
            continue
        *dimensions, label = text.strip().split(":")
        channels = [dimension.split(",") for dimension in dimensions]
        lengths = {len(channel) for channel in channels}
        if len(channels) != CHANNELS or len(lengths) != 1:
            refuse(
                f"{file}, line {line}: got {len(channels)} channels of {sorted(lengths)} steps, "
                f"expected {CHANNELS} of one length: this is not the file of {SOURCE}."
            )
        yield channels, label


def main() -> None:
    """Writes the tables."""
    given = arguments(__doc__, DATA / "vowels_{part}.csv", folder="folder of the two .ts files")
    for part in ("train", "test"):
        output = given.output.with_name(given.output.name.replace("{part}", part))
        write(output, HEADER, rows(given.folder, part))


if __name__ == "__main__":
    main()
