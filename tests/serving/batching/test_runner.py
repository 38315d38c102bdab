"""When requests run, and with which others."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
import pytest

from serving.batching.settings import BatchingSettings
from serving.engine.servable import Array
from serving.status import Code, ServingError
from tests.serving.batching.numpy_model import (
    POISON,
    Bench,
    NumpyModel,
    answer,
    bench,
    call,
    code_of,
    rows,
)
from tests.serving.event_loop import run, until

PATIENT = BatchingSettings(max_batch_size=4, batch_timeout_micros=600_000_000)
"""Waits ten minutes, so a test that waited for the timeout would fail."""


async def occupied(made: Bench, model: NumpyModel, *requests: Array) -> list[Any]:
    """Makes one request run and wait, and `requests` gather behind it."""
    model.gate.clear()
    first = made.asking(model, rows(0))
    await until(lambda: len(model.runs) == 1)
    asked = [made.asking(model, x) for x in requests]
    await until(lambda: made.waiting == len(requests))
    return [first, *asked]


async def results(asked: list[Any]) -> list[Any]:
    return list(await asyncio.gather(*asked, return_exceptions=True))


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


def test_one_row_that_the_model_cannot_read_fails_nobody_else() -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(BatchingSettings(max_batch_size=9, num_batch_threads=1)) as made:
            good, bad = rows(1), rows(5, POISON)
            asked = await occupied(made, model, good, bad, rows(2))
            model.gate.set()
            found = await results(asked)
            np.testing.assert_array_equal(found[1], answer(good))
            assert code_of(found[2]) is Code.INVALID_ARGUMENT
            assert found[2].message == "could not parse a row"
            np.testing.assert_array_equal(found[3], answer(rows(2)))
            assert model.sizes == [1, 4, 1, 2, 1]

    run(go())


def test_who_gave_up_is_not_run_again_when_a_batch_fails() -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(BatchingSettings(max_batch_size=9, num_batch_threads=1)) as made:
            asked = await occupied(made, model, rows(1), rows(POISON), rows(2))
            model.gate.set()
            model.gate.clear()
            model.gate.set()
            await until(lambda: all(each.done() for each in asked))
            model.gate.clear()
            again = [made.asking(model, rows(v)) for v in (3, POISON, 4)]
            await until(lambda: len(model.runs) == 6)
            again[2].cancel()
            await asyncio.sleep(0)
            model.gate.set()
            found = await results(again)
            await made.runner.drain()
            np.testing.assert_array_equal(found[0], answer(rows(3)))
            assert not any(4 in x and len(x) == 1 for x in model.runs)

    run(go())


@pytest.mark.parametrize("output", ["sum", "first"])
def test_outputs_that_have_no_row_for_each_row_are_never_shared(output: str) -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(BatchingSettings(max_batch_size=9, num_batch_threads=1)) as made:
            for _ in range(2):
                asked = [made.asking(model, call(rows(i, i), output)) for i in range(3)]
                found = await results(asked)
                for i, value in enumerate(found):
                    expected = 2 * i if output == "sum" else [[i]]
                    np.testing.assert_array_equal(value, expected)
            # Found out once; the others are not tried together any more.
            assert sorted(model.sizes) == [2] * 6 + [6]
            assert made.batches == [(6, 3)]
            await asyncio.gather(*(made.ask(model, rows(i)) for i in range(2)))
            assert made.batches == [(6, 3), (2, 2)]

    run(go())


@pytest.mark.parametrize("x", [np.float32(1), np.ones((2, 1), np.float32)], ids=["scalar", "told"])
def test_what_has_no_batch_runs_by_itself(x: Array) -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(PATIENT) as made:
            asked = [made.asking(model, call(np.asarray(x), bypass=True)) for _ in range(3)]
            for value in await results(asked):
                np.testing.assert_array_equal(value, answer(np.asarray(x)))
            assert (len(model.runs), made.batches) == (3, [])

    run(go())


def test_a_large_request_is_run_in_parts() -> None:
    async def go() -> None:
        model = NumpyModel()
        x = rows(*range(11))
        with bench(BatchingSettings(max_batch_size=4)) as made:
            found = await made.ask(model, call(x, "y", "y"))
            for value in found:
                np.testing.assert_array_equal(value, answer(x))
            assert sorted(model.sizes) == [3, 4, 4]
            await made.runner.drain()
            assert made.released == [1]

    run(go())


def test_a_large_request_fails_as_one() -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(BatchingSettings(max_batch_size=2, num_batch_threads=1)) as made:
            with pytest.raises(ServingError, match="could not parse a row"):
                await made.ask(model, rows(0, 1, POISON, 3, 4, 5))
            await made.runner.drain()
            assert made.released == [1]

    run(go())


def test_a_large_request_that_is_given_up_leaves_the_queue() -> None:
    async def go() -> None:
        model = NumpyModel()
        with bench(BatchingSettings(max_batch_size=2, num_batch_threads=1)) as made:
            asked = await occupied(made, model)
            with pytest.raises(ServingError) as caught:
                await made.ask(model, rows(*range(8)), seconds=0.02)
            assert caught.value.code is Code.DEADLINE_EXCEEDED
            await until(lambda: made.waiting == 0)
            model.gate.set()
            await results(asked)
            await made.runner.drain()
            assert (model.sizes, made.released) == ([1], [1, 1])

    run(go())


def test_a_large_request_can_be_refused() -> None:
    async def go() -> None:
        model = NumpyModel()
        settings = BatchingSettings(max_batch_size=3, enable_large_batch_splitting=False)
        with bench(settings) as made:
            with pytest.raises(ServingError) as caught:
                await made.ask(model, rows(1, 2, 3, 4))
            assert caught.value.code is Code.INVALID_ARGUMENT
            assert caught.value.message == ("Task size 4 is larger than maximum input batch size 3")
            assert made.released == [1]

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
