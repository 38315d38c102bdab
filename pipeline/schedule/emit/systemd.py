"""A systemd service that runs once, and the timer that starts it."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.schedule.cron import WEEKDAYS, Cron, CronField
from pipeline.schedule.emit.plan import Plan

CLOSE = 90
"""Seconds that an interrupted run has to close what it has open, before systemd kills it."""


def units(plan: Plan) -> tuple[dict[str, str], list[str]]:
    """The two files by name, and what systemd does otherwise than the schedule says."""
    notes = [
        "as root: copy both files to /etc/systemd/system; as a user: to ~/.config/systemd/user "
        f"and use systemctl --user; then: systemctl enable --now {_unit(plan)}.timer",
    ]
    schedule = plan.schedule
    if schedule.catch_up == "all":
        notes.append("catch_up: all: systemd runs only the last of several missed times")
    if schedule.timezone != "UTC":
        notes.append(
            "a time that clocks skip in spring is not run by systemd on that day; elman schedule "
            "runs it an hour later"
        )
    return {f"{_unit(plan)}.service": _service(plan), f"{_unit(plan)}.timer": _timer(plan)}, notes


def _unit(plan: Plan) -> str:
    return f"elman-{plan.name}"


def _service(plan: Plan) -> str:
    return f"""[Unit]
Description=Elman: one run of {plan.name}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
WorkingDirectory={_specifiers(str(plan.config.parent))}
ExecStart={_command(plan.run)}
# A stop is a Ctrl-C: the run closes what it has open. Only what is left then is killed.
KillMode=mixed
KillSignal=SIGINT
SuccessExitStatus=130
TimeoutStartSec=infinity
TimeoutStopSec={CLOSE}
"""


def _timer(plan: Plan) -> str:
    schedule = plan.schedule
    lines = [f"OnCalendar={line}" for line in calendars(plan.cron, schedule.timezone)]
    lines.append(f"Persistent={'false' if schedule.catch_up == 'none' else 'true'}")
    lines.append("AccuracySec=1s")
    if schedule.jitter:
        lines.append(f"RandomizedDelaySec={schedule.jitter:g}s")
    times = "\n".join(lines)
    return f"""[Unit]
Description=Elman: {plan.name} at {plan.cron.text} {schedule.timezone}

[Timer]
{times}

[Install]
WantedBy=timers.target
"""


def calendars(cron: Cron, timezone: str) -> list[str]:
    """`cron` as systemd's OnCalendar= lines; several lines are joined by "or".

    Args:
        cron: The expression. Where a day may fit day of month or day of week, there are two lines.
        timezone: A name of the IANA database.
    """
    days: list[tuple[CronField | None, CronField | None]] = [(cron.day, cron.weekday)]
    if cron.either_day:
        days = [(cron.day, None), (None, cron.weekday)]
    lines = []
    for day, weekday in days:
        words = []
        if weekday is not None and not weekday.every:
            words.append(",".join(WEEKDAYS[value].capitalize() for value in weekday.values))
        words.append(f"*-{_listed(cron.month)}-{_listed(day)}")
        words.append(f"{_listed(cron.hour)}:{_listed(cron.minute)}:00")
        words.append(timezone)
        lines.append(" ".join(words))
    return lines


def _listed(field: CronField | None) -> str:
    if field is None or field.every:
        return "*"
    return ",".join(f"{value:02d}" for value in field.values)


def _command(words: Sequence[str]) -> str:
    # systemd takes few characters in the program's own path, and any in an argument.
    program = words[0]
    before = [] if _plain(program) else ["/usr/bin/env"]
    return " ".join([*before, *(_argument(word) for word in words)])


def _plain(word: str) -> bool:
    return word.isascii() and all(letter.isalnum() or letter in "/._-+=:@" for letter in word)


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")


def _argument(word: str) -> str:
    """`word` as systemd.service(5) reads it under COMMAND LINES."""
    if word and _plain(word):
        return word
    escaped = _specifiers(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{escaped}"'
