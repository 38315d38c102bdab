"""Checks of `tune.space` against the rest of the configuration, before anything is run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from components.tune.candidate import put
from components.tune.config import ParameterConfig
from components.tune.result import shown
from components.tune.space import range_kind
from models.errors import BadInputError
from pipeline.config.problem import Problem

if TYPE_CHECKING:
    from pipeline.config.config import Config

Values = dict[str, Any]
TUNED = ("model", "train", "window")
SPACE = ("tune", "space")


def tune_problems(config: Config) -> Iterator[Problem]:
    """What is wrong with the search space: unknown keys, values that do not fit, and pairs of them.

    Each choice and each end of a range is put into the configuration, alone and with each of the
    others, and validated as the file itself is. Three values that do not fit together only as three
    are found by their trial, which fails with the reason.
    """
    if config.tune is None:
        return
    space, usable = config.tune.space, []
    for key, parameter in space.items():
        found = list(_key_problems(config, key, parameter))
        yield from found
        if not found:
            usable.append(key)
    for first, second in combinations(usable, 2):
        reason = _pair_problem(config, first, second, space)
        if reason is not None:
            yield Problem((*SPACE, second), reason)


def _key_problems(config: Config, key: str, parameter: ParameterConfig) -> Iterator[Problem]:
    at = (*SPACE, key)
    if key.split(".")[0] not in TUNED or "." not in key:
        yield Problem(
            at,
            f"received {key!r}, expected a key under {', '.join(TUNED)}, such as model.units, "
            "train.learning_rate or window.lookback",
        )
        return
    try:
        if parameter.choices is None:
            range_kind(key, parameter)
        for value in parameter.ends:
            reason = refusal(config, {key: value})
            if reason is not None:
                yield Problem(at, f"received {shown(value)}: {reason}")
    except BadInputError as error:
        yield Problem(at, str(error))


def _pair_problem(
    config: Config, first: str, second: str, space: dict[str, ParameterConfig]
) -> str | None:
    for one in space[first].ends:
        for other in space[second].ends:
            reason = refusal(config, {first: one, second: other})
            if reason is not None:
                return (
                    f"received {shown(other)}, which does not go with {first}: {shown(one)} of the "
                    f"same space: {reason}"
                )
    return None


def refusal(config: Config, values: Values) -> str | None:
    """Why the configuration would not be valid with `values`; None if it would be.

    Args:
        config: Valid but for its search space.
        values: By dotted key.

    Raises:
        BadInputError: If there is no such key.
    """
    data = config.model_dump(mode="json", exclude={"tune"})
    for key, value in values.items():
        put(data, key, value, type(config))
    try:
        type(config).model_validate_json(json.dumps(data))
    except ValidationError as error:
        return "; ".join(map(_sentence, error.errors()))
    return None


def _sentence(details: Any) -> str:
    context = details.get("ctx", {})
    if details["type"] == "sections_disagree":
        return "; ".join(map(str, context["all"]))
    where = ".".join(str(part) for part in details["loc"])
    text = str(context.get("error", details["msg"]))
    return f"{where}: {text}" if where else text
