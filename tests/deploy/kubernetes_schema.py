"""Kubernetes objects against the types of Kubernetes' own Python client, field by field."""

from __future__ import annotations

import re
from typing import Any

from kubernetes import client

_LIST = re.compile(r"list\[(.+)\]")
_DICT = re.compile(r"dict\(str, (.+)\)")
_PLAIN = {"str": str, "int": int, "bool": bool, "float": (int, float)}


def check(document: dict[str, Any]) -> None:
    """Sees that `document` is an object of the API: no unknown field, no wrong type, none missing.

    Raises:
        AssertionError: With the path of the field.
    """
    version = document["apiVersion"].rpartition("/")[2]
    name = f"{version[0].upper()}{version[1:]}{document['kind']}"
    assert hasattr(client, name), f"Kubernetes has no {document['apiVersion']} {document['kind']}"
    _check(document, name, document["kind"])


def _check(value: Any, kind: str, path: str) -> None:
    if kind in ("object", "datetime"):
        return
    if kind in _PLAIN:
        assert isinstance(value, _PLAIN[kind]), f"{path}: not {kind}: {value!r}"  # type: ignore[arg-type]
        assert (kind == "bool") == isinstance(value, bool), f"{path}: not {kind}: {value!r}"
    elif (items := _LIST.fullmatch(kind)) is not None:
        assert isinstance(value, list), f"{path}: not a list: {value!r}"
        for i, item in enumerate(value):
            _check(item, items[1], f"{path}[{i}]")
    elif (items := _DICT.fullmatch(kind)) is not None:
        assert isinstance(value, dict), f"{path}: not a mapping: {value!r}"
        for key, item in value.items():
            _check(item, items[1], f"{path}.{key}")
    else:
        _check_object(value, getattr(client, kind), path)


def _check_object(value: Any, kind: Any, path: str) -> None:
    assert isinstance(value, dict), f"{path}: not a {kind.__name__}: {value!r}"
    attributes = {key: name for name, key in kind.attribute_map.items()}
    unknown = set(value) - set(attributes)
    assert not unknown, f"{path}: {kind.__name__} has no {sorted(unknown)}"
    for key, item in value.items():
        _check(item, kind.openapi_types[attributes[key]], f"{path}.{key}")
    given = {attributes[key]: item for key, item in value.items()}
    try:
        kind(**given)  # the client refuses an object that lacks what it must have
    except ValueError as error:
        raise AssertionError(f"{path}: {error}") from error
