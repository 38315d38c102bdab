"""Validation errors in the words of the file: line, key, value received, what is expected."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import ValidationError

from components.secrets import MASK, is_secret_name, scrubbed
from models.section import Section, unknown_key
from pipeline.config.document import Document, KeyPath, dotted
from pipeline.config.expected import (
    choices,
    entry_in,
    expectation,
    field_at,
    section_in,
    section_of,
)

_MISSING = object()


def unknown_keys(
    document: Document, section: type[Section], other: type[Section] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The document's data without the keys that no section knows, and words for each of those.

    Args:
        document: As read.
        section: The configuration of its task.
        other: That of other tasks, for a hint about its keys at the top of the file.
    """
    found: list[str] = []

    def clean(data: Any, kind: type[Section], path: KeyPath) -> Any:
        if not isinstance(data, dict):
            return data
        fields = {field.alias or name: field for name, field in kind.model_fields.items()}
        kept = {}
        for key, value in data.items():
            here = (*path, key)
            if key not in fields:
                hint = _belongs(key, section, path) or unknown_key(key, fields)
                known = not path and other is not None and key in other.model_fields
                if known and not difflib.get_close_matches(key, fields, n=1, cutoff=0.8):
                    task = document.data.get("task", "forecast")
                    hint = (
                        f"unknown key {key!r} with task: {task}; not every task has it: remove it"
                    )
                found.append(_line(document, here, hint))
                continue
            inner, entry = section_of(fields[key]), entry_in(fields[key].annotation)
            if entry and isinstance(value, dict):
                kept[key] = {name: clean(v, entry, (*here, name)) for name, v in value.items()}
            else:
                kept[key] = clean(value, inner, here) if inner else value
        return kept

    return clean(document.data, section, ()), found


def explained(error: ValidationError, document: Document, section: type[Section]) -> list[str]:
    """One line per problem, in the order of the file: `co2.yaml:14: train.epochs: received ...`."""
    lines: dict[KeyPath, tuple[int, list[str]]] = {}

    def add(path: KeyPath, text: str) -> None:
        _, texts = lines.setdefault(path, (document.line(path), []))
        if text not in texts:
            texts.append(text)

    for details in error.errors():
        context = details.get("ctx", {})
        if details["type"] == "sections_disagree":
            for problem in context["all"]:
                add(problem.path, problem.text)
            continue
        path = _existing(details["loc"], section)
        if details["type"] == "literal_error" and _is_section(path, document, section):
            continue  # a word was possible, too; what is wrong inside the section is said
        if details["type"] in ("value_error", "assertion_error"):
            text = str(context["error"])
            value = _at(document.data, path)
            says = "received" in text or "got" in text or "is listed" in text
            if not says and not isinstance(value, dict) and value is not _MISSING:
                text = f"received {_shown(value)}: {text}"
            add(path, text)
        else:
            add(path, _mismatch(details["type"], path, document, section))
    ordered = sorted(lines.items(), key=lambda item: item[1][0])
    return [_line(document, path, text) for path, (_, texts) in ordered for text in texts]


def _mismatch(kind: str, path: KeyPath, document: Document, section: type[Section]) -> str:
    annotation, metadata, description = field_at(section, path)
    wanted = expectation(annotation, metadata)
    note = f" ({description})" if description else ""
    if kind == "missing":
        return f"missing; expected {wanted}{note}"
    value = _at(document.data, path)
    shown = MASK if any(is_secret_name(str(key)) for key in path) else _shown(value)
    return f"received {shown}, expected {wanted}{_hint(value, annotation)}{note}"


def _is_section(path: KeyPath, document: Document, section: type[Section]) -> bool:
    annotation, _, _ = field_at(section, path)
    return isinstance(_at(document.data, path), dict) and section_in(annotation) is not None


def _hint(value: Any, annotation: Any) -> str:
    names = choices(annotation)
    if (inner := section_in(annotation)) and isinstance(value, str) and value in inner.model_fields:
        return f"; write {{{value}: ...}}"
    if names and isinstance(value, str):
        near = difflib.get_close_matches(value.lower(), names, n=1, cutoff=0.5)
        return f"; did you mean {near[0]!r}?" if near else ""
    args = [a for a in get_args(annotation) if a is not type(None)]
    if Ellipsis in args and not isinstance(value, (dict, list)) and value is not None:
        return f"; write [{value}]"
    if isinstance(value, str) and (annotation in (int, float) or {int, float} & set(args)):
        try:
            float(value)
        except ValueError:
            return ""
        return "; remove the quotes"
    if annotation is str and isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"; write it in quotes: '{value}'"
    if annotation is bool and isinstance(value, str) and value.lower() in _BOOLEANS:
        return f"; write {_BOOLEANS[value.lower()]}"
    return ""


_BOOLEANS = {
    "yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false",
}  # fmt: skip


def _belongs(key: str, section: type[Section], path: KeyPath) -> str | None:
    """Words for a key that is valid, but in another section."""
    places = [p for p in _places(section, ()) if p[-1] == key and p[:-1] != path]
    valid = [f.alias or n for n, f in field_section(section, path).model_fields.items()]
    if len(places) != 1 or difflib.get_close_matches(key, valid, n=1, cutoff=0.8):
        return None
    home = ".".join(places[0][:-1]) or "the top of the file"
    return f"unknown key {key!r} here; it belongs under {home}"


def _places(section: type[Section], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, field in section.model_fields.items():
        here = (*path, field.alias or name)
        yield here
        if inner := section_of(field):
            yield from _places(inner, here)


def field_section(section: type[Section], path: KeyPath) -> type[Section]:
    """The section that stands at `path`."""
    annotation, _, _ = field_at(section, path)
    found = section_in(annotation)
    assert found is not None, path
    return found


def _existing(location: tuple[int | str, ...], section: type[Section]) -> KeyPath:
    """`location` without the names of union members and the like, which no file holds."""
    path: KeyPath = ()
    annotation: Any = section
    for part in location:
        if isinstance(part, int):
            return (*path, part)
        here = section_in(annotation)
        fields = {f.alias or name: f for name, f in here.model_fields.items()} if here else {}
        if part in fields:
            path, annotation = (*path, part), fields[part].annotation
        elif here is None and (entry := entry_in(annotation)) is not None:
            path, annotation = (*path, part), entry
    return path


def _at(data: Any, path: KeyPath) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return data


def _shown(value: Any) -> str:
    if value is _MISSING:
        return "nothing"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = scrubbed(repr(_veiled(value)))  # before it is cut: half a URL shows its password
    return text if len(text) <= 80 else text[:77] + "..."


def _veiled(value: Any) -> Any:
    """`value` without what stands under the name of a secret."""
    if isinstance(value, dict):
        return {
            key: MASK if is_secret_name(str(key)) else _veiled(inner)
            for key, inner in value.items()
        }
    return [_veiled(inner) for inner in value] if isinstance(value, list) else value


def _line(document: Document, path: KeyPath, text: str) -> str:
    where = f"{document.name}:{document.line(path)}"
    return f"{where}: {dotted(path)}: {text}" if path else f"{where}: {text}"
