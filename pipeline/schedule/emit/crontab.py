"""A line for crontab."""

from __future__ import annotations

import shlex

from pipeline.schedule.emit.plan import Plan

UTC_NAMES = {"UTC", "Etc/UTC", "Etc/UCT", "UCT", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal"}


def crontab(plan: Plan, *, machine_zone: str | None) -> tuple[dict[str, str], list[str]]:
    """The lines, as one file, and what cron does otherwise than the schedule says.

    No lock around the command: a run that finds its workspace in use ends with exit code 1 and a
    line in the log, and changes nothing.

    Args:
        plan: Which run, and when.
        machine_zone: The machine's time zone, which cron goes by; None if unknown.
    """
    schedule = plan.schedule
    notes = [f"add it with: crontab -l | cat - elman-{plan.name}.cron | crontab -"]
    lines = [f"# Elman: one run of {plan.name}, {schedule.cron} {schedule.timezone}"]
    if not _same(schedule.timezone, machine_zone):
        lines.append(f"CRON_TZ={schedule.timezone}")
        notes.append(
            f"this machine's time zone is {machine_zone or 'unknown'}, not {schedule.timezone}: "
            "cronie heeds CRON_TZ for all lines after it; Debian's cron passes over it, and reads "
            "the line in the machine's zone"
        )
    if schedule.catch_up != "none":
        notes.append("cron does not catch up on times that were missed while the machine was off")
    if schedule.jitter:
        notes.append("cron has no jitter: runs start at the time itself")
    log = plan.workspace / "logs" / "cron.log"
    folder = shlex.quote(str(log.parent))
    command = (
        f"mkdir -p {folder} && cd {shlex.quote(str(plan.config.parent))} && "
        f"{shlex.join(plan.run)} >> {shlex.quote(str(log))} 2>&1"
    )
    # crontab(5): an unescaped percent sign is a line break, also inside the shell's quotes.
    lines.append(f"{plan.cron.expanded} {command}".replace("%", "\\%"))
    return {f"elman-{plan.name}.cron": "\n".join(lines) + "\n"}, notes


def _same(zone: str, other: str | None) -> bool:
    return zone == other or {zone, other} <= UTC_NAMES
