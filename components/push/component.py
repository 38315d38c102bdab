"""The push as a TFX node."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.push.config import ServingConfig
from components.push.executor import Executor
from components.push.node import PushSettings
from components.source_digest import source_digest


class PusherSpec(types.ComponentSpec):
    """A model and two blessings in, `pushed_model` out."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "config": ExecutionParameter(type=str),
        "source_digest": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "model_blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
        "infra_blessing": ChannelParameter(type=standard_artifacts.InfraBlessing),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "pushed_model": ChannelParameter(type=standard_artifacts.PushedModel)
    }


class Pusher(base_component.BaseComponent):
    """Makes a blessed model live; the runner never takes it from the cache."""

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)


def pusher(
    model: types.BaseChannel,
    model_blessing: types.BaseChannel,
    infra_blessing: types.BaseChannel,
    *,
    serving: ServingConfig,
    directory: Path | str,
    name: str,
    force: bool = False,
) -> Pusher:
    """The node `push`.

    The tracking store is no parameter, because its address may hold a password and parameters are
    kept in ML Metadata: the executor uses the store of the run it is part of.

    Args:
        model: Channel of a Model artifact as `train` makes it.
        model_blessing: The gate's blessing.
        infra_blessing: The serving check's blessing.
        serving: How many versions to keep.
        directory: The model directory, resolved.
        name: Of the registered model.
        force: Push a model that was rolled back before.

    Returns:
        A component whose `outputs["pushed_model"]` is a PushedModel.
    """
    settings = PushSettings(directory=str(directory), keep=serving.keep, name=name, force=force)
    spec = PusherSpec(
        model=model,
        model_blessing=model_blessing,
        infra_blessing=infra_blessing,
        pushed_model=types.Channel(type=standard_artifacts.PushedModel),
        config=settings.canonical_json(),
        source_digest=source_digest("components/push", "components/tracking"),
    )
    node: Pusher = Pusher(spec=spec).with_id("push")
    return node
