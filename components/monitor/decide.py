"""The decision that follows from the checks: train, stop, or leave all as it is."""

from __future__ import annotations

from collections.abc import Sequence

from components.monitor.config import DriftConfig
from components.monitor.report import Check, Decision, MonitorReport, WatchedChampion

NOT_YET = "there is no champion yet: nothing to watch"


def decide(
    config: DriftConfig,
    champion: WatchedChampion,
    checks: Sequence[Check],
    *,
    days: float,
    force: bool = False,
) -> MonitorReport:
    """The decision, with its reasons.

    `stop` if a check that stops found drift. Else `hold`, if training waits for drift, no check
    that asks for it found any, and each of them could look or only waits for more data. A check
    that cannot judge the champion never holds back its successor.

    Args:
        config: Which checks ask for what.
        champion: The live model.
        checks: What was found.
        days: Of new data since the end of the champion's.
        force: Train even if nothing asks for it.
    """
    drifted = [check for check in checks if check.state == "drifted"]
    reasons = [f"{check.name}: {check.reason}" for check in checks if check.reason]
    name = f"champion version {champion.version}"
    stops = [check for check in drifted if check.action == "stop"]
    if stops:
        words = "; ".join(check.reason for check in stops)
        return _report("stop", f"stopped: {words}", reasons, champion, checks)
    waits = [check for check in checks if check.action == "retrain"]
    wanted = [check for check in drifted if check.action == "retrain"]
    if config.retrains and not wanted and all(_holds(check) for check in waits):
        if force:
            reasons.append("trained all the same: --force")
        elif config.retrain_every is not None and days >= config.retrain_every:
            reasons.append(
                f"{days:.4g} days of data are new; drift.retrain_every is {config.retrain_every:g}"
            )
        else:
            return _report("hold", f"held: {name} still holds", reasons, champion, checks)
    if drifted:
        words = "; ".join(check.reason for check in drifted)
        return _report("go", f"drift: {words}", reasons, champion, checks)
    if checks and all(check.state == "not_checked" for check in checks):
        return _report("go", "drift was not checked", reasons, champion, checks)
    return _report("go", f"no drift since {name}", reasons, champion, checks)


def _holds(check: Check) -> bool:
    return check.state == "steady" or (check.state == "not_checked" and check.waiting)


def _report(
    decision: Decision,
    summary: str,
    reasons: Sequence[str],
    champion: WatchedChampion,
    checks: Sequence[Check],
) -> MonitorReport:
    return MonitorReport(
        decision=decision,
        summary=summary,
        reasons=tuple(reasons),
        champion=champion,
        checks=tuple(checks),
    )
