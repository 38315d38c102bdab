"""Every key of the configuration file as Markdown: `docs/configuration.md` is made from this.

python -m pipeline.config.reference > docs/configuration.md
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from models.section import Section
from pipeline.config.config import Config
from pipeline.config.sequence_config import SequenceConfig

HEAD = """# Configuration

One YAML file. Unknown keys are errors that name the nearest valid key; relative paths start at the
file's folder. `${NAME}` is taken from the environment in `data.url`, in `tracking.uri` and in the
webhook of `notify`, and nowhere else. `elman init DATA` writes a commented file, and `elman check
CONFIG` says what a run would do. This page is made from the code:
`python -m pipeline.config.reference > docs/configuration.md`.

The key `task` decides which keys there are: the first half of this page is for `task: forecast`
(the default), the second for `task: classify`, `tag` and `next_step`.
"""
FORECAST = "# Forecasts: `task: forecast`\n"
SEQUENCES = "# Whole sequences: `task: classify`, `tag` or `next_step`\n"


def reference() -> str:
    """The whole page."""
    forecast, sequences = list(_section("", Config)), list(_section("", SequenceConfig))
    return "\n".join([HEAD, FORECAST, *forecast, SEQUENCES, *sequences]) + "\n"


def _section(key: str, section: type[Section]) -> Iterator[str]:
    inner: list[tuple[str, type[Section]]] = []
    if key:
        yield f"## `{key}`"
        yield ""
        yield _prose(section)
        yield ""
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    for name, field in section.model_fields.items():
        shown = field.alias or name
        path = f"{key}.{shown}" if key else shown
        nested = _nested(field.annotation)
        if nested is not None:
            mapping = get_origin(field.annotation) is dict
            inner.append((f"{path}.<key>" if mapping else path, nested))
        meaning = field.description or (f"see `{path}` below" if nested else "")
        yield f"| `{path}` | {_values(field)} | {_default(field)} | {meaning} |"
    yield ""
    for path, nested in inner:
        yield from _section(path, nested)


def _prose(section: type[Section]) -> str:
    lines = (section.__doc__ or "").strip().splitlines()
    return "\n".join(line.strip() for line in lines)


def _nested(annotation: Any) -> type[Section] | None:
    for option in get_args(annotation) or (annotation,):
        if isinstance(option, type) and issubclass(option, Section):
            return option
    return None


def _values(field: FieldInfo) -> str:
    return _bounded(_type(field.annotation), field.metadata)


def _bounded(words: str, rules: Sequence[Any]) -> str:
    bounds = []
    for rule in rules:
        for attribute, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<")):
            limit = getattr(rule, attribute, None)
            if limit is not None:
                bounds.append(f"{sign} {limit:g}")
    return " ".join([words, ", ".join(bounds)]).strip()


def _type(annotation: Any) -> str:
    if annotation is type(None):
        return "null"
    origin, options = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{option}`" for option in options)
    if origin is Annotated:
        rules = [rule for info in options[1:] for rule in getattr(info, "metadata", [info])]
        return _bounded(_type(options[0]), rules)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(option) for option in options)
    if origin is tuple:
        return f"list of {_type(options[0])}"
    if origin is dict:
        return f"mapping of {_type(options[0])} to {_type(options[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return "section"
    words = {int: "integer", float: "number", str: "text", bool: "true or false", Any: "any value"}
    return words[annotation]


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "**required**"
    if isinstance(value, Section):
        given = value.model_dump(mode="json", exclude_defaults=True)
        return f"`{json.dumps(given)}`" if given else "all defaults"
    if isinstance(value, tuple):
        value = list(value)
    return f"`{value}`" if isinstance(value, str) and value else f"`{json.dumps(value)}`"


if __name__ == "__main__":
    print(reference(), end="")
