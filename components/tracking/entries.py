"""Parameters, metrics and values in the form that MLflow takes: its names, its lengths, JSON."""

from __future__ import annotations

import hashlib
import json
import math
import posixpath
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from components.secrets import MASK, is_secret_name, scrubbed

NAME_LENGTH = 250
PARAM_LENGTH = 6000
TAG_LENGTH = 8000
DIGEST_LENGTH = 36


def entry_name(name: str) -> str:
    """`name` as MLflow accepts it for a metric, parameter or tag.

    Letters of any script, digits, `_`, `-`, `.`, `:`, `/` and spaces stay. A name that has to be
    changed gets six digits of its digest, so that two columns never share a metric.
    """
    clean = re.sub(r"[^/\w.\- :]", "_", name).strip()
    # A name is also a path below the run's folder: it must be its own normal form.
    clean = re.sub(r"^[/. ]+", "", posixpath.normpath(clean)).strip() or "_"
    if clean == name and len(clean) <= NAME_LENGTH:
        return clean
    tail = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{clean[: NAME_LENGTH - 7]}-{tail}"


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, with dotted names: `{"a": {"b": 1}}` is `{"a.b": 1}`."""
    out: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            out.update(flat(value, f"{prefix}{key}."))
        else:
            out[f"{prefix}{key}"] = value
    return out


def param_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as MLflow takes them: flat, named, as text, without passwords, cut to length."""
    out = {}
    for name, value in flat(values).items():
        text = MASK if is_secret_name(name) and value is not None else text_of(value)
        out[entry_name(name)] = shortened(text, PARAM_LENGTH)
    return out


def text_of(value: Any) -> str:
    """A string as it is, anything else as JSON; secrets in URLs are masked."""
    text = value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
    return scrubbed(text)


def shortened(text: str, length: int) -> str:
    """`text`, or its beginning with `...` if it is longer than `length`."""
    return text if len(text) <= length else text[: length - 3] + "..."


def split_finite(values: Mapping[str, Any]) -> tuple[dict[str, float], tuple[str, ...]]:
    """Metrics that are finite numbers, and the names of those that are not."""
    finite: dict[str, float] = {}
    rest: list[str] = []
    for name, value in values.items():
        number = math.nan if value is None else float(value)
        if math.isfinite(number):
            finite[entry_name(name)] = number
        else:
            rest.append(name)
    return finite, tuple(rest)


def plain(value: Any) -> Any:
    """`value` as JSON knows it: NumPy scalars and arrays unpacked, nan and infinity as null."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [plain(v) for v in items]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if hasattr(value, "model_dump"):
        return plain(value.model_dump(mode="json"))
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value) if not isinstance(value, PurePath) else value.as_posix()
