"""The search space as KerasTuner knows it."""

from __future__ import annotations

from typing import Any

from components.tune.candidate import Candidate, numbers_at
from components.tune.coding import encoded
from components.tune.config import ParameterConfig, TuneConfig
from models.errors import BadInputError


def hyperparameters(tune: TuneConfig) -> Any:
    """`keras_tuner.HyperParameters` of a search space, in the order of the file.

    Raises:
        BadInputError: If a key is unknown, or has a range and takes no numbers.
    """
    import keras_tuner

    space = keras_tuner.HyperParameters()
    for key, parameter in tune.space.items():
        if parameter.choices is not None:
            space.Choice(key, encoded(parameter.choices))
            continue
        low, high = parameter.min, parameter.max
        if range_kind(key, parameter) == "int":
            # Without a step KerasTuner takes 1, or any whole number on a log scale.
            space.Int(key, low, high, step=parameter.step, sampling=parameter.scale)
        else:
            space.Float(key, low, high, step=parameter.step, sampling=parameter.scale)
    return space


def range_kind(key: str, parameter: ParameterConfig) -> str:
    """Whether the range of a key is of whole numbers (`int`) or of any (`float`).

    Raises:
        BadInputError: If the key is unknown or takes no numbers, or takes whole numbers and the
            range is of others.
    """
    kind = numbers_at(Candidate, key)
    given = (parameter.min, parameter.max, parameter.step)
    if kind is None:
        raise BadInputError(f"received a range for {key}, which takes no numbers; list choices")
    if kind == "int" and any(isinstance(number, float) for number in given):
        raise BadInputError(
            f"received a range of {parameter.min} to {parameter.max} for {key}, which takes whole "
            "numbers; write min, max and step without a decimal point"
        )
    return kind


def start(base: Candidate, tune: TuneConfig) -> dict[str, Any] | None:
    """The values of the configuration itself, as KerasTuner holds them.

    Args:
        base: The configuration.
        tune: A space whose choices are valid, each by itself.

    Returns:
        None if one of them lies outside the space, so that no trial could have it.
    """
    found: dict[str, Any] = {}
    for key, parameter in tune.space.items():
        if parameter.choices is not None:
            codes = zip(parameter.choices, encoded(parameter.choices), strict=True)
            same = [code for choice, code in codes if base.with_values({key: choice}) == base]
            if not same:
                return None
            found[key] = same[0]
            continue
        value = base.value(key)
        number = value[0] if _single(value) else value
        if not _inside(number, parameter):
            return None
        found[key] = number
    return found


def _single(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 1


def _inside(number: Any, parameter: ParameterConfig) -> bool:
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return False
    assert parameter.min is not None
    assert parameter.max is not None
    if not parameter.min <= number <= parameter.max:
        return False
    if parameter.step is None:
        return True
    steps = (number - parameter.min) / parameter.step
    return abs(steps - round(steps)) < 1e-9
