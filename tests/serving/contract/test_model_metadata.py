"""PredictionService.GetModelMetadata."""

from __future__ import annotations

from typing import Any

import pytest
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import get_model_metadata_pb2

from tests.serving.conftest import ModelFamily
from tests.serving.contract import messages
from tests.serving.contract.engines import Running
from tests.serving.contract.messages import SECONDS, refused, spec

pytestmark = pytest.mark.contract("servables/tensorflow/get_model_metadata_impl_test.cc")

REFUSED: dict[str, tuple[Any, str]] = {
    "no field": (messages.metadata(spec("default")), "INVALID_ARGUMENT"),
    "an unknown field": (messages.metadata(spec("default"), "some_stuff"), "INVALID_ARGUMENT"),
    "no model_spec": (messages.metadata(None, "signature_def"), "INVALID_ARGUMENT"),
    "no model": (messages.metadata(spec(""), "signature_def"), "INVALID_ARGUMENT"),
    "a model that does not exist": (messages.metadata(spec("test"), "signature_def"), "NOT_FOUND"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(server: Running, case: str) -> None:
    request, expected = REFUSED[case]
    code, _ = refused(server.prediction.GetModelMetadata, request)
    assert code == expected


def test_the_signatures_are_those_of_the_model(server: Running, family: ModelFamily) -> None:
    asked = spec("default", version=123)
    request = messages.metadata(asked, "signature_def")
    answer = server.prediction.GetModelMetadata(request, timeout=SECONDS)
    assert answer.model_spec == asked
    assert len(answer.metadata) == 1
    found = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(found)
    stored = saved_model_pb2.SavedModel.FromString(
        (family.half_plus_two / "saved_model.pb").read_bytes()
    )
    expected = dict(stored.meta_graphs[0].signature_def)
    # What is needed to initialise the model is stored among the signatures, but is none.
    expected.pop("__saved_model_init_op", None)
    given = {n: s for n, s in found.signature_def.items() if n != "__saved_model_init_op"}
    assert given == expected
