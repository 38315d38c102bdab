"""Checks across the sections of a sequence task, each with words for what to change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pydantic import ValidationError

from models.sequence_baselines.config import fitting_names
from models.sequences.config import misfit
from models.sequences.spec import SequenceSpec
from pipeline.config.problem import Problem
from pipeline.config.urls import url_problems

if TYPE_CHECKING:
    from pipeline.config.sequence_config import SequenceConfig

RESERVED = ("sequence", "length")
"""Names that the pipeline needs for columns and inputs of its own."""


def problems(config: SequenceConfig) -> list[Problem]:
    """Everything about `config` that no section can see by itself; empty if all is well."""
    task = list(_task(config))
    if task:
        return task  # what follows needs a task that makes sense
    return [problem for check in _CHECKS for problem in check(config)]


def _task(config: SequenceConfig) -> Iterator[Problem]:
    try:
        SequenceSpec(task=config.task, inputs=config.inputs, target=config.target)
    except ValidationError as error:
        context = error.errors()[0].get("ctx", {})
        text = str(context.get("error", error))
        about_target = "target" in text
        yield Problem(("target",) if about_target else ("inputs",), text)


def _columns(config: SequenceConfig) -> Iterator[Problem]:
    keys = {
        "data.sequence": config.data.sequence,
        "data.step": config.data.step,
        "split.column": config.split.column,
    }
    named: list[tuple[tuple[str, ...], str]]
    named = [(("inputs",), name) for name in config.inputs.columns]
    if config.target is not None:
        named.append((("target",), config.target))
    for where, name in named:
        used = next((key for key, column in keys.items() if column == name), None)
        if used is not None:
            yield Problem(where, f"received {name!r}, which is {used}; one column cannot be both")
        elif name in RESERVED:
            yield Problem(
                where,
                f"received {name!r}, a name the pipeline keeps for its own; rename the column in "
                "the data",
            )
    given = [(key, column) for key, column in keys.items() if column is not None]
    for index, (key, column) in enumerate(given):
        for other, same in given[:index]:
            if same == column:
                path = (key.split(".")[0], key.split(".")[1])
                yield Problem(path, f"received {column!r}, which is also {other}")


def _rows(config: SequenceConfig) -> Iterator[Problem]:
    data, inputs = config.data, config.inputs
    if data.sequence is None and inputs.text is None:
        yield Problem(
            ("data", "sequence"),
            "received null, which makes every row a sequence of its own; only a text is that: "
            "name the column of sequence ids",
        )
    if inputs.text is not None and data.step is not None:
        yield Problem(
            ("data", "step"),
            f"received {data.step!r}, but a text is one row and has no steps; remove it",
        )


def _model(config: SequenceConfig) -> Iterator[Problem]:
    reason = misfit(config.spec, config.model)
    if reason is not None:
        yield Problem(("model",), reason)


def _gate(config: SequenceConfig) -> Iterator[Problem]:
    fits = fitting_names(config.spec)
    names = config.baselines.names
    for name in names or ():
        if name not in fits:
            yield Problem(
                ("baselines", "names"),
                f"received {name!r}, which does not fit task {config.task} with these inputs; "
                f"those that do: {', '.join(fits)}",
            )
    scored = fits if names is None else names
    for name in config.gate.beats or ():
        if name not in scored:
            yield Problem(
                ("gate", "beats"),
                f"received {name!r}, which is not scored; scored are "
                f"{', '.join(scored) or 'none'} (baselines.names)",
            )
    for name, count in Counter(config.gate.beats or ()).items():
        if count > 1:
            yield Problem(("gate", "beats"), f"received {name!r} {count} times; list it once")


def _engine(config: SequenceConfig) -> Iterator[Problem]:
    if config.serving.engine != "tensorflow":
        yield Problem(
            ("serving", "engine"),
            f"received {config.serving.engine}, which runs forecasters alone; models of the task "
            f"{config.task} are run by TensorFlow: write tensorflow",
        )


def _split(config: SequenceConfig) -> Iterator[Problem]:
    files = config.split.by == "files"
    mapping = not isinstance(config.data.path, str)
    if files and not mapping:
        yield Problem(
            ("split", "by"),
            "received 'files', but data.path is one path; write a mapping "
            "{train: ..., validation: ..., test: ...} there",
        )
    if mapping and not files:
        yield Problem(
            ("split", "by"),
            f"received {config.split.by!r}, but data.path names a file for each split; write "
            "by: files",
        )


def _urls(config: SequenceConfig) -> Iterator[Problem]:
    yield from url_problems(("tracking", "uri"), config.tracking.uri)


_CHECKS: tuple[Callable[[SequenceConfig], Iterator[Problem]], ...] = (
    _columns,
    _rows,
    _model,
    _gate,
    _split,
    _engine,
    _urls,
)
