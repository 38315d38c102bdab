"""What the deployment files say, read for the tests."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import click
import yaml

from pipeline.cli.main import cli

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PROJECT = DEPLOY / "project" / "co2.yaml"
KUBERNETES = DEPLOY / "kubernetes"
TRACKING = {"MLFLOW_TRACKING_URI": "http://mlflow:5000"}


def documents(path: Path) -> list[dict[str, Any]]:
    """The YAML documents of a file; the same key twice is an error."""
    return list(yaml.load_all(path.read_text("utf-8"), Loader=_Strict))


def check_elman(arguments: Sequence[str]) -> dict[str, Any]:
    """Sees that `elman ARGUMENTS` is a command of ours with options of its own.

    Returns:
        The parsed options, with the command's name as `command`.
    """
    name, *rest = arguments
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, f"elman has no command {name}"
    with command.make_context(name, list(rest)) as context:
        return {**context.params, "command": name}


def check_model_server(arguments: Sequence[str]) -> dict[str, str]:
    """Sees that these are arguments of tensorflow_model_server, by the flags we know it to have."""
    from serving.server.flags import _parser

    known = {action.dest for action in _parser()._actions}
    ours = {"bind", "token_file", "access_log", "ready_file", "drain_seconds", "reload_root"}
    given = dict(argument.removeprefix("--").split("=", 1) for argument in arguments)
    assert all(argument.startswith("--") for argument in arguments)
    assert set(given) <= known - ours, set(given) - known
    return given


def loaded_project() -> Any:
    """The configuration that the containers use."""
    from pipeline.config import load

    with mock.patch.dict(os.environ, TRACKING):
        return load(PROJECT)


class _Strict(yaml.SafeLoader):
    """Refuses a mapping that has the same key twice, which YAML forbids and PyYAML lets pass."""


def _mapping(loader: _Strict, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [k.value for k, _ in node.value if k.value != "<<"]
    assert len(keys) == len(set(keys)), f"a key twice: {keys} at {node.start_mark}"
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
