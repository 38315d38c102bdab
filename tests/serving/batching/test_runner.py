"""When requests run, and with which others."""

from __future__ import annotations

import asyncio
import time

import numpy as np

from serving.batching.settings import BatchingSettings
from tests.serving.batching.numpy_model import (
    PATIENT,
    NumpyModel,
    answer,
    bench,
    call,
    occupied,
    results,
    rows,
)
from tests.serving.event_loop import run, until


def test_a_lone_request_starts_at_once() -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(PATIENT) as made:
            for x in (rows(1), rows(2, 3)):
                np.testing.assert_array_equal(await made.ask(model, x), answer(x))
            assert made.batches == [(1, 1), (2, 1)]
            assert made.released == [1, 1]

    run(go())


def test_requests_that_come_together_run_together() -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(PATIENT) as made:
            asked = [rows(i) for i in range(4)]
            found = await asyncio.gather(*(made.ask(model, x) for x in asked))
            assert model.sizes == [4]
            np.testing.assert_array_equal(found, [answer(x) for x in asked])

    run(go())


def test_requests_that_come_while_a_batch_runs_are_the_next_batch() -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(PATIENT) as made:
            asked = await occupied(made, model, rows(1), rows(2, 3))
            assert model.sizes == [1]
            model.gate.set()
            found = await results(asked)
            assert model.sizes == [1, 3]
            assert made.batches == [(1, 1), (3, 2)]
            for got, x in zip(found, (rows(0), rows(1), rows(2, 3)), strict=True):
                np.testing.assert_array_equal(got, answer(x))

    run(go())


def test_a_full_batch_does_not_wait_for_the_one_before() -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(PATIENT) as made:
            model.gate.clear()
            first = made.asking(model, rows(0))
            await until(lambda: len(model.runs) == 1)
            asked = [made.asking(model, rows(i, i)) for i in range(2)]
            await until(lambda: model.sizes == [1, 4])
            model.gate.set()
            await results([first, *asked])

    run(go())


def test_nor_does_one_that_has_waited_for_the_timeout() -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(BatchingSettings(max_batch_size=9, batch_timeout_micros=20_000)) as made:
            asked = await occupied(made, model, rows(1), rows(2))
            await until(lambda: model.sizes == [1, 2])
            model.gate.set()
            await results(asked)

    run(go())


def test_as_in_tf_serving_a_request_can_be_made_to_wait_for_others() -> None:
    async def go() -> None:
        model = NumpyModel()
        settings = BatchingSettings(
            max_batch_size=2, batch_timeout_micros=600_000_000, start_when_idle=False
        )
        with bench(settings) as made:
            first = made.asking(model, rows(1))
            await asyncio.sleep(0.05)
            assert model.runs == []
            second = made.asking(model, rows(2))
            await results([first, second])
            assert model.sizes == [2]

    run(go())


def test_and_not_longer_than_the_timeout() -> None:
    async def go() -> None:
        model = NumpyModel()
        settings = BatchingSettings(
            max_batch_size=9, batch_timeout_micros=30_000, start_when_idle=False
        )
        with bench(settings) as made:
            start = time.perf_counter()
            await made.ask(model, rows(1))
            assert time.perf_counter() - start >= 0.03

    run(go())


def test_not_more_batches_run_than_there_are_threads() -> None:
    async def go() -> None:
        model = NumpyModel()
        model.gate.clear()
        with bench(BatchingSettings(max_batch_size=1, num_batch_threads=2)) as made:
            asked = [made.asking(model, rows(i)) for i in range(5)]
            await until(lambda: len(model.runs) == 2)
            await asyncio.sleep(0.05)
            assert len(model.runs) == 2
            assert made.waiting == 3
            model.gate.set()
            await results(asked)
            assert model.sizes == [1] * 5

    run(go())


def test_a_batch_holds_the_first_that_fit_in_the_order_they_came() -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(BatchingSettings(max_batch_size=4, num_batch_threads=1)) as made:
            asked = await occupied(made, model, rows(1, 1), rows(2), rows(3, 3, 3), rows(4))
            model.gate.set()
            await results(asked)
            assert [x[:, 0].tolist() for x in model.runs] == [[0], [1, 1, 2], [3, 3, 3, 4]]

    run(go())


def test_what_differs_does_not_run_together() -> None:
    async def go() -> None:
        model, other = NumpyModel(), NumpyModel(version=2)
        with bench(BatchingSettings(max_batch_size=100, num_batch_threads=1)) as made:
            asked = await occupied(made, model, rows(1))
            wide = np.ones((1, 2), np.float32)
            flat = np.ones(1, np.float32)
            whole = np.ones((1, 1), np.int64)
            text = np.array([[b"a"]], object)
            for what in (wide, flat, whole, text, call(rows(1), "y", "first")):
                asked.append(made.asking(model, what))
            asked.append(made.asking(other, rows(1)))
            asked.append(made.asking(model, rows(2)))
            model.gate.set()
            found = await results(asked)
            assert not any(isinstance(each, Exception) for each in found)
            # The two that are alike; each of the others by itself.
            assert sorted(made.batches) == [(1, 1)] * 7 + [(2, 2)]
            np.testing.assert_array_equal(found[-2], answer(rows(1), version=2))

    run(go())


def test_the_observer_hears_of_runs() -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(PATIENT) as made:
            await asyncio.gather(*(made.ask(model, rows(i)) for i in range(3)))
            await made.ask(model, call(np.asarray(np.float32(1)), bypass=True))
            assert made.batches == [(3, 3)]
            assert made.calls == [3, 0]
            assert made.waiting == 0

    run(go())
