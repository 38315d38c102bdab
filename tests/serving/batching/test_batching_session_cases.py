"""What runs together, padded to what, and what is refused: TF Serving's batching session.

Left out: costs and thread pools, which are C++ options; `EnqueuedLongerThanTimeout`, whose code is
RESOURCE_EXHAUSTED there and DEADLINE_EXCEEDED here (`test_runner.py`); mixed outputs of one
signature, which form batches of their own here and one there, with the same answers.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from serving.batching.merge import as_long
from serving.batching.settings import BatchingSettings
from serving.engine.call import Call
from serving.status import Code, ServingError
from tests.serving.batching.numpy_model import NumpyModel, bench
from tests.serving.event_loop import run
from tests.serving.restated import restated

SESSION = "batching/batching_session_test.cc"
UTIL = "batching/batching_util_test.cc"
SECOND = 1_000_000
NEVER = 2**31 - 1


class HalfPlusTwo(NumpyModel):
    """`y = x / 2 + 2`."""

    def run_tensors(self, feeds: Any, fetches: Any) -> list[Any]:
        super().run_tensors(feeds, ())
        return [feeds["x"] / 2 + 2 for _ in fetches]


@dataclass(frozen=True)
class Case:
    """Inputs that are sent at once, what each gets, and the sizes that the model sees."""

    id: str
    settings: dict[str, Any]
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    sizes: list[int]


SQUARE = [[[1, 2], [3, 4]]]
CUBE = np.arange(5, 14).reshape(1, 3, 3)
BIG = np.arange(5, 17).reshape(3, 2, 2)
CASES = [
    Case(
        "Basic",
        {"max_batch_size": 4, "batch_timeout_micros": SECOND},
        ([100, 42], [71.5, 18.3]),
        ([52, 23], [37.75, 11.15]),
        [4],
    ),
    Case(
        "BatchingWithPadding",
        {"max_batch_size": 2, "batch_timeout_micros": SECOND, "pad_variable_length_inputs": True},
        (SQUARE, CUBE),
        ([[[2.5, 3, 2.5], [3.5, 4, 2.5], [2.5, 2.5, 2.5]]], CUBE / 2 + 2),
        [2],
    ),
    Case(
        "UnequalTensorShapesWithPaddingTurnedOff (two batches here, an error there)",
        {"max_batch_size": 2, "batch_timeout_micros": 1},
        (SQUARE, CUBE),
        (np.array(SQUARE) / 2 + 2, CUBE / 2 + 2),
        [1, 1],
    ),
    Case(
        "BatchingWithLargeBatch (splitting)",
        {"max_batch_size": 2, "batch_timeout_micros": 1},
        ([[[5, 6], [7, 8]]], BIG),
        ([[[4.5, 5], [5.5, 6]]], BIG / 2 + 2),
        [1, 1, 2],
    ),
    Case("SingletonBatch", {"max_batch_size": 4}, ([100, 42],), ([52, 23],), [2]),
    Case(
        "AllowedBatchSizesNoPaddingNeeded",
        {"max_batch_size": 4, "allowed_batch_sizes": (2, 4)},
        ([100, 42],),
        ([52, 23],),
        [2],
    ),
    Case(
        "AllowedBatchSizesRequirePadding",
        {"max_batch_size": 4, "allowed_batch_sizes": (1, 3, 4)},
        ([100, 42],),
        ([52, 23],),
        [3],
    ),
]


@pytest.mark.parametrize("case", restated(SESSION, CASES))
def test_batching_session(case: Case) -> None:
    async def go() -> None:
        model = HalfPlusTwo()
        with bench(BatchingSettings(num_batch_threads=1, **case.settings)) as made:
            inputs = [np.asarray(x, np.float32) for x in case.inputs]
            found = await asyncio.gather(*(made.ask(model, x) for x in inputs))
        for value, expected in zip(found, case.outputs, strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-6)
        assert sorted(model.sizes) == case.sizes

    run(go())


def test_the_padding_is_a_row_of_the_request() -> None:
    async def go() -> None:
        model = HalfPlusTwo()
        settings = BatchingSettings(max_batch_size=4, allowed_batch_sizes=(4,))
        with bench(settings) as made:
            await made.ask(model, np.float32([100, 42]))
        assert model.runs[0].tolist() == [100, 42, 100, 100]

    run(go())


@pytest.mark.contract(SESSION)
def test_request_with_incompatible_input_tensor_sizes() -> None:
    """Refused there; here it cannot share a run and has one of its own."""

    async def go() -> None:
        model = HalfPlusTwo()
        feeds = {"x": np.float32([5, 7]), "z": np.float32([3])}
        with bench(BatchingSettings(max_batch_size=100, batch_timeout_micros=NEVER)) as made:
            value = await made.ask(model, Call(feeds, ("y",), None))
        np.testing.assert_array_equal(value, [4.5, 5.5])

    run(go())


@pytest.mark.contract(SESSION)
def test_batching_with_large_batch_that_is_refused() -> None:
    async def go() -> None:
        settings = BatchingSettings(max_batch_size=3, enable_large_batch_splitting=False)
        with bench(settings) as made, pytest.raises(ServingError) as caught:
            await made.ask(HalfPlusTwo(), np.zeros((4, 2, 2), np.float32))
        assert caught.value.code is Code.INVALID_ARGUMENT
        assert "Task size 4 is larger than maximum input batch size 3" in caught.value.message

    run(go())


@pytest.mark.contract(SESSION)
def test_multiple_signatures() -> None:
    """Neither is full while it has one request; both are with two."""

    async def go() -> None:
        model = HalfPlusTwo()
        settings = BatchingSettings(
            max_batch_size=4,
            batch_timeout_micros=NEVER,
            num_batch_threads=1,
            start_when_idle=False,
        )
        x = np.float32([100, 42])
        with bench(settings) as made:
            asked = [made.asking(model, Call({"x": x}, fetch, 2)) for fetch in (("y",), ("y3",))]
            await asyncio.sleep(0.05)
            assert model.runs == []
            asked += [made.asking(model, Call({"x": x}, fetch, 2)) for fetch in (("y",), ("y3",))]
            for value in await asyncio.gather(*asked):
                np.testing.assert_array_equal(value, [52, 23])
        assert model.sizes == [4, 4]

    run(go())


@dataclass(frozen=True)
class Sizes:
    """Allowed batch sizes that are refused where the largest batch is 4."""

    id: str
    allowed: tuple[int, ...]


REFUSED = [
    Sizes("UnsortedAllowedBatchSizesRejected", (4, 2)),
    Sizes("FinalAllowedBatchSizeLargerThanMaxBatchSizeRejected", (2, 8)),
    Sizes("twice the same", (2, 2, 4)),
    Sizes("zero", (0, 4)),
    Sizes("too small", (2,)),
]


@pytest.mark.parametrize("case", restated(SESSION, REFUSED))
def test_allowed_batch_sizes_rejected(case: Sizes) -> None:
    with pytest.raises(ValueError, match="max_batch_size"):
        BatchingSettings(max_batch_size=4, allowed_batch_sizes=case.allowed)


@pytest.mark.contract(UTIL)
def test_calculate_max_dim_sizes() -> None:
    first, second = as_long([np.zeros((10, 20, 30)), np.zeros((20, 50, 15))])
    assert (first.shape, second.shape) == ((10, 50, 30), (20, 50, 30))
    first, second = as_long([np.zeros((10, 100)), np.zeros((20, 101))])
    assert (first.shape, second.shape) == ((10, 101), (20, 101))


@pytest.mark.contract(UTIL)
@pytest.mark.parametrize(
    "dtype",
    [
        *("float32", "float64", "int32", "uint8", "int16", "uint16", "int8", "object"),
        *("complex64", "complex128", "int64", "bool", "float16"),
    ],
)
def test_add_padding(dtype: str) -> None:
    array = np.ones((10, 20, 30), dtype)
    if dtype == "object":
        array[:] = b"ab"
    padded, _ = as_long([array, np.ones((1, 100, 200), dtype)])
    assert (padded.shape, padded.dtype) == ((10, 100, 200), array.dtype)
    assert (padded == array.flat[0]).all()


@pytest.mark.contract(UTIL)
def test_add_padding_to_tensors_of_any_rank() -> None:
    """AddPaddingTensorWithUnsupportedRank: from rank 7 on refused there, padded here."""
    shapes = (1, 2, 1, 2, 1, 2, 1), (3, 1, 2, 1, 2, 1, 2)
    first, second = as_long([np.full(shape, i) for i, shape in enumerate(shapes)])
    assert first.shape == (1, 2, 2, 2, 2, 2, 2)
    assert second.shape == (3, 2, 2, 2, 2, 2, 2)


def test_an_empty_array_has_nothing_to_be_padded_with() -> None:
    first, second = as_long([np.ones((1, 0)), np.ones((1, 2))])
    assert (first.shape, second.shape) == ((1, 0), (1, 2))
