"""Versions that come and go while clients ask."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from serving.batching.settings import BatchingSettings
from serving.engine.manager import ModelManager
from serving.inference.inference import Inference
from serving.inference.target import Target
from tests.serving.conftest import ModelFamily
from tests.serving.contract.half_plus_two import copy_version
from tests.serving.event_loop import run
from tests.serving.inference.fake_servable import floats
from tests.serving.inference.served import BATCHING, BATCHING_IDS, serving

how = pytest.mark.parametrize("batching", BATCHING, ids=BATCHING_IDS)
M = Target("m")


@how
def test_versions_come_and_go_under_load_and_no_request_fails(
    family: ModelFamily, tmp_path: Path, batching: BatchingSettings | None
) -> None:
    """Each answer is that of the version that gave it, and of no older one than was there."""
    models = {0: family.half_plus_two, 1: family.half_plus_three, 2: family.half_plus_ten}
    adds = {0: 2.0, 1: 3.0, 2: 10.0}

    async def go() -> None:
        copy_version(models[1], tmp_path, 1)
        done = asyncio.Event()
        answered = 0

        async def client(number: int, inference: Inference) -> None:
            nonlocal answered
            x = floats([float(number)])
            while not done.is_set():
                found = await inference.predict(M, {"x": x})
                expected = number / 2 + adds[found.version % 3]
                assert found.outputs["y"].tolist() == [[expected]]
                answered += 1

        async with serving(tmp_path, batching, poll_seconds=0.005) as (manager, inference):
            clients = [asyncio.ensure_future(client(n, inference)) for n in range(8)]
            for version in range(2, 8):
                copy_version(models[version % 3], tmp_path, version)
                await _until_served(manager, version, clients)
                if version % 2:
                    (tmp_path / str(version)).rename(tmp_path / f".rolled-back-{version}")
                    await _until_served(manager, version - 1, clients)
            done.set()
            await asyncio.gather(*clients)
        assert answered > 8

    run(go(), seconds=240)


async def _until_served(manager: ModelManager, version: int, clients: list[Any]) -> None:
    while True:
        for client in clients:
            if client.done():
                client.result()
        with manager.use("m") as servable:
            if servable.version == version:
                return
        await asyncio.sleep(0.002)
