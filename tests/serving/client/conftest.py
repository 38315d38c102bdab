"""Forecasters and servers for tests of the client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from serving.client import ForecastClient

if TYPE_CHECKING:
    from tests.serving.contract.engines import Running

Connect = Callable[..., ForecastClient]


class Exports:
    """Forecasters by what they are, exported when first asked for; not to be changed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @cached_property
    def plain(self) -> Path:
        """One column, eight steps back."""
        from tests.serving.client.forecasters import export

        return export(self._root / "plain")

    @cached_property
    def rich(self) -> Path:
        """Every kind of column."""
        from tests.serving.client.forecasters import RICH, export

        return export(self._root / "rich", roles=RICH)

    @cached_property
    def longer(self) -> Path:
        """One column, twelve steps back, two ahead, with other weights."""
        from models.windows.spec import WindowSpec
        from tests.serving.client.forecasters import export

        spec = WindowSpec(lookback=12, horizon=2)
        return export(self._root / "longer", spec=spec, seed=6)

    @cached_property
    def carried(self) -> Path:
        """As `plain`, and says that it was trained on streams."""
        from tests.serving.client.forecasters import export

        return export(self._root / "carried", train={"bptt": {"truncated": 4}})

    @cached_property
    def other(self) -> Path:
        """As `plain`, with other weights."""
        from tests.serving.client.forecasters import export

        return export(self._root / "other", seed=7)


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Exports:
    return Exports(tmp_path_factory.mktemp("forecasters"))


@pytest.fixture(params=["rest", "grpc"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def connect(protocol: str) -> Iterator[Connect]:
    """Makes a client of a running server and a model in one of the protocols."""
    made: list[ForecastClient] = []

    def client(running: Running, model: str = "default", **options: Any) -> ForecastClient:
        url = {
            "rest": f"http://127.0.0.1:{running.rest_port}",
            "grpc": f"grpc://127.0.0.1:{running.grpc_port}",
        }[protocol]
        made.append(ForecastClient(url, model, **options))
        return made[-1]

    yield client
    for one in made:
        one.close()
