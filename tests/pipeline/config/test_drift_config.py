"""The section `drift` and the request log: what is refused, and what they change."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import BadInputError
from pipeline.config import loads

BASE = """name: a
data: {path: d.csv, time: t, frequency: h, series: s}
targets: [y]
covariates: {past: [p], static: [kind]}
window: {lookback: 48, horizon: 24}
"""


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("drift: {skew: {}}", "serving.request_log"),
        ("drift: {data: null, concept: null}", "nothing would be checked"),
        ("drift: {retrain_every: 7}", "action: retrain"),
        ("drift: {columns: [y, z]}", "'z', which is neither a target nor a covariate"),
        ("drift: {data: {treshold: 0.2}}", "did you mean 'threshold'"),
        ("drift: {data: {threshold: 1.5}}", "threshold"),
        ("drift: {concept: {action: retrian}}", "retrain"),
        ("serving: {request_log: {sample: 2}}", "sample"),
    ],
)
def test_what_cannot_be_meant_is_refused(section: str, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        loads(BASE + section)


@pytest.mark.parametrize(
    "section",
    [
        "drift: {}",
        "drift: {skew: {requests: logs/*.tfrecord}}",
        "drift: {skew: {action: stop}}\nserving: {request_log: {}}",
        "drift: {concept: {action: retrain}, retrain_every: 30, columns: [y, p, kind]}",
    ],
)
def test_what_is_meant_is_read(section: str) -> None:
    assert loads(BASE + section).forecast.drift is not None


def test_without_the_sections_nothing_changes() -> None:
    config = loads(BASE).config
    assert "drift" not in config.model_dump(mode="json")
    assert "request_log" not in config.model_dump(mode="json")["serving"]
    with_both = loads(BASE + "drift: {}\nserving: {request_log: {}}").config
    assert with_both.digest != config.digest
    assert with_both.training_digest == config.training_digest


def test_requests_are_kept_in_the_workspace_unless_told_otherwise() -> None:
    def folder(section: str) -> Path:
        return loads(BASE + section, path="/work/a.yaml").request_log_directory

    assert folder("") == Path("/work/workspace/requests/a")
    assert folder("serving: {request_log: {directory: logs}}") == Path("/work/logs")
