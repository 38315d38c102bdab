"""Checks of `drift` against the rest of the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.config.problem import Problem

if TYPE_CHECKING:
    from pipeline.config.config import Config


def drift_problems(config: Config) -> Iterator[Problem]:
    """What is wrong with the section `drift`: nothing to read, or keys that lead to nothing."""
    drift = config.drift
    if drift is None:
        return
    if drift.data is None and drift.skew is None and drift.concept is None:
        yield Problem(
            ("drift",),
            "received null for data, skew and concept, so that nothing would be checked; give one "
            "of them or leave out the section",
        )
    logged = config.serving.request_log is not None
    if drift.skew is not None and drift.skew.requests is None and not logged:
        yield Problem(
            ("drift", "skew", "requests"),
            "received null, and no requests are logged; add serving.request_log: {}, or say where "
            "PredictionLog files are",
        )
    if drift.retrain_every is not None and not drift.retrains:
        yield Problem(
            ("drift", "retrain_every"),
            f"received {drift.retrain_every:g}, but every run trains; give a check of drift "
            "action: retrain, or leave this out",
        )
    c = config.covariates
    known = (*config.targets, *c.past, *c.future, *c.static)
    for name in drift.columns or ():
        if name not in known:
            yield Problem(
                ("drift", "columns"),
                f"received {name!r}, which is neither a target nor a covariate; expected some of "
                f"{', '.join(known)}",
            )
