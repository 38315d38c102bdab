"""`ModelServicer`: GetModelStatus and HandleReloadConfigRequest."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
)

from serving.engine.manager import ModelManager
from serving.engine.settings import ServedModel, models_from_proto
from serving.inference.inference import Inference
from serving.rpc.answering import Desk
from serving.rpc.specs import target_of
from serving.status import Code, ServingError

_log = logging.getLogger(__name__)


class ModelServicer(model_service_pb2_grpc.ModelServiceServicer):
    """`tensorflow.serving.ModelService` on a `ModelManager`.

    Args:
        inference: Knows the states of the versions.
        manager: Is told which models to serve.
        desk: Gives each request its time and its status.
        roots: Folders at or below which a model that a request asks to serve must lie.
    """

    def __init__(
        self, inference: Inference, manager: ModelManager, desk: Desk, roots: Sequence[Path]
    ) -> None:
        self._inference = inference
        self._manager = manager
        self._desk = desk
        self._roots = tuple(root.resolve() for root in roots)
        self._reloading: set[asyncio.Future[None]] = set()

    async def GetModelStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The states of a model's versions, newest first."""

        async def work(deadline: float | None) -> Any:  # noqa: ARG001
            answer = get_model_status_pb2.GetModelStatusResponse()
            for status in self._inference.status(target_of(request)):
                entry = answer.model_version_status.add(version=status.version, state=status.state)
                entry.status.error_code = status.code
                entry.status.error_message = status.message
            return answer

        return await self._desk.answer(context, "GetModelStatus", request.model_spec.name, work)

    async def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Serves the models of the request, and no others; answers when they are there."""

        async def work(deadline: float | None) -> Any:  # noqa: ARG001
            if request.config.WhichOneof("config") != "model_config_list":
                raise ServingError(
                    Code.INVALID_ARGUMENT,
                    "ServerModelConfig type not supported by HandleReloadConfigRequest. "
                    "Only ModelConfigList is currently supported",
                )
            models = models_from_proto(request.config)
            for model in models:
                self._admit(model)
            _log.info("reloading the configuration: %s", ", ".join(m.name for m in models) or "-")
            # Not given up half-way when the client goes away: what was begun is finished.
            task = asyncio.ensure_future(self._manager.configure(models))
            self._reloading.add(task)
            task.add_done_callback(self._reloading.discard)
            await asyncio.shield(task)
            answer = model_management_pb2.ReloadConfigResponse()
            answer.status.error_code = Code.OK
            return answer

        return await self._desk.answer(context, "HandleReloadConfigRequest", "", work)

    def _admit(self, model: ServedModel) -> None:
        """Sees that a request makes the server read no folder that it was not started for."""
        if not model.base_path.is_absolute():
            raise ServingError(
                Code.INVALID_ARGUMENT,
                f"Expected model {model.name} to have an absolute path or URI; got "
                f"base_path()={model.base_path}",
            )
        try:
            wanted = model.base_path.resolve()
        except (OSError, ValueError, RuntimeError):
            wanted = None
        if wanted is None or not any(wanted.is_relative_to(root) for root in self._roots):
            raise ServingError(
                Code.PERMISSION_DENIED,
                f"model {model.name}: its base_path is outside of the folders that this server may "
                "read; start the server with that folder among those it may reload from",
            )
