"""Which models are served, and changing that by HandleReloadConfigRequest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from tests.serving.conftest import ModelFamily
from tests.serving.contract import messages
from tests.serving.contract.engines import Running, Setup
from tests.serving.contract.messages import SECONDS, refused, spec
from tests.serving.contract.setups import ALL, entry, labels

pytestmark = pytest.mark.contract("model_servers/server_core_test.cc")

Serve = Callable[[Setup], Running]
BOGUS = 777


def config_of(server: Running, models: str) -> Any:
    """A ModelServerConfig; `{root}` is the server's folder."""
    text = f"model_config_list {{ {models.replace('{root}', str(server.root))} }}"
    return text_format.Parse(text, model_server_config_pb2.ModelServerConfig())


def reload(server: Running, models: str) -> None:
    """Has the server serve `models`, which has to work."""
    request = messages.reload_config(config_of(server, models))
    answer = server.model_service.HandleReloadConfigRequest(request, timeout=SECONDS)
    assert answer.status.error_code == 0


def refuses(server: Running, models: str) -> tuple[str, str]:
    """Code and message of the refusal to serve `models`."""
    request = messages.reload_config(config_of(server, models))
    return refused(server.model_service.HandleReloadConfigRequest, request)


@pytest.fixture
def one(serve: Serve, family: ModelFamily) -> Running:
    """A server of version 123 of half_plus_two; further folders to reload from."""
    two = family.half_plus_two
    return serve(
        Setup(
            entry("default"),
            {
                ("default", 123): two,
                ("other", 123): two,
                ("third", 123): two,
                ("two versions", 123): two,
                ("two versions", 124): two,
                ("broken", 123): family.broken,
            },
            labels_first=False,
        )
    )


@pytest.fixture
def two(serve: Serve, family: ModelFamily) -> Running:
    """A server of the versions 123 and 124 of half_plus_two."""
    return serve(two_versions(family, labels_first=False))


def two_versions(family: ModelFamily, *, labels_first: bool) -> Setup:
    versions = {("default", v): family.half_plus_two for v in (123, 124)}
    return Setup(entry("default", more=ALL), versions, labels_first=labels_first)


def test_models_are_there_when_the_server_is(one: Running) -> None:
    assert one.available("default") == {123}
    asked = spec("default", version=123)
    request = messages.predict(asked, {"x": messages.floats(2.0)})
    answer = one.prediction.Predict(request, timeout=SECONDS)
    assert answer.model_spec == spec("default", "serving_default", 123)


def test_a_new_model_is_there_when_reloading_is_answered(one: Running) -> None:
    reload(one, entry("default") + entry("other"))
    assert one.available("other") == {123}


def test_reloading_with_no_model_takes_all_away(one: Running) -> None:
    reload(one, "")
    one.wait_for("default")


def test_a_model_that_was_taken_away_comes_back(one: Running) -> None:
    reload(one, "")
    one.wait_for("default")
    reload(one, entry("default"))
    assert one.available("default") == {123}


def test_a_model_moves_to_another_folder_and_back(one: Running) -> None:
    reload(one, entry("default", "two versions"))
    one.wait_for("default", 124)
    reload(one, entry("default"))
    one.wait_for("default", 123)


def test_models_come_and_go_and_stay_at_once(one: Running) -> None:
    reload(one, entry("default") + entry("other"))
    reload(one, entry("other") + entry("third"))
    assert one.available("other") == {123}
    assert one.available("third") == {123}
    one.wait_for("default")


def test_a_new_model_that_does_not_load_is_told(one: Running) -> None:
    _, message = refuses(one, entry("default") + entry("broken"))
    assert "did not become available" in message


CONFIGS_REFUSED: dict[str, tuple[str, str, str]] = {
    "model_type and model_platform": (
        entry("default", more="model_type: TENSORFLOW"),
        "INVALID_ARGUMENT",
        "Illegal setting both",
    ),
    "a model twice": (entry("default") + entry("default"), "INVALID_ARGUMENT", "multiple times"),
    "an unknown platform": (
        'config { name: "other" base_path: "{root}/other" model_platform: "not_a_known_platform" }',
        "INVALID_ARGUMENT",
        "platform",
    ),
    "a relative path": (
        'config { name: "other" base_path: "other" model_platform: "tensorflow" }',
        "INVALID_ARGUMENT",
        "absolute path",
    ),
    "an absolute path and a relative one": (
        entry("default")
        + 'config { name: "other" base_path: "other" model_platform: "tensorflow" }',
        "INVALID_ARGUMENT",
        "absolute path",
    ),
}


@pytest.mark.parametrize("case", CONFIGS_REFUSED)
def test_refused(one: Running, case: str) -> None:
    models, expected, words = CONFIGS_REFUSED[case]
    code, message = refuses(one, models)
    assert code == expected
    assert words in message
    assert one.available("default") == {123}, "what was served is served still"


def test_a_custom_config_is_refused(one: Running) -> None:
    config = model_server_config_pb2.ModelServerConfig()
    config.custom_model_config.SetInParent()
    request = messages.reload_config(config)
    code, message = refused(one.model_service.HandleReloadConfigRequest, request)
    assert code == "INVALID_ARGUMENT"
    assert "Only ModelConfigList is currently supported" in message


def test_the_deprecated_model_type_stands_for_the_platform(one: Running) -> None:
    reload(one, 'config { name: "other" base_path: "{root}/other" model_type: TENSORFLOW }')
    assert one.available("other") == {123}


def version_asked(server: Running, **which: Any) -> int:
    """The version that answers a request."""
    request = messages.predict(spec("default", **which), {"x": messages.floats(2.0)})
    return int(server.prediction.Predict(request, timeout=SECONDS).model_spec.version.value)


def test_versions_by_number_and_label(two: Running) -> None:
    two.wait_for("default", 123, 124)
    assert version_asked(two) == 124
    assert version_asked(two, version=123) == 123
    reload(two, entry("default", more=ALL + labels(A=123, B=124)))
    assert version_asked(two, label="A") == 123
    assert version_asked(two, label="B") == 124
    request = messages.predict(spec("default", label="nonexistent label"), {})
    code, message = refused(two.prediction.Predict, request)
    assert code == "INVALID_ARGUMENT"
    assert "Unrecognized servable version label" in message


def test_no_label_for_a_version_that_is_not_there(two: Running) -> None:
    two.wait_for("default", 123, 124)
    code, message = refuses(two, entry("default", more=ALL + labels(nice=BOGUS)))
    assert code == "FAILED_PRECONDITION"
    assert "not currently available for inference" in message


def test_a_label_for_a_version_that_is_not_there_if_allowed(
    serve: Serve, family: ModelFamily
) -> None:
    server = serve(two_versions(family, labels_first=True))
    server.wait_for("default", 123, 124)
    reload(server, entry("default", more=ALL + labels(nice=BOGUS)))


def test_a_label_in_use_does_not_move_to_a_version_that_is_not_there(
    serve: Serve, family: ModelFamily
) -> None:
    server = serve(two_versions(family, labels_first=True))
    server.wait_for("default", 123, 124)
    reload(server, entry("default", more=ALL + labels(A=123, B=124)))
    code, message = refuses(server, entry("default", more=ALL + labels(A=BOGUS, B=124)))
    assert code == "FAILED_PRECONDITION"
    assert "not currently available for inference" in message
    assert version_asked(server, label="A") == 123
