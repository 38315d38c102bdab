"""`Candidate`: the sections that tuning may change, with other values put into them."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, Literal, Self, get_args, get_origin

from pydantic import ValidationError, model_validator

from models.errors import BadInputError
from models.network.config import ModelConfig
from models.network.streaming import streaming_refusal
from models.section import Section, unknown_key
from models.training.config import TrainConfig, TruncatedBptt
from models.windows.spec import WindowSpec

Values = Mapping[str, Any]
"""Values by dotted key, as they would stand in the configuration: `{"model.units": [64]}`."""


class Candidate(Section):
    """What one trial trains: windows, network and training, valid as a whole."""

    window: WindowSpec
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()

    @model_validator(mode="after")
    def _carries_its_state(self) -> Self:
        reason = streaming_refusal(self.model)
        if isinstance(self.train.bptt, TruncatedBptt) and reason is not None:
            raise ValueError(f"train.bptt is truncated, but {reason}")
        return self

    def with_values(self, values: Values) -> Candidate:
        """This candidate with other values, validated like a configuration.

        Raises:
            BadInputError: If a key is unknown, a value does not fit its key, or the values do not
                fit together; the message says which.
        """
        data = self.model_dump(mode="json")
        for key, value in values.items():
            put(data, key, value, Candidate)
        try:
            return Candidate.model_validate_json(json.dumps(data))
        except ValidationError as error:
            raise BadInputError("; ".join(map(_sentence, error.errors()))) from None

    def value(self, key: str) -> Any:
        """The value at a dotted key, as JSON knows it; None where a section above is missing."""
        found: Any = self.model_dump(mode="json")
        for part in key.split("."):
            if not isinstance(found, dict):
                return None
            found = found.get(part)
        return found


def put(data: dict[str, Any], key: str, value: Any, section: type[Section]) -> None:
    """Puts `value` into nested plain data at a dotted key.

    A section that is null or a word (`clip: null`, `bptt: full`) becomes one that has the key. A
    number for a key that holds a list becomes a list of one: `model.units: 64` means `[64]`.

    Args:
        data: Of `section`, changed in place.
        key: Such as `train.clip.global_norm`.
        value: As JSON knows it.
        section: The class of `data`.

    Raises:
        BadInputError: If there is no such key.
    """
    annotation = annotation_at(section, key)
    *above, last = key.split(".")
    for part in above:
        if not isinstance(data.get(part), dict):
            data[part] = {}
        data = data[part]
    if _is_list(annotation) and isinstance(value, (int, float)):
        value = [value]
    data[last] = copy.deepcopy(value)


def annotation_at(section: type[Section], key: str) -> Any:
    """The type of what stands at a dotted key of `section`.

    Raises:
        BadInputError: If there is no such key; it names the nearest one.
    """
    annotation: Any = section
    for part in key.split("."):
        here = _section_in(annotation)
        if here is None or part not in here.model_fields:
            hint = unknown_key(part, here.model_fields) if here else f"{part!r} is below no section"
            raise BadInputError(f"received {key!r}, which is no key of the configuration: {hint}")
        annotation = here.model_fields[part].annotation
    return annotation


def numbers_at(section: type[Section], key: str) -> Literal["int", "float"] | None:
    """Which numbers the key takes, by itself or as the items of a list; None if it takes none.

    Raises:
        BadInputError: If there is no such key.
    """
    annotation = annotation_at(section, key)
    options = {annotation, *get_args(annotation)}
    for option in tuple(options):
        if get_origin(option) is tuple:
            options |= set(get_args(option))
    if float in options:
        return "float"
    return "int" if int in options else None


def _is_list(annotation: Any) -> bool:
    return any(get_origin(option) is tuple for option in (annotation, *get_args(annotation)))


def _section_in(annotation: Any) -> type[Section] | None:
    for option in (annotation, *get_args(annotation)):
        if isinstance(option, type) and issubclass(option, Section):
            return option
    return None


def _sentence(details: Any) -> str:
    where = ".".join(str(part) for part in details["loc"])
    text = str(details.get("ctx", {}).get("error", details["msg"]))
    return f"{where}: {text}" if where else text
