"""`PredictionServicer`: Predict, Classify, Regress, MultiInference and GetModelMetadata."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy.typing as npt
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    inference_pb2,
    prediction_service_pb2_grpc,
)

from serving.inference.inference import Inference
from serving.inference.target import Target
from serving.rpc.answering import Desk
from serving.rpc.answers import (
    classification_response,
    inference_result,
    predict_response,
    regression_response,
)
from serving.rpc.examples import examples_of
from serving.rpc.specs import spec_of, target_of
from serving.rpc.tensors import array_of
from serving.status import Code, ServingError

SIGNATURE_DEF = "signature_def"
Made = TypeVar("Made")
_INLINE_BYTES = 256 * 1024


class PredictionServicer(prediction_service_pb2_grpc.PredictionServiceServicer):
    """`tensorflow.serving.PredictionService` on an `Inference`.

    Args:
        inference: Answers the requests.
        desk: Gives each its time and its status.
    """

    def __init__(self, inference: Inference, desk: Desk) -> None:
        self._inference = inference
        self._desk = desk

    async def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Runs a signature on tensors."""

        async def work(deadline: float | None) -> Any:
            target = target_of(request)
            wanted = tuple(request.output_filter)
            inputs = await _aside(request.ByteSize(), self._arrays, request.inputs)
            done = await self._inference.predict(target, inputs, wanted, deadline)
            size = sum(array.nbytes for array in done.outputs.values())
            return await _aside(size, predict_response, done)

        return await self._desk.answer(context, "Predict", request.model_spec.name, work)

    def _arrays(self, protos: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
        most = self._desk.limits.max_message_bytes
        return {name: array_of(proto, name, max_bytes=most) for name, proto in protos.items()}

    async def Classify(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Classifies examples."""

        async def work(deadline: float | None) -> Any:
            target = target_of(request)
            done = await self._inference.classify(target, examples_of(request.input), deadline)
            return classification_response(done)

        return await self._desk.answer(context, "Classify", request.model_spec.name, work)

    async def Regress(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Gives a value for each example."""

        async def work(deadline: float | None) -> Any:
            target = target_of(request)
            done = await self._inference.regress(target, examples_of(request.input), deadline)
            return regression_response(done)

        return await self._desk.answer(context, "Regress", request.model_spec.name, work)

    async def MultiInference(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Several classifications and regressions of the same examples by one model."""

        async def work(deadline: float | None) -> Any:
            tasks = _tasks(request.tasks)
            done = await self._inference.multi_inference(
                tasks, examples_of(request.input), deadline
            )
            return inference_pb2.MultiInferenceResponse(
                results=[inference_result(one) for one in done]
            )

        first = request.tasks[0].model_spec.name if request.tasks else ""
        return await self._desk.answer(context, "MultiInference", first, work)

    async def GetModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The signatures of a model."""

        async def work(deadline: float | None) -> Any:  # noqa: ARG001
            target = target_of(request)
            if not request.metadata_field:
                raise ServingError(
                    Code.INVALID_ARGUMENT,
                    "GetModelMetadataRequest must specify at least one metadata_field",
                )
            for field in request.metadata_field:
                if field != SIGNATURE_DEF:
                    raise ServingError(
                        Code.INVALID_ARGUMENT, f"Metadata field {field} is not supported"
                    )
            found = self._inference.metadata(target)
            signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=found.signature_defs)
            answer = get_model_metadata_pb2.GetModelMetadataResponse(
                model_spec=spec_of(found.name, found.version)
            )
            answer.metadata[SIGNATURE_DEF].Pack(signatures)
            return answer

        return await self._desk.answer(context, "GetModelMetadata", request.model_spec.name, work)


async def _aside(size: int, function: Callable[[Any], Made], argument: Any) -> Made:
    """The function's result; made in another thread if `size` bytes would hold others up."""
    if size <= _INLINE_BYTES:
        return function(argument)
    return await asyncio.to_thread(function, argument)


def _tasks(protos: Sequence[Any]) -> list[tuple[Target, str]]:
    """What each task names, and the method it asks for."""
    if not protos:
        raise ServingError(Code.INVALID_ARGUMENT, "the request has no tasks")
    return [(target_of(proto), proto.method_name) for proto in protos]
