"""Whatever comes, whenever: each request gets its own rows, as if it had been alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.batching.settings import BatchingSettings
from serving.engine.servable import Array
from serving.status import Code, ServingError
from tests.serving.batching.numpy_model import POISON, NumpyModel, answer, bench, call
from tests.serving.event_loop import run


@dataclass(frozen=True)
class Request:
    """What a client sends, and what it does then.

    Attributes:
        version: Of the model.
        rows: 0: a scalar.
        width: Of a row.
        text: Whether it is strings.
        poison: Whether one row cannot be read.
        pause: Milliseconds before it comes.
        patience: Milliseconds until its deadline; None: forever.
        leaves: Whether the client goes away right after.
    """

    version: int
    rows: int
    width: int
    text: bool
    poison: bool
    pause: int
    patience: int | None
    leaves: bool

    def array(self, number: int) -> Array:
        """Values that no other request has."""
        if self.rows == 0:
            return np.asarray(1000 * number, np.float32)
        grid = 1000 * number + np.arange(self.rows * self.width).reshape(self.rows, self.width)
        if self.text:
            return np.array([[str(v).encode() for v in row] for row in grid], object)
        values = grid.astype(np.float32)
        if self.poison:
            values[-1] = POISON
        return values


REQUESTS = st.lists(
    st.builds(
        Request,
        version=st.integers(1, 2),
        rows=st.integers(0, 7),
        width=st.integers(1, 2),
        text=st.sampled_from([False, False, True]),
        poison=st.sampled_from([False, False, False, True]),
        pause=st.sampled_from([0, 0, 0, 1, 3]),
        patience=st.sampled_from([None, None, None, 0, 1, 1000]),
        leaves=st.sampled_from([False, False, False, True]),
    ),
    min_size=1,
    max_size=20,
)
SETTINGS = st.one_of(
    st.none(),
    st.builds(
        BatchingSettings,
        max_batch_size=st.integers(1, 8),
        batch_timeout_micros=st.sampled_from([0, 500, 5000]),
        max_enqueued_batches=st.integers(1, 20),
        num_batch_threads=st.integers(1, 3),
        enable_large_batch_splitting=st.booleans(),
        start_when_idle=st.booleans(),
    ),
    st.builds(
        BatchingSettings,
        max_batch_size=st.just(8),
        allowed_batch_sizes=st.sampled_from([(8,), (2, 8), (1, 3, 8)]),
    ),
)
REFUSALS = {Code.RESOURCE_EXHAUSTED, Code.DEADLINE_EXCEEDED}


@settings(max_examples=80)
@given(SETTINGS, REQUESTS)
def test_each_gets_what_it_would_get_alone(
    how: BatchingSettings | None, requests: list[Request]
) -> None:
    run(_check(how, requests))


async def _check(how: BatchingSettings | None, requests: list[Request]) -> None:
    models = {version: NumpyModel(version=version) for version in (1, 2)}
    with bench(how) as made:
        asked = []
        for number, request in enumerate(requests):
            await asyncio.sleep(request.pause / 1000)
            seconds = None if request.patience is None else request.patience / 1000
            what = call(request.array(number))
            asked.append(made.asking(models[request.version], what, seconds))
        await asyncio.sleep(0)
        for future, request in zip(asked, requests, strict=True):
            if request.leaves:
                future.cancel()
        found = await asyncio.gather(*asked, return_exceptions=True)
        await made.runner.drain()
        assert set(made.released) <= {1}
        assert made.waiting == 0
    for number, (request, result) in enumerate(zip(requests, found, strict=True)):
        x = request.array(number)
        if isinstance(result, asyncio.CancelledError):
            assert request.leaves
        elif not isinstance(result, ServingError):
            assert not (request.poison and request.rows and not request.text)
            np.testing.assert_array_equal(result, answer(x, request.version))
        elif result.code is Code.INVALID_ARGUMENT:
            too_large = how is not None and request.rows > how.max_batch_size
            assert request.poison or too_large
        else:
            assert result.code in REFUSALS
            assert request.patience is not None or how is not None
    if how is not None:
        most = max(how.max_batch_size, 1)
        assert all(size <= most for model in models.values() for size in model.sizes)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4)), min_size=1, max_size=8))
def test_inputs_of_different_lengths_are_padded_and_rows_stay_apart(
    shapes: list[tuple[int, int]],
) -> None:
    """A request's own values come first in each of its rows; the rest is its first value."""

    async def go() -> None:
        model = NumpyModel()
        how = BatchingSettings(
            max_batch_size=64, num_batch_threads=1, pad_variable_length_inputs=True
        )
        with bench(how) as made:
            arrays = [np.full(shape, number + 1, np.float32) for number, shape in enumerate(shapes)]
            found = await asyncio.gather(*(made.ask(model, x) for x in arrays))
        for x, value in zip(arrays, found, strict=True):
            assert value.shape[0] == x.shape[0]
            assert value.shape[1] >= x.shape[1]
            if x.size:
                assert (value == answer(x).flat[0]).all()

    run(go())
