"""`assets.extra/elman.json`: what an exported model says about itself. Needs no TensorFlow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.errors import BadInputError
from models.export.engines import FILES
from models.export.names import signature_names
from models.network.inputs import input_specs
from models.roles import Roles
from models.windows.spec import WindowSpec

FORMAT = 1
FILE = Path("assets.extra") / "elman.json"
RUN_KEYS = ("run_id",)
"""Keys that differ between two runs that train the same model."""


def describe(
    spec: WindowSpec,
    roles: Roles,
    frequency: str,
    text: tuple[str, ...],
    extra: Mapping[str, Any],
    *,
    streaming: Mapping[str, Any] | None,
    refusal: str | None,
) -> dict[str, Any]:
    """The metadata of a model: the keys that loading needs, then those of `extra`.

    Keys of every model: `format`, `task`, `spec`, `roles`, `frequency`, `text` (static covariates
    that are strings), `inputs` ({column: tensor}), `outputs` ({target: tensor}),
    `input_shapes` ({column: shape without batch}), `input_types` ({column: dtype}), `streaming`
    ({"inputs": {column: shape without batch}, "state": {tensor: shape without batch}}, or null)
    and `streaming_refusal` (why it is null).

    Raises:
        BadInputError: If `extra` holds one of these keys, or columns collide in their names.
    """
    specs = input_specs(spec, roles, text)
    names = signature_names(specs)
    own = {
        "format": FORMAT,
        "task": "forecast",
        "spec": spec.model_dump(mode="json"),
        "roles": roles.model_dump(mode="json"),
        "frequency": frequency,
        "text": list(text),
        "inputs": names,
        "outputs": {target: names[target] for target in roles.targets},
        "input_shapes": {column: list(shape) for column, (shape, _) in specs.items()},
        "input_types": {column: dtype for column, (_, dtype) in specs.items()},
        "streaming": streaming,
        "streaming_refusal": refusal,
    }
    clash = sorted(set(own) & set(extra))
    if clash:
        raise BadInputError(f"metadata may not hold {clash}: the export writes these itself")
    return {**own, **extra}


def description(described: Mapping[str, Any]) -> str:
    """The metadata as JSON that is the same for equal models: without the ids of their runs."""
    kept = {key: value for key, value in described.items() if key not in RUN_KEYS}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def require_forecaster(metadata: Mapping[str, Any], model: str) -> None:
    """Refuses the metadata of a model that forecasts no windows.

    Raises:
        BadInputError: If it labels or continues sequences; `model` is how messages call it.
    """
    task = metadata.get("task", "forecast")
    if task != "forecast":
        raise BadInputError(
            f"{model} is a model of the task {task}, which reads whole sequences; expected a "
            "forecaster of windows"
        )


def carries_state(metadata: Mapping[str, Any]) -> bool:
    """Whether the model reads series from their start (truncated backpropagation through time)."""
    train = metadata.get("train")
    return isinstance(train, Mapping) and isinstance(train.get("bptt"), Mapping)


def read_metadata(folder: Path) -> dict[str, Any]:
    """The metadata of the SavedModel in `folder`.

    Raises:
        BadInputError: If there is none, or it is of another format version.
    """
    file = folder / FILE
    try:
        metadata = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInputError(
            f"{folder} holds no {FILE}: expected a model that Elman exported"
        ) from error
    except ValueError as error:
        raise BadInputError(f"{file} is not JSON ({error}); export the model again") from error
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        got = metadata.get("format") if isinstance(metadata, dict) else type(metadata).__name__
        raise BadInputError(f"{file}: format {got}, this version of Elman reads {FORMAT}")
    return metadata


def model_digest(folder: Path) -> str:
    """SHA-256 of what the SavedModel in `folder` computes: its graph and its variables.

    Covers `saved_model.pb`, every file under `variables` and `assets`, and the files of other
    engines, with their names. Left out are `assets.extra` (run ids differ for the same model) and
    `fingerprint.pb` (holds a random id). TensorFlow numbers functions in the order in which a
    process made them, so two exports of equal weights may differ: equal digests mean the same
    model, different ones mean nothing more than another export. That errs on the safe side when it
    decides whether a model is already live.

    Raises:
        BadInputError: If `folder` holds no SavedModel.
    """
    graph = folder / "saved_model.pb"
    if not graph.is_file():
        raise BadInputError(f"{folder} holds no saved_model.pb: expected a SavedModel")
    files = [graph]
    for part in ("variables", "assets"):
        files += sorted(f for f in (folder / part).rglob("*") if f.is_file())
    files += sorted(f for f in (folder / name for name in FILES.values()) if f.is_file())
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
