"""Requests that cannot share a run, or of which one spoils it."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from serving.batching.settings import BatchingSettings
from serving.engine.servable import Array
from serving.status import Code, ServingError
from tests.serving.batching.numpy_model import (
    PATIENT,
    POISON,
    NumpyModel,
    answer,
    bench,
    call,
    code_of,
    occupied,
    results,
    rows,
)
from tests.serving.event_loop import run, until


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
