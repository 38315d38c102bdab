"""The REST application in this process, on real models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from serving.engine.manager import ModelManager
from serving.engine.settings import ServedModel, VersionPolicy
from serving.inference.inference import Inference
from serving.observer import Observer, Silent
from serving.rest.app import build_app
from tests.serving.contract.half_plus_two import copy_version
from tests.serving.rest.asgi import Loop, call

Rest = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Model:
    """A model to serve: version directories by number, and labels."""

    name: str
    versions: Mapping[int, Path]
    labels: Mapping[str, int] = field(default_factory=dict)


class InProcess:
    """The REST application on real models, called without a socket."""

    def __init__(self, folder: Path, models: list[Model]) -> None:
        for model in models:
            for version, path in model.versions.items():
                copy_version(path, folder / quote(model.name, safe=""), version)
        self.loop = Loop()
        self.manager = ModelManager(
            [
                ServedModel(
                    m.name, folder / quote(m.name, safe=""), VersionPolicy.all(), dict(m.labels)
                )
                for m in models
            ]
        )
        self.inference = Inference(self.manager, None)
        self.loop.run(self.manager.start())
        self.app = self.build()

    def build(self, observer: Observer | None = None, **options: Any) -> Any:
        """An application on the same models, with other options."""
        return build_app(self.inference, observer=observer or Silent(), **options)

    def rest(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        app: Any = None,
    ) -> Rest:
        """Status, headers and body of the answer; as `Running.rest` of the contract tests."""
        if isinstance(body, str):
            body = body.encode()
        elif body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        found = self.loop.run(call(app or self.app, method, path, body, headers or {}))
        assert found.starts == 1
        return found.status, found.headers, found.body

    def stop(self) -> None:
        self.loop.run(self.manager.stop())
        self.loop.close()
