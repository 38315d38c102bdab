"""`assert_predicts`: a prediction, and all that comes back."""

from __future__ import annotations

from tensorflow.core.framework import types_pb2

from tests.serving.contract import messages
from tests.serving.contract.engines import Running
from tests.serving.contract.messages import SECONDS, spec


def assert_predicts(
    server: Running,
    model: str,
    expected: float,
    version: int = 123,
    *,
    signature: str = "",
    outputs: tuple[str, ...] = ("y",),
    shape: tuple[int, ...] = (1,),
) -> None:
    """Sends x = 2 and looks at all that comes back."""
    request = messages.predict(
        spec(model, signature), {"x": messages.floats(2.0, shape=shape)}, *outputs
    )
    answer = server.prediction.Predict(request, timeout=SECONDS)
    assert set(answer.outputs) == {"y"}
    assert answer.outputs["y"].dtype == types_pb2.DT_FLOAT
    assert list(answer.outputs["y"].float_val) == [expected]
    assert answer.model_spec == spec(model, signature or "serving_default", version)
