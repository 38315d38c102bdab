"""Checks across sections, each with words for what to change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from models.errors import BadInputError
from models.features.step import Step
from models.frequency import DAY, WEEK, Frequency
from models.network.engines import engine_refusal
from models.network.streaming import streaming_refusal
from models.roles import OBSERVED, Roles
from models.training.config import TruncatedBptt
from pipeline.config.drift_checks import drift_problems
from pipeline.config.problem import Problem
from pipeline.config.tune_checks import tune_problems
from pipeline.config.urls import url_problems
from pipeline.config.zone import zone_problem

if TYPE_CHECKING:
    from pipeline.config.config import Config


def problems(config: Config) -> list[Problem]:
    """Everything about `config` that no section can see by itself; empty if all is well."""
    return [problem for check in _CHECKS for problem in check(config)]


def _columns(config: Config) -> Iterator[Problem]:
    keys = {"time": config.data.time, "series": config.data.series}
    if config.data.time == config.data.series:
        yield Problem(
            ("data", "series"),
            f"received {config.data.series!r}, which is also data.time; one column cannot be both",
        )
    for path, names in _listed(config):
        for name in names:
            used = next((k for k, column in keys.items() if column == name), None)
            if used:
                yield Problem(
                    path,
                    f"received {name!r}, which is the {used} column (data.{used}); remove it here",
                )
            elif name in ("time", "series"):
                yield Problem(
                    path,
                    f"received {name!r}, a name the pipeline keeps for its own column; rename "
                    "the column in the data",
                )
            elif name == "":
                yield Problem(path, "received '', expected the name of a column")
        for name, count in Counter(names).items():
            if count > 1:
                yield Problem(path, f"received {name!r} {count} times; list a column once")
    if OBSERVED in config.covariates.static:
        yield Problem(
            ("covariates", "static"),
            f"received {OBSERVED!r}, the mask of filled steps; it may only be under "
            "covariates.past",
        )


def _roles(config: Config) -> Iterator[Problem]:
    if any(len(set(names)) != len(names) for _, names in _listed(config)):
        return  # said by _columns, in better words
    try:
        Roles(targets=config.targets, covariates=config.covariates)
    except ValueError as error:
        first = error.errors()[0] if hasattr(error, "errors") else {"ctx": {"error": error}}
        yield Problem(("covariates",), str(first.get("ctx", {}).get("error", error)))


def _frequency(config: Config) -> Iterator[Problem]:
    received = config.data.frequency
    try:
        frequency = Frequency.parse(received)
    except BadInputError as error:
        text = str(error).removeprefix(f"frequency {received!r}: ")
        yield Problem(("data", "frequency"), f"received {received!r}: {text}")
        return
    yield from _calendar(config, frequency)


def _calendar(config: Config, frequency: Frequency) -> Iterator[Problem]:
    if not config.covariates.calendar:
        return
    try:
        if frequency.step is None:
            Step.parse(config.data.frequency)
    except BadInputError as error:
        yield Problem(("data", "frequency"), str(error).removeprefix("data.frequency: "))
        return
    for feature in config.covariates.calendar:
        if _constant(feature, frequency):
            useful = [f for f in _FEATURES if not _constant(f, frequency)]
            hint = f"useful here: {', '.join(useful)}" if useful else "remove it"
            yield Problem(
                ("covariates", "calendar"),
                f"received {feature!r}, which never changes at the frequency "
                f"{config.data.frequency!r}; {hint}",
            )


_FEATURES = (
    "minute_of_hour",
    "hour_of_day",
    "day_of_week",
    "day_of_month",
    "day_of_year",
    "week_of_year",
    "month_of_year",
    "quarter_of_year",
)


def _constant(feature: str, frequency: Frequency) -> bool:
    step, alias = frequency.step, frequency.alias.lstrip("0123456789")
    period = {"minute_of_hour": 3_600, "hour_of_day": DAY, "day_of_week": WEEK}.get(feature)
    if period is not None:
        if step is not None:
            return step % period == 0
        return period < WEEK and "h" not in alias
    yearly = alias.startswith(("YS", "YE", "BYS", "BYE"))
    if feature == "day_of_month":
        return alias.startswith(("MS", "QS", "YS"))
    if feature == "day_of_year":
        return alias.startswith("YS")
    return yearly and feature in ("month_of_year", "quarter_of_year")


def _gate(config: Config) -> Iterator[Problem]:
    names = config.baselines.names
    for name in config.gate.beats:
        if name not in names:
            yield Problem(
                ("gate", "beats"),
                f"received {name!r}, which is not scored; add it to baselines.names "
                f"(now {', '.join(names) or 'empty'}) or remove it here",
            )
    for name, count in Counter(config.gate.beats).items():
        if count > 1:
            yield Problem(("gate", "beats"), f"received {name!r} {count} times; list it once")


def _baselines(config: Config) -> Iterator[Problem]:
    lags, lookback = config.baselines.ar_max_lags, config.window.lookback
    if lags is not None and lags > lookback:
        yield Problem(
            ("baselines", "ar_max_lags"),
            f"received {lags}, expected at most window.lookback ({lookback}), as the AR baseline "
            "sees the same window as the model",
        )
    if any(units < 1 for units in config.baselines.ffnn_units):
        yield Problem(
            ("baselines", "ffnn_units"),
            f"received {list(config.baselines.ffnn_units)}, expected whole numbers >= 1",
        )


def _reading(config: Config) -> Iterator[Problem]:
    data = config.data
    format_ = data.time_format
    if format_ is not None and "%" not in format_ and format_ not in ("s", "ms", "us", "ns"):
        yield Problem(
            ("data", "time_format"),
            f"received {format_!r}, expected a strptime format such as '%d.%m.%Y %H:%M', "
            "one of s, ms, us, ns (since 1970), or null for ISO 8601",
        )
    if problem := zone_problem(data.timezone):
        yield Problem(("data", "timezone"), problem)
    if data.path is not None and not data.path.strip():
        yield Problem(("data", "path"), f"received {data.path!r}, expected a file or a glob")


def _urls(config: Config) -> Iterator[Problem]:
    yield from url_problems(("data", "url"), config.data.url)
    yield from url_problems(("tracking", "uri"), config.tracking.uri)


def _streaming(config: Config) -> Iterator[Problem]:
    reason = streaming_refusal(config.model) if config.serving.streaming else None
    if reason is not None:
        yield Problem(
            ("serving", "streaming"),
            f"received true, but this model cannot be read step by step: {reason}; or leave out "
            "serving.streaming",
        )


def _engine(config: Config) -> Iterator[Problem]:
    reason = engine_refusal(config.serving.engine, config.model)
    if reason is not None:
        yield Problem(("serving", "engine"), f"received {config.serving.engine}, {reason}")


def _truncated(config: Config) -> Iterator[Problem]:
    if not isinstance(config.train.bptt, TruncatedBptt):
        return
    reason = streaming_refusal(config.model)
    if reason is not None:
        yield Problem(
            ("train", "bptt"),
            f"received {{truncated: {config.train.bptt.truncated}}}, which carries the state from "
            f"chunk to chunk, but this model cannot be read step by step: {reason}; or write "
            "bptt: full",
        )


def _listed(config: Config) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    c = config.covariates
    return [
        (("targets",), config.targets),
        (("covariates", "past"), c.past),
        (("covariates", "future"), c.future),
        (("covariates", "static"), c.static),
    ]


_CHECKS: tuple[Callable[[Config], Iterator[Problem]], ...] = (
    _columns,
    _roles,
    _reading,
    _urls,
    _frequency,
    _baselines,
    _gate,
    _streaming,
    _engine,
    _truncated,
    drift_problems,
    tune_problems,
)
