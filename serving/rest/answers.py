"""`Answers`: what each REST method does with a request's body."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from serving.rest.body import decoded
from serving.rest.json_answer import write_classify, write_predict, write_regress
from serving.rest.json_examples import read_examples
from serving.rest.json_predict import read_predict, signature_name
from serving.rest.json_status import write_metadata, write_status
from serving.rest.json_text import parse
from serving.rest.limits import RestLimits
from serving.rest.routes import Method, Route

if TYPE_CHECKING:
    from serving.inference.inference import Inference
    from serving.inference.target import Target

T = TypeVar("T")


class Answers:
    """Makes the answers to the routes of the API.

    Args:
        inference: Knows the models.
        limits: Say which work is too large for the event loop's own thread.
    """

    def __init__(self, inference: Inference, limits: RestLimits) -> None:
        self._inference = inference
        self._limits = limits

    def about(self, route: Route) -> bytes:
        """The answer to a GET: what is known of a model.

        Raises:
            ServingError: NOT_FOUND if there is no such model or version; INVALID_ARGUMENT for an
                unknown label.
        """
        if route.method is Method.STATUS:
            return write_status(self._inference.status(route.target))
        found = self._inference.metadata(route.target)
        return write_metadata(found.name, found.version, found.signature_defs)

    async def infer(
        self, route: Route, body: bytes, encoding: bytes | None, deadline: float
    ) -> tuple[bytes, int]:
        """The answer to a POST.

        Args:
            route: What is asked.
            body: As it was sent.
            encoding: The body's Content-Encoding.
            deadline: Time of the event loop at which to give up.

        Returns:
            The answer, and the version of the model that gave it.

        Raises:
            ServingError: If there is none.
        """
        most = self._limits.max_decompressed_bytes
        compressed = bool(encoding)
        plain = await self._run(len(body), compressed, decoded, body, encoding, most)
        size = len(plain)
        document = await self._run(size, False, parse, plain)
        target = replace(route.target, signature=signature_name(document))
        if route.method is Method.PREDICT:
            return await self._predict(target, document, size, deadline)
        return await self._examples(route.method, target, document, size, deadline)

    async def _predict(
        self, target: Target, document: Mapping[str, Any], size: int, deadline: float
    ) -> tuple[bytes, int]:
        expected = self._inference.signature(target).inputs
        read = await self._run(size, False, read_predict, document, target.signature, expected)
        done = await self._inference.predict(target, read.arrays, (), deadline)
        written = sum(getattr(array, "nbytes", 0) for array in done.outputs.values())
        answer = await self._run(written, False, write_predict, done.outputs, read.format)
        return answer, done.version

    async def _examples(
        self,
        method: Method,
        target: Target,
        document: Mapping[str, Any],
        size: int,
        deadline: float,
    ) -> tuple[bytes, int]:
        examples = await self._run(size, False, read_examples, document)
        if method is Method.CLASSIFY:
            classified = await self._inference.classify(target, examples, deadline)
            answer = await self._run(size, False, write_classify, classified.results)
            return answer, classified.version
        regressed = await self._inference.regress(target, examples, deadline)
        return await self._run(size, False, write_regress, regressed.values), regressed.version

    async def _run(self, size: int, always: bool, work: Callable[..., T], *args: Any) -> T:
        """`work(*args)`, in a thread of its own if `size` bytes take long, or `always`."""
        if always or size > self._limits.inline_bytes:
            return await asyncio.to_thread(partial(work, *args))
        return work(*args)
