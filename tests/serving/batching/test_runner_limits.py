"""Queues that are full, deadlines that pass, clients that go away."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from serving.batching.settings import BatchingSettings
from serving.status import Code, ServingError
from tests.serving.batching.numpy_model import (
    PATIENT,
    NumpyModel,
    answer,
    bench,
    occupied,
    results,
    rows,
)
from tests.serving.event_loop import run, until


def test_a_full_queue_refuses_at_once_and_takes_more_later() -> None:
    async def go() -> None:
        model = NumpyModel()
        settings = BatchingSettings(max_batch_size=2, max_enqueued_batches=2, num_batch_threads=1)
        with bench(settings) as made:
            asked = await occupied(made, model, rows(1), rows(2), rows(3))
            with pytest.raises(ServingError) as caught:
                await made.ask(model, rows(4, 4))
            assert caught.value.code is Code.RESOURCE_EXHAUSTED
            assert "3 of at most 4 rows wait" in caught.value.message
            asked.append(made.asking(model, rows(5)))
            await until(lambda: made.waiting == 4)
            model.gate.set()
            found = await results(asked)
            assert not any(isinstance(each, Exception) for each in found)
            np.testing.assert_array_equal(await made.ask(model, rows(4, 4)), answer(rows(4, 4)))
            assert set(made.released) == {1}

    run(go())


def test_the_queue_of_one_version_does_not_fill_that_of_another() -> None:
    async def go() -> None:
        model, other = NumpyModel(), NumpyModel(version=2)
        settings = BatchingSettings(max_batch_size=1, max_enqueued_batches=1, num_batch_threads=1)
        with bench(settings) as made:
            asked = await occupied(made, model, rows(1))
            asked.append(made.asking(other, rows(1)))
            await until(lambda: made.waiting == 2)
            with pytest.raises(ServingError, match="queue"):
                await made.ask(model, rows(1))
            model.gate.set()
            found = await results(asked)
            np.testing.assert_array_equal(found[-1], answer(rows(1), version=2))

    run(go())


def test_a_request_whose_deadline_passes_while_it_waits_is_not_run() -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(BatchingSettings(max_batch_size=4, num_batch_threads=1)) as made:
            asked = await occupied(made, model, rows(1))
            with pytest.raises(ServingError) as caught:
                await made.ask(model, rows(2), seconds=0.02)
            assert caught.value.code is Code.DEADLINE_EXCEEDED
            assert made.released == [0, 0, 1]
            assert made.waiting == 1
            model.gate.set()
            await results(asked)
            assert model.sizes == [1, 1]
            assert made.released == [1, 1, 1]

    run(go())


@pytest.mark.parametrize("settings", [None, PATIENT], ids=["alone", "batched"])
def test_a_request_whose_deadline_passes_while_it_runs_is_answered_in_time(settings: Any) -> None:
    async def go() -> None:
        model = NumpyModel()
        model.gate.clear()
        with bench(settings) as made:
            with pytest.raises(ServingError) as caught:
                await made.ask(model, rows(2), seconds=0.02)
            assert caught.value.code is Code.DEADLINE_EXCEEDED
            assert made.released == [0], "the model still runs"
            model.gate.set()
            await made.runner.drain()
            assert made.released == [1]

    run(go())


def test_a_request_that_is_too_late_already_is_not_run() -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(None) as made:
            with pytest.raises(ServingError) as caught:
                await made.ask(model, rows(2), seconds=0)
            assert caught.value.code is Code.DEADLINE_EXCEEDED
            assert (model.runs, made.released) == ([], [1])

    run(go())


def test_a_client_that_goes_away_while_it_waits_leaves_its_place() -> None:
    async def go() -> None:
        model = NumpyModel()
        settings = BatchingSettings(max_batch_size=1, max_enqueued_batches=1, num_batch_threads=1)
        with bench(settings) as made:
            asked = await occupied(made, model, rows(1))
            asked[1].cancel()
            await until(lambda: made.released == [0, 1])
            assert made.waiting == 0
            asked.append(made.asking(model, rows(2)))
            await until(lambda: made.waiting == 1)
            model.gate.set()
            found = await results(asked)
            assert isinstance(found[1], asyncio.CancelledError)
            assert [x[0, 0] for x in model.runs] == [0, 2]

    run(go())


@pytest.mark.parametrize("settings", [None, PATIENT], ids=["alone", "batched"])
def test_a_client_that_goes_away_while_the_model_runs_harms_nobody(settings: Any) -> None:
    async def go() -> None:
        model = NumpyModel()
        model.gate.clear()
        with bench(settings) as made:
            asked = [made.asking(model, rows(i)) for i in range(3)]
            await until(lambda: sum(model.sizes) == 3)
            asked[1].cancel()
            await asyncio.sleep(0)
            assert made.released == [0, 0, 0]
            model.gate.set()
            found = await results(asked)
            np.testing.assert_array_equal(found[0], answer(rows(0)))
            assert isinstance(found[1], asyncio.CancelledError)
            np.testing.assert_array_equal(found[2], answer(rows(2)))
            await made.runner.drain()
            assert made.released == [1, 1, 1]

    run(go())


def test_a_request_that_was_given_up_before_a_thread_took_it_is_not_run() -> None:
    async def go() -> None:
        model = NumpyModel()
        model.gate.clear()
        with bench(None, threads=1) as made:
            asked = [made.asking(model, rows(i)) for i in range(3)]
            await until(lambda: len(model.runs) == 1)
            asked[1].cancel()
            await asyncio.sleep(0)
            model.gate.set()
            await results(asked)
            await made.runner.drain()
            assert [x[0, 0] for x in model.runs] == [0, 2]
            assert made.released == [1, 1, 1]

    run(go())


def test_more_rows_than_can_ever_wait_are_refused() -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(BatchingSettings(max_batch_size=2, max_enqueued_batches=2)) as made:
            with pytest.raises(ServingError) as caught:
                await made.ask(model, rows(*range(5)))
            assert caught.value.code is Code.RESOURCE_EXHAUSTED
            assert made.released == [1]

    run(go())


def test_drain_waits_for_what_waits_and_what_runs() -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(BatchingSettings(max_batch_size=1, num_batch_threads=1)) as made:
            await made.runner.drain()
            asked = await occupied(made, model, rows(1))
            draining = asyncio.ensure_future(made.runner.drain())
            await asyncio.sleep(0.02)
            assert not draining.done()
            model.gate.set()
            await draining
            assert made.released == [1, 1]
            await results(asked)
            await made.runner.drain()

    run(go())
