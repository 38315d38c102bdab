"""Answers to REST requests, over real models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.serving.conftest import ModelFamily
    from tests.serving.rest.fake_inference import Fake, Heard
    from tests.serving.rest.in_process import InProcess

HALF = "saved_model_half_plus_two_2_versions"
LABEL = "Version_Label"


@pytest.fixture(scope="session")
def rest(
    start: Callable[..., Any], family: ModelFamily, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., tuple[int, dict[str, str], bytes]]]:
    """Sends a request to a server: (method, path, body, headers) -> (status, headers, body).

    The server has half_plus_two as TF Serving's REST tests have it, and the models of
    `json_tensor_cases`. It is the embedded one, or TF Serving where that is installed.
    """
    from tests.serving.contract.engines import Setup
    from tests.serving.contract.setups import entry, labels
    from tests.serving.rest import echo_models

    models: dict[str, Path] = echo_models.build(tmp_path_factory.mktemp("echo"))
    config = [entry(HALF, more=labels(**{LABEL: 123})), *map(entry, models)]
    versions = {(HALF, 123): family.half_plus_two} | {(n, 1): p for n, p in models.items()}
    running = start(tmp_path_factory.mktemp("rest"), Setup(" ".join(config), versions))
    for name, version in versions:
        running.wait_for(name, version)
    yield running.rest
    running.stop()


@pytest.fixture(scope="session")
def in_process(
    family: ModelFamily, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InProcess]:
    """The application in this process, without a socket."""
    from tests.serving.rest import echo_models
    from tests.serving.rest.in_process import InProcess, Model

    folder = tmp_path_factory.mktemp("in-process")
    mixed = echo_models.echo(folder / "mixed", echo_models.MIXED)
    models = [
        Model(HALF, {123: family.half_plus_two}, {LABEL: 123}),
        Model("classifier", {1: family.classifier}),
        Model("counter", {1: family.counter}),
        Model("tf2", {1: family.half_plus_two_tf2}),
        Model("mixed", {1: mixed}),
        Model("Modell/ß:1", {1: family.half_plus_two}, {"a/b:c": 1}),
    ]
    service = InProcess(folder / "served", models)
    yield service
    service.stop()


@pytest.fixture
def fake() -> Fake:
    """A stand-in for `Inference`."""
    from tests.serving.rest.fake_inference import Fake

    return Fake()


@pytest.fixture
def heard() -> Heard:
    """What the observer of `app` heard."""
    from tests.serving.rest.fake_inference import Heard

    return Heard()


@pytest.fixture
def app(fake: Fake, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The application on `fake`, with limits that are soon reached."""
    from serving.rest import reply
    from serving.rest.app import build_app
    from tests.serving.rest.fake_inference import LIMITS

    monkeypatch.setattr(reply, "_LINGER", 0.1)
    return build_app(fake, observer=heard, limits=LIMITS)
