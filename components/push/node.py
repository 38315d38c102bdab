"""The push as files in, files out; what the TFX executor wraps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import Field

from components.push.publish import follow, publish
from components.push.registry import ChampionRegistry
from components.push.repository import ModelRepository, Push
from components.tracking.mlflow_recorder import MlflowRecorder
from components.tracking.outage import StoreAwayError
from components.tracking.recorder import Recorder, current
from models.section import Section

REPORT = "push.json"
OWED = "registry"


class PushSettings(Section):
    """Where a model goes.

    Attributes:
        directory: The model directory.
        keep: Versions kept, the live one included.
        name: Of the registered model.
        force: Push a model that was rolled back before.
    """

    directory: str
    keep: int = Field(ge=1)
    name: str
    force: bool = False


def push_node(
    settings: PushSettings,
    saved_model: Path,
    output: Path,
    *,
    blessed: bool,
    infra_blessed: bool,
    infra_report: Path | None = None,
    example: Path | None = None,
) -> dict[str, Any]:
    """Pushes a blessed model and writes `push.json` into `output`.

    The registry is that of the current recorder's tracking store; there is none without it.
    The alias is set right even if nothing is pushed, in case an earlier run was killed before it
    could do so. While the store is away the model is pushed all the same: models are served from
    the directory. That is said, and noted for the next run.

    Args:
        settings: Where to.
        saved_model: The SavedModel folder of the Model artifact.
        output: Folder of the PushedModel artifact.
        blessed: Whether the gate blessed the model.
        infra_blessed: Whether the serving check did.
        infra_report: `check.json` of the serving check.
        example: `verification.npz` of the Model artifact.

    Returns:
        What `push.json` holds: `pushed` (whether this call made a version), `version` (under which
        the model is live, or null), `reason` in words, `directory`, and `live` (the version that
        serves now, or null).

    Raises:
        BadInputError: If the serving directory cannot be used.
        FailedRunError: If the push or the registration fails.
    """
    recorder = current()
    repository = ModelRepository(Path(settings.directory))
    late = _Late(recorder)
    registry = late.registry(settings.name)
    if blessed and infra_blessed:
        pushed = publish(
            repository,
            saved_model,
            keep=settings.keep,
            registry=registry,
            force=settings.force,
            example=example if example is not None and example.is_file() else None,
            behind=late.behind,
        )
    else:
        try:
            follow(repository, registry)
        except StoreAwayError as error:
            late.behind(error)
        pushed = Push(None, "", False, _why(blessed, infra_report))
    late.close()
    report = {
        "pushed": pushed.copied,
        "version": pushed.version,
        "reason": pushed.reason,
        "directory": settings.directory,
        "live": repository.live(),
    }
    output.mkdir(parents=True, exist_ok=True)
    temporary = output / f".{REPORT}"
    temporary.write_text(json.dumps(report, indent=1) + "\n")
    temporary.replace(output / REPORT)
    recorder.tags({f"elman.push.{k}": str(v) for k, v in report.items() if v is not None})
    return report


class _Late:
    """The registry of a store that may be away, and what is owed to it then."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder if isinstance(recorder, MlflowRecorder) else None
        self._behind = False

    def registry(self, name: str) -> ChampionRegistry | None:
        """The registry; None if there is none, or it is away."""
        recorder = self._recorder
        if recorder is None:
            return None
        try:
            if not recorder.delivery.flush():  # the model will be linked to the run
                raise StoreAwayError("what was recorded could not be sent yet")
            run_id = recorder.parent_run_id or recorder.run_id
            with recorder.store.asked("find the run"):
                experiment = recorder.store.client.get_run(run_id).info.experiment_id
        except StoreAwayError as error:
            self.behind(error)
            return None
        return ChampionRegistry(recorder.store, name, str(experiment), run_id)

    def behind(self, error: StoreAwayError) -> None:
        """Says that the registry is away, and notes it for the next run."""
        assert self._recorder is not None
        self._behind = True
        words = (
            "the registry does not know the live model yet, as the tracking store is away: "
            f"{error.reason}; the next run registers it and moves the alias"
        )
        self._recorder.delivery.outbox.owe(OWED, words)
        self._recorder.warn(words)

    def close(self) -> None:
        """Notes that nothing is owed, if nothing is."""
        if self._recorder is not None and not self._behind:
            self._recorder.delivery.outbox.settle(OWED)


def _why(blessed: bool, infra_report: Path | None) -> str:
    if not blessed:
        return "the gate did not bless the model"
    failures: Any = None
    try:
        if infra_report is not None:
            failures = json.loads(infra_report.read_text())["failures"]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    words = f": {failures[0]}" if isinstance(failures, list) and failures else ""
    return f"the serving check failed{words}"
