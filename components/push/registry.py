"""`ChampionRegistry`: the pushed versions in MLflow's registry, and the alias of the live one."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.push.packaging import kind, save_package
from components.tracking import library
from components.tracking.store import TrackingStore
from models.errors import BadInputError
from models.export.metadata import read_metadata

ALIAS = "champion"
SERVING_VERSION = "elman.serving_version"
DIGEST = "elman.digest"
RUN = "elman.run_id"
MODEL = "elman.model"
"""`network`, or the name of the baseline that was blessed in its place."""


@dataclass(frozen=True)
class ChampionRegistry:
    """The registered model `name`; its alias `champion` follows the live version.

    Attributes:
        store: Tracking store, which is the registry too.
        name: Of the registered model.
        experiment_id: Where the logged models belong.
        run_id: Run that versions registered from here on are linked to; None: no run.
    """

    store: TrackingStore
    name: str
    experiment_id: str
    run_id: str | None = None

    def __post_init__(self) -> None:
        """Refuses a name that MLflow cannot address.

        Raises:
            BadInputError: If the name holds `/`, `:` or other characters that end a name.
        """
        if not re.fullmatch(r"[\w.\- ]+", self.name):
            raise BadInputError(
                f"{self.name!r} cannot be the name of a registered model: "
                "use letters, digits, spaces, '.', '_' and '-'"
            )

    def make_champion(
        self, saved_model: Path, *, version: int, digest: str, example: Path | None = None
    ) -> str:
        """Points the alias at the live version, which is registered now if it was not.

        Call it only after the version is live. Nothing happens if the alias is right already.

        Args:
            saved_model: The live version's folder.
            version: Its serving version.
            digest: Its model digest.
            example: `verification.npz` of the same model, for the input example.

        Returns:
            The registered version.

        Raises:
            FailedRunError: If the store cannot be used.
        """
        want = {SERVING_VERSION: str(version), DIGEST: digest}
        with self.store.asked("look for the registered model"):
            self._ensure_model()
            current = self._champion()
            if current is not None and _matches(current, want):
                return str(current.version)
            known = self._find(want)
        if known is None:
            known = self._register(saved_model, want, example)
        with self.store.asked("move the champion alias"):
            self.store.client.set_registered_model_alias(self.name, ALIAS, known)
        return known

    def champion(self) -> int | None:
        """Serving version of the model that the alias points at; None if there is none.

        Raises:
            FailedRunError: If the store cannot be used.
        """
        with self.store.asked("look for the champion"):
            found = self._champion()
        number = "" if found is None else found.tags.get(SERVING_VERSION, "")
        return int(number) if number.isdigit() else None

    def _ensure_model(self) -> None:
        error = library.load().exceptions.MlflowException
        try:
            self.store.client.get_registered_model(self.name)
        except error as missing:
            if missing.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            try:
                self.store.client.create_registered_model(self.name)
            except error as other:
                if other.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise

    def _champion(self) -> Any:
        try:
            return self.store.client.get_model_version_by_alias(self.name, ALIAS)
        except library.load().exceptions.MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise

    def _find(self, want: Mapping[str, str]) -> str | None:
        token = None
        while True:
            page = self.store.client.search_model_versions(
                f"name = '{self.name}'", max_results=200, page_token=token
            )
            for found in page:
                if _matches(found, want) and found.status == "READY":
                    return str(found.version)
            token = page.token
            if not token:
                return None

    def _register(self, saved_model: Path, want: Mapping[str, str], example: Path | None) -> str:
        mlflow, client = library.load(), self.store.client
        about = read_metadata(saved_model)
        what, baseline = kind(about), str(about.get("baseline") or "")
        tags = {**want, RUN: self.run_id or "", MODEL: baseline or "network"}
        said = f": the baseline {baseline}" if baseline else ""
        with (
            self.store.asked("register the model"),
            tempfile.TemporaryDirectory(prefix="elman-model-") as temporary,
        ):
            model = client.create_logged_model(
                self.experiment_id,
                name=what,
                source_run_id=self.run_id,
                tags=tags,
                model_type=what,
            )
            try:
                package = mlflow.models.Model(
                    artifact_path=model.artifact_location,
                    run_id=self.run_id,
                    model_uuid=model.model_id,
                    model_id=model.model_id,
                    metadata=dict(tags),
                )
                folder = Path(temporary) / "package"
                save_package(saved_model, folder, package, example)
                client.log_model_artifacts(model.model_id, str(folder))
            except BaseException:
                client.finalize_logged_model(model.model_id, "FAILED")
                raise
            client.finalize_logged_model(model.model_id, "READY")
            if self.run_id is not None:
                output = mlflow.entities.LoggedModelOutput(model.model_id, step=0)
                client.log_outputs(self.run_id, [output])
            # With its tags in one step: a version is never there without saying what it is.
            # The location rather than models:/<id>: a database store would look that id up in
            # MLflow's global tracking store, whichever that is. A server checks it by the id.
            made = client.create_model_version(
                self.name,
                source=model.artifact_location,
                run_id=self.run_id,
                tags=tags,
                model_id=model.model_id if self.store.artifacts is None else None,
                description=f"Serving version {want[SERVING_VERSION]}{said}",
            )
            shown = json.dumps([{"name": self.name, "version": made.version}])
            client.set_logged_model_tags(model.model_id, {"mlflow.modelVersions": shown})
        return str(made.version)


def _matches(version: Any, want: Mapping[str, str]) -> bool:
    return all(version.tags.get(name) == value for name, value in want.items())
