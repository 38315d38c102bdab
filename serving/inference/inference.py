"""`Inference`: answers requests, whatever protocol they came by."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from serving.batching.runner import Runner
from serving.batching.settings import BatchingSettings
from serving.engine.manager import ModelManager
from serving.engine.servable import Array, Servable
from serving.engine.signature import DEFAULT_SIGNATURE, Signature
from serving.engine.version_status import VersionStatus
from serving.inference.classify import prepare_classify
from serving.inference.exchange import Exchange, Keeper
from serving.inference.multi import Task, check_tasks, prepare_multi
from serving.inference.predict import prepare_predict
from serving.inference.prepare import invalid
from serving.inference.prepared import Prepared
from serving.inference.regress import prepare_regress
from serving.inference.target import Classification, Metadata, Prediction, Regression, Target
from serving.observer import Observer, Silent

T = TypeVar("T")


class Inference:
    """Answers requests in arrays by the models of a manager; belongs to one event loop.

    A method that takes a `deadline`, in time of the event loop, answers DEADLINE_EXCEEDED once it
    has passed; what it had begun by then goes on in its thread, and nobody hears of it. A caller
    that is cancelled gives up in the same way.

    Args:
        manager: Lends the versions.
        batching: How requests are gathered to run together; None: each runs by itself.
        observer: Hears of runs of the models.
        keeper: Is offered the requests that were answered; None: nobody is.
        threads: Requests that run at the same time, besides batches; None: 4 for each core, as in
            TF Serving.
    """

    def __init__(
        self,
        manager: ModelManager,
        batching: BatchingSettings | None = None,
        *,
        observer: Observer | None = None,
        keeper: Keeper | None = None,
        threads: int | None = None,
    ) -> None:
        self._manager = manager
        self._keeper = keeper
        self._runner = Runner(batching, threads or 4 * (os.cpu_count() or 1), observer or Silent())

    async def predict(
        self,
        target: Target,
        inputs: Mapping[str, Array],
        outputs: Collection[str] = (),
        deadline: float | None = None,
    ) -> Prediction:
        """Runs a signature, of whatever method, on arrays.

        Args:
            target: Which.
            inputs: One array for each input, of its dtype and shape: nothing is converted.
                Strings are object arrays of bytes.
            outputs: Names of those wanted; empty: all.
            deadline: When to give up.

        Raises:
            ServingError: NOT_FOUND, INVALID_ARGUMENT, FAILED_PRECONDITION for what `target` names;
                INVALID_ARGUMENT for inputs and outputs that do not fit the signature (see
                `prepare_predict`); RESOURCE_EXHAUSTED if too many requests wait; or as the model
                fails.
        """
        done = await self._answer(
            target,
            lambda servable: prepare_predict(servable, target.signature, inputs, outputs),
            deadline,
        )
        if self._keeper is not None and self._keeper.wants():
            self._keeper.keep(Exchange((target,), done, inputs=inputs, outputs=outputs))
        return done

    async def classify(
        self, target: Target, examples: Sequence[bytes], deadline: float | None = None
    ) -> Classification:
        """Classifies examples, each a serialized tf.Example.

        Raises:
            ServingError: As `predict`, and INVALID_ARGUMENT if the signature is no classification
                or its outputs are not labels and scores for each example.
        """
        done = await self._answer(
            target,
            lambda servable: prepare_classify(servable, target.signature, examples),
            deadline,
        )
        if self._keeper is not None and self._keeper.wants():
            self._keeper.keep(Exchange((target,), done, examples=examples))
        return done

    async def regress(
        self, target: Target, examples: Sequence[bytes], deadline: float | None = None
    ) -> Regression:
        """Gives a value for each example, each a serialized tf.Example.

        Raises:
            ServingError: As `predict`, and INVALID_ARGUMENT if the signature is no regression or
                its output is not a value for each example.
        """
        done = await self._answer(
            target,
            lambda servable: prepare_regress(servable, target.signature, examples),
            deadline,
        )
        if self._keeper is not None and self._keeper.wants():
            self._keeper.keep(Exchange((target,), done, examples=examples))
        return done

    async def multi_inference(
        self, tasks: Sequence[Task], examples: Sequence[bytes], deadline: float | None = None
    ) -> list[Classification | Regression]:
        """Classifications and regressions of the same examples, in one run of one version.

        Args:
            tasks: Targets and method names; the version is the one that the first names.
            examples: Each a serialized tf.Example.
            deadline: When to give up.

        Returns:
            The answer to each task, in their order.

        Raises:
            ServingError: As `classify` and `regress`; UNIMPLEMENTED for other methods.
        """
        check_tasks(tasks)
        done = await self._answer(
            tasks[0][0], lambda servable: prepare_multi(servable, tasks, examples), deadline
        )
        if self._keeper is not None and self._keeper.wants():
            targets, methods = zip(*tasks, strict=True)
            self._keeper.keep(Exchange(targets, done, examples=examples, methods=methods))
        return done

    def signature(self, target: Target) -> Signature:
        """The signature that `target` names: what its inputs and outputs must be.

        Raises:
            ServingError: NOT_FOUND or INVALID_ARGUMENT if there is none.
        """
        name = target.signature or DEFAULT_SIGNATURE
        with self._manager.use(target.name, target.version, target.label) as servable:
            found = servable.signatures.get(name)
        if found is None:
            raise invalid(f'Serving signature name: "{name}" not found in signature def')
        return found

    def metadata(self, target: Target) -> Metadata:
        """The signatures of the version that `target` names.

        Raises:
            ServingError: NOT_FOUND or INVALID_ARGUMENT if there is none.
        """
        with self._manager.use(target.name, target.version, target.label) as servable:
            return Metadata(servable.name, servable.version, dict(servable.signature_defs))

    def status(self, target: Target) -> list[VersionStatus]:
        """The states of the versions that `target` names, newest first.

        Raises:
            ServingError: NOT_FOUND or INVALID_ARGUMENT if there are none.
        """
        return self._manager.status(target.name, target.version, target.label)

    async def drain(self) -> None:
        """Waits until no request is waiting or running, those included that were given up."""
        await self._runner.drain()

    def close(self) -> None:
        """Lets the threads go; nothing can be answered afterwards."""
        self._runner.close()

    async def _answer(
        self,
        target: Target,
        prepare: Callable[[Servable], Prepared[T]],
        deadline: float | None,
    ) -> T:
        with contextlib.ExitStack() as stack:
            lease = self._manager.use(target.name, target.version, target.label)
            servable = stack.enter_context(lease)
            prepared = prepare(servable)
            # From here on the runner gives the servable back.
            release = stack.pop_all().close
        values = await self._runner.run(servable, prepared.call, deadline, release)
        return prepared.finish(values)
