"""Requests to models that come and go, batched and not."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving.batching.settings import BatchingSettings
from serving.engine.settings import VersionPolicy
from serving.engine.signature import CLASSIFY, REGRESS
from serving.engine.version_status import State
from serving.inference.inference import Inference
from serving.inference.target import Target
from serving.observer import Silent
from serving.status import Code, ServingError
from tests.serving.conftest import ModelFamily
from tests.serving.contract.half_plus_two import copy_version, save_functions
from tests.serving.event_loop import run
from tests.serving.inference.examples import example, serialized
from tests.serving.inference.fake_servable import floats
from tests.serving.inference.served import BATCHING, BATCHING_IDS, serving


@pytest.fixture
def two(family: ModelFamily, tmp_path: Path) -> Path:
    """A folder with half_plus_two as version 2."""
    copy_version(family.half_plus_two, tmp_path, 2)
    return tmp_path


how = pytest.mark.parametrize("batching", BATCHING, ids=BATCHING_IDS)
M = Target("m")


async def refused(work: Any) -> ServingError:
    with pytest.raises(ServingError) as caught:
        await work
    return caught.value


REGRESSION, CLASSIFICATION = (
    Target("m", signature=name) for name in ("regress_x_to_y", "classify_x_to_y")
)


@how
def test_every_method_answers(two: Path, batching: BatchingSettings | None) -> None:
    async def go() -> None:
        async with serving(two, batching) as (_, inference):
            four = serialized(*(example(x=float(x)) for x in range(4)))
            predicted, regressed, classified, several = await asyncio.gather(
                inference.predict(M, {"x": floats([2], [4])}),
                inference.regress(REGRESSION, four),
                inference.classify(CLASSIFICATION, four),
                inference.multi_inference(
                    [(REGRESSION, REGRESS), (CLASSIFICATION, CLASSIFY)], four
                ),
            )
            values = [2.0, 2.5, 3.0, 3.5]
            assert predicted.outputs["y"].tolist() == [[3.0], [4.0]]
            assert (predicted.name, predicted.version) == ("m", 2)
            assert predicted.signature == "serving_default"
            assert regressed.values == values
            assert classified.results == [[("", value)] for value in values]
            assert several == [regressed, classified]

    run(go())


@how
def test_a_request_that_fails_fails_alone(two: Path, batching: BatchingSettings | None) -> None:
    async def go() -> None:
        async with serving(two, batching) as (_, inference):
            asked = [
                serialized(example(x=1.0)),
                serialized(example()),
                [b"\xff no example"],
                serialized(example(x=3.0)),
            ]
            first, missing, junk, last = await asyncio.gather(
                *(inference.regress(REGRESSION, each) for each in asked), return_exceptions=True
            )
            assert (first.values, last.values) == ([2.5], [3.5])
            for error, words in ((missing, "x"), (junk, "Could not parse example input")):
                assert isinstance(error, ServingError)
                assert error.code is Code.INVALID_ARGUMENT
                assert words in error.message
                assert "/" not in error.message.split("[[")[0]

    run(go())


@how
def test_state_is_changed_once_for_each_request(
    family: ModelFamily, tmp_path: Path, batching: BatchingSettings | None
) -> None:
    """No input, no batch: such requests never share a run, and are never repeated."""

    async def go() -> None:
        copy_version(family.counter, tmp_path, 1)
        async with serving(tmp_path, batching) as (_, inference):
            up, get = (Target("m", signature=f"{what}_counter") for what in ("incr", "get"))
            await asyncio.gather(*(inference.predict(up, {}) for _ in range(20)))
            assert (await inference.predict(get, {})).outputs["output"] == 20

    run(go())


def test_versions_and_labels_are_found_or_refused(family: ModelFamily, tmp_path: Path) -> None:
    async def go() -> None:
        copy_version(family.half_plus_two, tmp_path, 2)
        copy_version(family.half_plus_three, tmp_path, 3)
        everything, labels = VersionPolicy.all(), {"old": 2}
        async with serving(tmp_path, None, everything, labels) as (_, inference):
            x = {"x": floats(2)}
            for target, value in (
                (M, 4),
                (Target("m", version=2), 3),
                (Target("m", version=3), 4),
                (Target("m", label="old"), 3),
            ):
                assert (await inference.predict(target, x)).outputs["y"].tolist() == [value]
            for target, code in (
                (Target("other"), Code.NOT_FOUND),
                (Target("m", version=4), Code.NOT_FOUND),
                (Target("m", label="new"), Code.INVALID_ARGUMENT),
                (Target("m", signature="nope"), Code.FAILED_PRECONDITION),
            ):
                assert (await refused(inference.predict(target, x))).code is code
            assert [s.version for s in inference.status(M)] == [3, 2]
            assert [s.version for s in inference.status(Target("m", label="old"))] == [2]
            assert inference.metadata(Target("m", label="old")).version == 2

    run(go())


def test_what_a_signature_takes_is_known_before_it_is_run(two: Path) -> None:
    async def go() -> None:
        async with serving(two) as (_, inference):
            assert list(inference.signature(M).inputs) == ["x"]
            assert inference.signature(REGRESSION).inputs["inputs"].is_string
            with pytest.raises(ServingError) as caught:
                inference.signature(Target("m", signature="nope"))
            assert caught.value.code is Code.INVALID_ARGUMENT
            assert caught.value.message == (
                'Serving signature name: "nope" not found in signature def'
            )
            found = inference.metadata(M)
            assert (found.name, found.version) == ("m", 2)
            assert set(found.signature_defs) >= {"serving_default", "regress_x_to_y"}

    run(go())


@how
def test_a_version_that_goes_answers_what_it_has_been_asked(
    two: Path, batching: BatchingSettings | None
) -> None:
    async def go() -> None:
        async with serving(two, batching) as (manager, inference):
            asked = [
                asyncio.ensure_future(inference.predict(M, {"x": floats(2)})) for _ in range(20)
            ]
            await asyncio.sleep(0)
            shutil.rmtree(two / "2")
            await manager.poll()
            assert (await refused(inference.predict(M, {"x": floats(2)}))).code is Code.NOT_FOUND
            for found in await asyncio.gather(*asked):
                assert found.outputs["y"].tolist() == [3.0]
            await inference.drain()
            while inference.status(M)[0].state is not State.END:
                await asyncio.sleep(0.001)

    run(go())


def test_a_model_that_fails_fails_the_request_and_nothing_else(tmp_path: Path) -> None:
    gather = tf.function(
        lambda i: {"y": tf.gather(tf.constant([1.0, 2.0]), i)},
        input_signature=[tf.TensorSpec([None], tf.int32, name="i")],
    )

    async def go() -> None:
        save_functions(tmp_path / "1", {"serving_default": gather})
        async with serving(tmp_path, BatchingSettings(max_batch_size=8)) as (_, inference):
            asked = [np.array([i], np.int32) for i in (0, 5, 1, -7)]
            found = await asyncio.gather(
                *(inference.predict(M, {"i": i}) for i in asked), return_exceptions=True
            )
            assert [getattr(each, "code", None) for each in found] == [
                *(None, Code.INVALID_ARGUMENT, None, Code.INVALID_ARGUMENT)
            ]
            for each in found:
                assert str(tmp_path) not in str(each)

    run(go())


def test_the_observer_hears_of_every_run(two: Path) -> None:
    class Heard(Silent):
        def __init__(self) -> None:
            self.rows: list[int] = []

        def model_call(self, *, model: str, version: int, seconds: float, rows: int) -> None:
            assert (model, version) == ("m", 2)
            assert seconds > 0
            self.rows.append(rows)

    async def go() -> None:
        async with serving(two) as (manager, _):
            heard = Heard()
            inference = Inference(manager, observer=heard)
            await inference.predict(M, {"x": floats([1], [2], [3])})
            await inference.predict(M, {"x": np.float32(1)})
            await refused(inference.predict(M, {"x": np.float64(1)}))
            assert heard.rows == [3, 0]
            inference.close()

    run(go())


def test_a_deadline_is_kept(two: Path) -> None:
    async def go() -> None:
        async with serving(two) as (_, inference):
            loop = asyncio.get_running_loop()
            x = {"x": floats(1)}
            assert await inference.predict(M, x, (), loop.time() + 60)
            late = inference.predict(M, x, (), loop.time() - 1)
            assert (await refused(late)).code is Code.DEADLINE_EXCEEDED

    run(go())
