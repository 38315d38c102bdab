"""Names of time zones."""

from __future__ import annotations

from difflib import get_close_matches


def zone_problem(name: str) -> str | None:
    """What is wrong with `name` as a time zone, with the nearest one; None if nothing is."""
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        from zoneinfo import available_timezones

        names = {zone.lower(): zone for zone in available_timezones()}
        near = [names[n] for n in get_close_matches(name.lower(), names, n=1)]
        near = near or sorted(z for z in names.values() if z.split("/")[-1].lower() == name.lower())
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"received {name!r}, expected a time zone such as UTC or Europe/Berlin{hint}"
    return None
