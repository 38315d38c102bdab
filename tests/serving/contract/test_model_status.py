"""ModelService.GetModelStatus."""

from __future__ import annotations

from typing import Any

import pytest

from tests.serving.contract import messages
from tests.serving.contract.engines import Running
from tests.serving.contract.messages import SECONDS, refused, spec
from tests.serving.contract.setups import TWO_VERSIONS

pytestmark = pytest.mark.contract("model_servers/get_model_status_impl_test.cc")

REFUSED: dict[str, tuple[Any, str]] = {
    "no model_spec": (None, "INVALID_ARGUMENT"),
    "a model that does not exist": (spec("nonexistent_model"), "NOT_FOUND"),
    "a version that does not exist": (spec(TWO_VERSIONS, version=125), "NOT_FOUND"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(server: Running, case: str) -> None:
    model, expected = REFUSED[case]
    code, _ = refused(server.model_service.GetModelStatus, messages.status(model))
    assert code == expected


@pytest.mark.parametrize(
    ("model", "versions"),
    [(spec(TWO_VERSIONS), [124, 123]), (spec(TWO_VERSIONS, version=123), [123])],
    ids=["all versions", "one version"],
)
def test_answered(server: Running, model: Any, versions: list[int]) -> None:
    answer = server.model_service.GetModelStatus(messages.status(model), timeout=SECONDS)
    found = answer.model_version_status
    assert [s.version for s in found] == versions
    assert {(s.status.error_code, s.status.error_message) for s in found} == {(0, "")}
