"""Models and servers for the tests of serving; nothing here imports TensorFlow by itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.serving.contract.engines import Running, Setup

EMBEDDED, TF_SERVING = "embedded", "tf-serving"
# TF Serving's own server is held against the same cases, where there is one.
ENGINES = (EMBEDDED, *([TF_SERVING] if shutil.which("tensorflow_model_server") else []))


@dataclass(frozen=True)
class ModelFamily:
    """SavedModels in folders of their own, built when first asked for; not to be changed.

    Every attribute is a *version* directory; `copy_version` puts it where a server looks.
    """

    root: Path

    @cached_property
    def half_plus_two(self) -> Path:
        return self._family.half_plus(self.root / "half_plus_two" / "00000123")

    @cached_property
    def half_plus_three(self) -> Path:
        return self._family.half_plus(self.root / "half_plus_three" / "00000123", 3.0)

    @cached_property
    def half_plus_ten(self) -> Path:
        return self._family.half_plus(self.root / "half_plus_ten" / "00000123", 10.0)

    @cached_property
    def main_op(self) -> Path:
        """half_plus_two with a main op that initialises tables too."""
        return self._family.half_plus(self.root / "main_op" / "00000123", init=True)

    @cached_property
    def regress_by_default(self) -> Path:
        """half_plus_two whose serving_default is a regression."""
        method = self._family.REGRESS
        return self._family.half_plus(self.root / "regress" / "1", default_method=method)

    @cached_property
    def classify_by_default(self) -> Path:
        """half_plus_two whose serving_default is a classification."""
        method = self._family.CLASSIFY
        return self._family.half_plus(self.root / "classify" / "1", default_method=method)

    @cached_property
    def no_default(self) -> Path:
        """half_plus_two without serving_default."""
        only = ["regress_x_to_y", "classify_x_to_y"]
        return self._family.half_plus(self.root / "no_default" / "1", only=only)

    @cached_property
    def half_plus_two_tf2(self) -> Path:
        """half_plus_two from TensorFlow 2."""
        return self._family.half_plus_two_tf2(self.root / "tf2" / "00000123")

    @cached_property
    def counter(self) -> Path:
        return self._family.counter(self.root / "counter" / "00000123")

    @cached_property
    def classifier(self) -> Path:
        return self._family.classifier(self.root / "classifier" / "1")

    @cached_property
    def broken(self) -> Path:
        """A version directory whose `saved_model.pb` cannot be read."""
        directory = self.root / "broken" / "00000123"
        (directory / "variables").mkdir(parents=True)
        (directory / "saved_model.pb").write_bytes(b"\xff\xff not a SavedModel")
        return directory

    @property
    def _family(self) -> Any:
        from tests.serving.contract import half_plus_two

        return half_plus_two


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> ModelFamily:
    """The models, under one folder of the session."""
    return ModelFamily(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Which server the test runs against."""
    return str(request.param)


@pytest.fixture(scope="session")
def server_loop() -> Iterator[Any]:
    """The thread in which embedded servers live."""
    from tests.serving.contract.embedded import LoopThread

    thread = LoopThread()
    yield thread
    thread.close()


Start = Callable[[Path, "Setup"], "Running"]


@pytest.fixture(scope="session")
def start(engine: str, server_loop: Any) -> Start:
    """Starts a server in a folder; whoever calls it stops it."""
    from tests.serving.contract.embedded import EmbeddedServer
    from tests.serving.contract.engines import TfServing

    if engine == TF_SERVING:
        return TfServing
    return lambda folder, setup: EmbeddedServer(folder, setup, server_loop)


@pytest.fixture(scope="session")
def server(
    start: Start, family: ModelFamily, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """One server with all the models of `setups.everything`; tests only ask it."""
    from tests.serving.contract.setups import everything

    running = start(tmp_path_factory.mktemp("server"), everything(family))
    yield running
    running.stop()


@pytest.fixture
def serve(start: Start, tmp_path: Path) -> Iterator[Callable[[Setup], Running]]:
    """Starts servers of the test's own, to be changed as it likes."""
    running: list[Running] = []

    def begin(setup: Setup) -> Running:
        running.append(start(tmp_path / f"server-{len(running)}", setup))
        return running[-1]

    yield begin
    for one in running:
        one.stop()


@pytest.fixture(scope="session")
def rest(server: Running) -> Callable[..., tuple[int, dict[str, str], bytes]]:
    """Sends `(method, path, body, headers)` to `server`; gives status, headers and body."""
    return server.rest


@pytest.fixture
def refuses_config(engine: str, tmp_path: Path) -> Callable[[str], str]:
    """What the server says of a models.config with a text that it cannot start with."""
    from tests.serving.contract import embedded, engines

    ask = engines.tf_serving_refuses_config if engine == TF_SERVING else embedded.refuses_config

    def say(text: str) -> str:
        file = tmp_path / "models.config"
        file.write_text(text, "utf-8")
        return ask(file)

    return say
