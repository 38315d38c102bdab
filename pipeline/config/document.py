"""A YAML file as plain data plus the line of every key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.secrets import scrubbed
from models.errors import BadInputError

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top of a file down to a value."""


@dataclass(frozen=True)
class Document:
    """What a configuration file says, and where.

    Attributes:
        name: The file's name as people typed it, for messages.
        data: The top mapping.
        lines: Line (from 1) of each key, by its path; `()` is the top.
    """

    name: str
    data: Mapping[str, Any]
    lines: Mapping[KeyPath, int]

    def line(self, path: KeyPath) -> int:
        """The line of `path`, or of the nearest part of the file that holds it."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """YAML 1.2 core scalars: `1e-3` is a number, `no`, `on` and dates are text."""


class ConfigDumper(yaml.SafeDumper):
    """Writes text in quotes wherever this module would read it as something else."""

    def ignore_aliases(self, _: Any) -> bool:
        """No anchors: the same list twice is written twice."""
        return True


_CORE = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN "),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
)
for _class in (_Loader, ConfigDumper):
    _class.yaml_implicit_resolvers = {}
    for _tag, _pattern, _first in _CORE:
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}",
            re.compile(f"^(?:{_pattern})$"),
            [c.strip() for c in _first],  # a blank stands for text without a first character
        )


def read(path: Path) -> Document:
    """The YAML file at `path`, read safely (no objects), with the line of every key.

    Raises:
        BadInputError: If the file is missing, unreadable, not UTF-8, not YAML, empty, not a
            mapping, or gives a key twice.
    """
    name = str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        near = sorted(p.name for p in path.parent.glob("*.y*ml"))[:5]
        hint = f"YAML files there: {', '.join(near)}" if near else "elman init DATA writes one"
        raise BadInputError(f"{name}: no such file; {hint}") from None
    except IsADirectoryError:
        raise BadInputError(f"{name}: received a folder, expected a YAML file") from None
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"{name}: not UTF-8 text (byte {error.start}); save the file as UTF-8"
        ) from None
    except OSError as error:
        raise BadInputError(f"{name}: cannot be read: {error.strerror}") from None
    return parse(text, name)


def parse(text: str, name: str) -> Document:
    """The document in `text`; see `read`. `name` stands for the file in messages."""
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise BadInputError(
                f"{name}: the file is empty; expected name, data, targets, window and so on "
                "(elman init DATA writes a whole one)"
            )
        walk = _Walk(loader, name)
        data = walk.value(node, ())
    except yaml.YAMLError as error:
        raise BadInputError(_syntax(error, name)) from None
    except RecursionError:
        raise BadInputError(f"{name}: nested too deeply to be a configuration") from None
    finally:
        if loader is not None:
            loader.dispose()
    if walk.problems:
        raise BadInputError("\n".join(walk.problems))
    if not isinstance(data, dict):
        raise BadInputError(
            f"{name}:{node.start_mark.line + 1}: received {_short(data)}, expected "
            "`key: value` lines at the top of the file: name, data, targets and so on"
        )
    return Document(name, data, walk.lines)


class _Walk:
    """Turns nodes into plain data; notes lines, keys given twice, and nodes inside themselves."""

    def __init__(self, loader: _Loader, name: str) -> None:
        self.loader = loader
        self.name = name
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[str] = []
        self.above: list[int] = []

    def value(self, node: Any, path: KeyPath) -> Any:
        """The data of `node`, which stands at `path`."""
        self.lines.setdefault(path, node.start_mark.line + 1)
        if not isinstance(node, yaml.CollectionNode):
            return self._scalar(node)
        if id(node) in self.above:
            self._problem(node, path, "an alias refers to the very part that holds it")
            return None
        self.above.append(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        finally:
            self.above.pop()

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str):
                shown = getattr(key_node, "value", "")
                shown = shown if isinstance(shown, str) else "a list or mapping"
                self._problem(key_node, path, f"received the key {shown}, expected a name")
                continue
            here = (*path, key)
            if key in data:
                self._problem(
                    key_node,
                    here,
                    f"given twice, first on line {self.lines[here]}; remove one of them",
                )
                continue
            self.lines[here] = key_node.start_mark.line + 1
            data[key] = self.value(value_node, here)
        return data

    def _scalar(self, node: Any) -> Any:
        if node.tag.startswith("tag:yaml.org,2002:"):
            kind = node.tag.rsplit(":", 1)[1]
            try:
                if kind == "int":
                    return int(node.value, 0 if node.value[:2] in ("0o", "0x") else 10)
                if kind == "float":
                    return float(node.value.lower().replace(".inf", "inf").replace(".nan", "nan"))
            except ValueError:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{node.value!r} is not of the type {kind}", node.start_mark
                ) from None
        return self.loader.construct_object(node, deep=True)

    def _problem(self, node: Any, path: KeyPath, text: str) -> None:
        where = f"{self.name}:{node.start_mark.line + 1}"
        self.problems.append(f"{where}: {dotted(path)}: {text}" if path else f"{where}: {text}")


def dotted(path: KeyPath) -> str:
    """`("model", "units", 0)` as people write it: `model.units[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _syntax(error: yaml.YAMLError, name: str) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if isinstance(error, yaml.reader.ReaderError):
        return f"{name}: not valid YAML: a control character (#x{error.character:04x}); remove it"
    where = f"{name}:{mark.line + 1}" if mark else name
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    if "'\\t'" in problem:
        problem = "a tab; YAML wants spaces for indentation"
    elif "expected a single document" in str(error):
        problem = "a second document (after ---); a configuration is one document"
    return f"{where}: not valid YAML: {problem}"


def _short(value: Any) -> str:
    text = scrubbed(repr(value))  # before it is cut: half a URL shows its password
    return text if len(text) <= 60 else text[:57] + "..."
