"""`models.config`, read and written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.engine.settings import (
    ServedModel,
    VersionPolicy,
    checked,
    models_from_config,
    models_to_config,
)
from serving.status import Code, ServingError

NAMES = st.text(min_size=1, max_size=8).filter(lambda s: s.encode("utf-8", "ignore").decode() == s)
VERSIONS = st.integers(0, 2**63 - 1)
POLICIES = st.one_of(
    st.builds(VersionPolicy.newest, st.integers(1, 2**31 - 1)),
    st.just(VersionPolicy.all()),
    st.lists(VERSIONS, max_size=4).map(lambda versions: VersionPolicy.only(*versions)),
)
MODELS = st.lists(
    st.builds(
        ServedModel,
        NAMES,
        st.just(Path("/models/a b")),
        POLICIES,
        st.dictionaries(NAMES, VERSIONS, max_size=3),
    ),
    max_size=4,
    unique_by=lambda model: model.name,
)


@given(MODELS)
def test_what_was_written_is_read_again(models: list[ServedModel]) -> None:
    assert models_from_config(models_to_config(models)) == tuple(models)


def test_a_config_as_people_write_it() -> None:
    text = """
    model_config_list: {
      config { name: "co2", base_path: "/models/co2", model_platform: "tensorflow"
        model_version_policy { specific { versions: 3 versions: 1 } }
        version_labels { key: "stable" value: 1 } }
      config: { name: "old" base_path: "/models/old" model_type: TENSORFLOW
        model_version_policy: { latest { } } },
      config: { name: "all" base_path: "rel" model_platform: "tensorflow"
        model_version_policy: { all {} } },
    }
    """
    co2, old, everything = models_from_config(text)
    only = VersionPolicy.only(1, 3)
    assert co2 == ServedModel("co2", Path("/models/co2"), only, {"stable": 1})
    assert old == ServedModel("old", Path("/models/old"), VersionPolicy())
    assert everything.policy == VersionPolicy.all()


@pytest.mark.parametrize("text", ["", "model_config_list {}"])
def test_a_config_may_name_no_model(text: str) -> None:
    assert models_from_config(text) == ()


_MODEL = 'name: "a" base_path: "/a" model_platform: "tensorflow"'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "not a ModelServerConfig in text format"),
        ("model_config_list { config { nam: 1 } }", "not a ModelServerConfig in text format"),
        ("custom_model_config {}", "expected model_config_list"),
        (
            f"model_config_list {{ config {{ {_MODEL} }} config {{ {_MODEL} }} }}",
            "Illegal to list model a multiple times in config list",
        ),
        (
            'model_config_list { config { base_path: "/a" model_platform: "tensorflow" } }',
            "a model has no name",
        ),
        (
            'model_config_list { config { name: "a" model_platform: "tensorflow" } }',
            "model a: it has no base_path",
        ),
        ('model_config_list { config { name: "a" base_path: "/a" } }', "expected 'tensorflow'"),
        (
            'model_config_list { config { name: "a" base_path: "/a" model_platform: "torch" } }',
            "got model_platform 'torch', expected 'tensorflow'",
        ),
        (
            f"model_config_list {{ config {{ {_MODEL} model_type: TENSORFLOW }} }}",
            "Illegal setting both",
        ),
        (
            'model_config_list { config { name: "a" base_path: "/a" model_type: OTHER } }',
            "expected 'tensorflow'",
        ),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(text: str, message: str) -> None:
    with pytest.raises(ServingError) as caught:
        models_from_config(text)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert message in caught.value.message


def test_models_without_a_name_are_refused_wherever_they_come_from() -> None:
    with pytest.raises(ServingError, match="no name"):
        checked([ServedModel("", Path("/a"))])
