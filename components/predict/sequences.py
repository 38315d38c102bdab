"""`predict_sequences`: labels for every sequence of input files, written as they are made."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from components.predict.predict import BATCH, Progress, Silent, workspace
from components.predict.sequence_rows import InputSequence, staged_sequences
from components.predict.sequence_table import LabelTable
from components.predict.sink import Sink, Stream
from components.sequences.config import SequenceDataConfig
from models.section import Section
from models.sequences.spec import LENGTH, SequenceSpec

POOL = 1 << 22
"""Values of inputs and probabilities held at a time, unless one sequence has more of them."""

Feed = dict[str, npt.NDArray[Any]]


class SequenceModel(Protocol):
    """What labels sequences: a `models.sequences.export.loaded.LoadedSequenceModel`."""

    spec: SequenceSpec
    classes: tuple[str, ...]

    def answers(self, feed: Mapping[str, npt.NDArray[Any]]) -> Mapping[str, npt.NDArray[Any]]:
        """`probabilities` and `label` of raw inputs by column."""


class SequencePredictReport(Section):
    """What was made of the input.

    Attributes:
        rows: Records read.
        dropped: Bad rows dropped, by reason.
        sequences: Sequences labelled.
        left_out: Sequences left out because of a bad row.
        labels: Rows written.
    """

    rows: int
    dropped: dict[str, int]
    sequences: int
    left_out: int
    labels: int


def predict_sequences(
    data: SequenceDataConfig,
    model: SequenceModel,
    pattern: str,
    output: Path | None,
    *,
    probabilities: bool = False,
    batch_size: int = BATCH,
    progress: Progress | None = None,
) -> SequencePredictReport:
    """Labels every sequence of the input, which needs no column of labels.

    The input is staged in DuckDB, out of core. Memory holds some sequences (`POOL`) and what the
    model makes of a batch of them. Rows are written in the order in which sequences begin in the
    input, and the steps of each in theirs; see `LabelTable` for the columns.

    Args:
        data: How the input is read, and which columns hold ids and steps.
        model: What labels sequences.
        pattern: Path or glob of the input.
        output: CSV or Parquet by its ending; replaced in one step when all is written. None: CSV
            on the standard output.
        probabilities: Whether there is a column for the probability of each class.
        batch_size: Most sequences in one call of the model.
        progress: Hears how far it is, in sequences.

    Raises:
        BadInputError: If the input cannot be used; then `output` is as it was before.
    """
    shown = progress or Silent()
    table = LabelTable(
        model.spec.task, model.classes, data.sequence or "sequence", every=probabilities
    )
    labels = 0
    with workspace(output, pattern) as work:
        shown.stage("reading")
        with staged_sequences(data, model.spec.inputs, pattern, work) as staged:
            staged.settle()
            shown.stage("labelling", staged.sequences)
            target = (
                Stream(sys.stdout.buffer, dates=False)
                if output is None
                else Sink(output, work, dates=False)
            )
            with target as sink:
                for pool in _pools(staged, model):
                    answers = _answers(model, pool, batch_size)
                    part = table.table([one.id for one in pool], answers)
                    sink.write(part)
                    labels += part.num_rows
                    shown.advance(len(pool))
            return SequencePredictReport(
                rows=staged.rows,
                dropped=staged.bad.by_reason(),
                sequences=staged.sequences,
                left_out=staged.left_out,
                labels=labels,
            )


def _pools(
    sequences: Iterable[InputSequence], model: SequenceModel
) -> Iterator[list[InputSequence]]:
    """Consecutive sequences, as many as `POOL` allows."""
    pool: list[InputSequence] = []
    size, spec = 0, model.spec
    for one in sequences:
        outcomes = 1 if spec.task == "classify" else _steps(one, spec)
        values = _steps(one, spec) * len(spec.inputs.columns) + outcomes * len(model.classes)
        if pool and size + values > POOL:
            yield pool
            pool, size = [], 0
        pool.append(one)
        size += values
    if pool:
        yield pool


def _answers(
    model: SequenceModel, pool: list[InputSequence], batch_size: int
) -> list[npt.NDArray[np.float32]]:
    """The probabilities of each sequence, without padding."""
    from models.sequences.predict import like_lengths

    spec = model.spec
    steps = np.asarray([_steps(one, spec) for one in pool], np.int64)
    outcomes = np.ones_like(steps) if spec.task == "classify" else steps
    found: dict[int, npt.NDArray[np.float32]] = {}
    for positions in like_lengths(steps, outcomes * len(model.classes), batch_size):
        out = model.answers(_feed([pool[i] for i in positions], spec))
        for row, i in enumerate(positions):
            one = out["probabilities"][row]
            if spec.task != "classify":
                # What is padded has no label; a text says only so how many steps it has.
                one = one[: int((out["label"][row] != b"").sum())]
            found[int(i)] = np.array(one, np.float32)  # a copy: a view would hold all of the batch
    return [found[i] for i in range(len(pool))]


def _feed(sequences: list[InputSequence], spec: SequenceSpec) -> Feed:
    """Sequences as the inputs of `serving_default`, padded on the right."""
    inputs = spec.inputs
    if inputs.text is not None:
        texts = [one.values[inputs.text][0] for one in sequences]
        return {inputs.text: np.asarray(texts, object)}
    length = np.asarray([one.rows for one in sequences], np.int32)
    feed: Feed = {LENGTH: length}
    for column in inputs.columns:
        number = column in inputs.numbers
        shape = (len(sequences), int(length.max()))
        padded = np.zeros(shape, np.float32) if number else np.full(shape, "", object)
        for row, one in enumerate(sequences):
            padded[row, : one.rows] = one.values[column]
        feed[column] = padded
    return feed


def _steps(one: InputSequence, spec: SequenceSpec) -> int:
    """Steps of a sequence; of a text no fewer than it has."""
    text = spec.inputs.text
    return one.rows if text is None else max(1, len(one.values[text][0]))
