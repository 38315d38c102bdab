"""The files of each kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from models.errors import BadInputError
from pipeline.config import LoadedConfig
from pipeline.schedule.config import ScheduleConfig
from pipeline.schedule.emit.plan import plan


def emitted(
    loaded: LoadedConfig,
    schedule: ScheduleConfig,
    kind: str,
    *,
    image: str | None = None,
    volume: str | None = None,
) -> tuple[dict[str, str], list[str]]:
    """Files by name, and notes for the person who installs them.

    Args:
        loaded: The configuration.
        schedule: When.
        kind: `systemd`, `cron`, `airflow` or `kubeflow`.
        image: The container image; for kubeflow only.
        volume: The PersistentVolumeClaim with the configuration's folder; for kubeflow only.

    Raises:
        BadInputError: If that kind cannot do what the configuration needs, or a value is missing.
    """
    if kind != "kubeflow" and (image is not None or volume is not None):
        raise BadInputError(f"--image and --volume are for --emit kubeflow; --emit {kind} has none")
    if kind == "systemd":
        from pipeline.schedule.emit.systemd import units

        return units(plan(loaded, schedule))
    if kind == "cron":
        from tzlocal import get_localzone_name

        from pipeline.schedule.emit.crontab import crontab

        return crontab(plan(loaded, schedule), machine_zone=get_localzone_name())
    if kind == "airflow":
        from pipeline.schedule.emit.airflow import dag

        yesterday = datetime.now(UTC) - timedelta(days=1)
        return dag(plan(loaded, schedule), start=(yesterday.year, yesterday.month, yesterday.day))
    from pipeline.schedule.emit.kubeflow import compiled

    return compiled(loaded, schedule, image=image, volume=volume)
