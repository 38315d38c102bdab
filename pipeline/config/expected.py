"""What a field of a section accepts, in words."""

from __future__ import annotations

import types
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic.fields import FieldInfo

from models.section import Section
from pipeline.config.document import KeyPath

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
_PLURAL = {int: "whole numbers", float: "numbers", bool: "true or false", str: "names"}


def section_of(field: FieldInfo) -> type[Section] | None:
    """The section class of a field (also of `Section | None`), or None for a plain value."""
    return section_in(field.annotation)


def section_in(annotation: Any) -> type[Section] | None:
    """The section class that is `annotation` or among its alternatives; None if there is none."""
    if get_origin(annotation) is dict:
        return None
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, Section):
            return kind
    return None


def entry_in(annotation: Any) -> type[Section] | None:
    """The section class of the values of a mapping, which has keys of its own; else None."""
    for kind in (annotation, *get_args(annotation)):
        if get_origin(kind) is dict:
            return section_in(get_args(kind)[1])
    return None


def field_at(section: type[Section], path: KeyPath) -> tuple[Any, tuple[Any, ...], str]:
    """Annotation, constraints and description of what stands at `path`.

    Positions in a list give the annotation of its elements.
    """
    annotation: Any = section
    metadata: tuple[Any, ...] = ()
    description = ""
    for part in path:
        here = section_in(annotation)
        if isinstance(part, int):
            inner = [a for a in get_args(annotation) if a not in (Ellipsis, type(None))]
            annotation, metadata, description = (inner[0] if inner else Any), (), ""
        elif here is None:
            annotation, metadata, description = entry_in(annotation), (), ""
            assert annotation is not None, path
        else:
            fields = {field.alias or name: field for name, field in here.model_fields.items()}
            field = fields[part]
            annotation, metadata = field.annotation, tuple(field.metadata)
            description = field.description or ""
    return annotation, metadata, description


def choices(annotation: Any) -> list[str]:
    """The values of a Literal (also inside a union or a list), or nothing."""
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    return [name for part in get_args(annotation) for name in choices(part)]


def expectation(annotation: Any, metadata: tuple[Any, ...] = ()) -> str:
    """Words for the values of `annotation` under the constraints `metadata`.

    For example `a whole number >= 1, or null`, `one of: lstm, gru`, `a list of names`.
    """
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        parts = [expectation(a, metadata) for a in args if a is not type(None)]
        return " or ".join(parts) + (", or null" if type(None) in args else "")
    if origin is Literal:
        return f"one of: {', '.join(map(str, args))}" if len(args) > 1 else str(args[0])
    if origin is tuple:
        least = next((m.min_length for m in metadata if isinstance(m, MinLen)), 0)
        inner = args[0]
        what = (
            f"any of: {', '.join(choices(inner))}"
            if choices(inner)
            else _PLURAL.get(inner, expectation(inner))
        )
        return f"a list of {what}" + (f", at least {least}" if least else "")
    if origin is dict:
        return f"a mapping of {_PLURAL[args[0]]} to {expectation(args[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Section):
        keys = [field.alias or name for name, field in annotation.model_fields.items()]
        return f"a section with the key{'s' * (len(keys) > 1)} {', '.join(keys)}"
    bounds = []
    for bound in metadata:
        for kind, sign, name in (
            (Ge, ">=", "ge"),
            (Gt, ">", "gt"),
            (Le, "<=", "le"),
            (Lt, "<", "lt"),
        ):
            if isinstance(bound, kind):
                bounds.append(f"{sign} {getattr(bound, name)}")
        if isinstance(bound, MinLen) and annotation is str:
            bounds.append("that is not empty")
    words = _WORDS.get(annotation, "another value")
    return f"{words} {' and '.join(bounds)}" if bounds else words
