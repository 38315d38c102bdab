"""The base of every configuration section: frozen, strict, and helpful about unknown keys."""

from __future__ import annotations

import difflib
import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator


class Section(BaseModel):
    """A frozen, validated part of the configuration that rejects keys it does not know.

    Subclasses declare fields; values are checked once, when the object is made, and never change
    afterwards. Sections are hashable and compare by value, so that they can key a cache.

    Raises:
        pydantic.ValidationError: On construction, if a key is unknown (the message names the
            nearest valid key) or a value does not fit its field.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True
    )

    @model_validator(mode="before")
    @classmethod
    def _name_the_nearest_key(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = {field.alias or name for name, field in cls.model_fields.items()}
        for key in data:
            if key not in known:
                raise ValueError(unknown_key(str(key), known))
        # YAML has lists only; strict validation wants the tuples that frozen sections hold.
        return {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}

    def canonical_json(self) -> str:
        """This section as JSON with sorted keys: equal sections give equal text."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The section that `canonical_json` wrote.

        Raises:
            pydantic.ValidationError: If `text` is not JSON of this section.
        """
        return cls.model_validate_json(text)


def unknown_key(key: str, valid: Any) -> str:
    """Words for a key that nothing knows, with the nearest valid one.

    Args:
        key: The key received.
        valid: The valid keys, an iterable of strings.
    """
    names = sorted(str(name) for name in valid)
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown key {key!r}; {hint}valid keys are: {', '.join(names)}"
