"""A Kubeflow pipeline of one task that calls `elman run`, compiled by TFX's Kubeflow runner.

Why one task and not one for each node of the graph: docs/decisions, "Kubeflow runs elman".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from models.errors import BadInputError
from models.section import Section
from pipeline.config import LoadedConfig
from pipeline.schedule.config import ScheduleConfig
from pipeline.schedule.cron import WEEKDAYS, Cron

TASK = "run"
HEAD = """# Elman: one run of {name}. Made by elman schedule --emit kubeflow, compiled by TFX's
# KubeflowV2DagRunner. What the cluster needs:
# - Kubeflow Pipelines 2 on Kubernetes (the second document below is for Kubernetes);
# - the image {image}, with elman on its PATH;
# - the PersistentVolumeClaim {volume}, which holds configuration, data and workspace, and is
#   mounted at {folder}; a file system with locks (no object store);
# - the environment variables that the configuration names as ${{NAME}}, set in the image or by
#   the cluster.
# Artifacts, metadata and tracking are in the workspace, as everywhere: Kubeflow sees one task.
"""


def compiled(
    loaded: LoadedConfig, schedule: ScheduleConfig, *, image: str | None, volume: str | None
) -> tuple[dict[str, str], list[str]]:
    """The pipeline's file, and how to make it run at its times.

    Args:
        loaded: The configuration; all that it names has to be in its own folder.
        schedule: When.
        image: The container image.
        volume: The PersistentVolumeClaim with the configuration's folder.

    Raises:
        BadInputError: If image or volume are missing or no such names, if the configuration names
            files outside its folder, or if the package for Kubeflow is not installed.
    """
    if not image or not volume:
        raise BadInputError(
            "--emit kubeflow needs --image (a container image with elman on its PATH) and --volume "
            f"(the PersistentVolumeClaim that holds what is in {loaded.folder}, and is mounted "
            "there)"
        )
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", volume):
        raise BadInputError(
            f"--volume: received {volume!r}, expected the name of a PersistentVolumeClaim: small "
            "letters, digits, - and ."
        )
    if not re.fullmatch(r"[!-~]+", image):
        raise BadInputError(f"--image: received {image!r}, expected the name of an image")
    outside = [f"{key}: {path}" for key, path in _files(loaded) if not _inside(path, loaded.folder)]
    if outside:
        raise BadInputError(
            f"the task sees the folder {loaded.folder} only, as its volume; outside of it are:\n"
            + "\n".join(outside)
        )
    text = _text(loaded, image, volume)
    return {f"elman-{loaded.config.name}.yaml": text}, _notes(loaded, schedule)


def _files(loaded: LoadedConfig) -> Iterator[tuple[str, Path]]:
    yield "workspace", loaded.workspace
    yield "serving.directory", loaded.serving_directory
    yield "schema", loaded.schema_path
    source: Any = loaded.config.data.path
    given = source.model_dump().values() if isinstance(source, Section) else [source]
    for path in given:
        if isinstance(path, str):
            yield "data.path", loaded.resolve(path)
    for key, url in (
        ("tracking.uri", loaded.tracking_uri),
        ("data.url", getattr(loaded.config.data, "url", None)),
    ):
        if url and url.startswith("sqlite") and ":///" in url:
            yield key, loaded.resolve(url.partition(":///")[2])


def _inside(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder)


def _text(loaded: LoadedConfig, image: str, volume: str) -> str:
    folder = str(loaded.folder)
    spec, executor = _pipeline_spec(loaded, image)
    mount = {
        # Both spellings: older and newer back ends of Kubeflow read one of them.
        "constant": volume,
        "pvcNameParameter": {"runtimeValue": {"constant": volume}},
        "mountPath": folder,
    }
    platform = {
        "platforms": {
            "kubernetes": {"deploymentSpec": {"executors": {executor: {"pvcMount": [mount]}}}}
        }
    }
    head = HEAD.format(name=loaded.config.name, image=image, volume=volume, folder=folder)
    return head + yaml.safe_dump_all([spec, platform], sort_keys=True)


def _pipeline_spec(loaded: LoadedConfig, image: str) -> tuple[dict[str, Any], str]:
    """The pipeline as TFX compiles it, and the label of its only executor."""
    try:
        from kfp.pipeline_spec import pipeline_spec_pb2  # noqa: F401
    except ImportError:
        raise BadInputError(
            "--emit kubeflow needs the package kfp-pipeline-spec; install it: "
            "pip install 'elman[kubeflow]'"
        ) from None
    from tfx.dsl.component.experimental.container_component import create_container_component
    from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner
    from tfx.orchestration.pipeline import Pipeline

    run = create_container_component(
        name="ElmanRun",
        image=image,
        command=["elman", "run", str(loaded.path), "--if-new"],
    )
    # No cache of Kubeflow's: it would take yesterday's run for today's, whose data it cannot see.
    pipeline = Pipeline(
        pipeline_name=re.sub(r"[^a-z0-9]+", "-", loaded.config.name.lower()).strip("-"),
        pipeline_root="",  # the task has no artifacts of Kubeflow's
        components=[run().with_id(TASK)],
        enable_cache=False,
    )
    runner = kubeflow_v2_dag_runner.KubeflowV2DagRunner(
        kubeflow_v2_dag_runner.KubeflowV2DagRunnerConfig(
            default_image=image, use_pipeline_spec_2_1=True
        )
    )
    spec: dict[str, Any] = runner.run(pipeline, write_out=False)["pipelineSpec"]
    [executor] = spec["deploymentSpec"]["executors"]
    return spec, executor


def _notes(loaded: LoadedConfig, schedule: ScheduleConfig) -> list[str]:
    cron = six_fields(Cron.parse(schedule.cron))
    keep = schedule.catch_up == "all"
    notes = [
        "the file does not hold the times; upload it as a pipeline and make a recurring run of it: "
        f"cron {cron!r} (the first field is seconds), at most 1 run at a time, "
        f"catch-up {'on' if keep else 'off'}",
    ]
    if schedule.timezone != "UTC":
        notes.append(
            f"time zone {schedule.timezone}: Kubeflow reads cron in the zone of its "
            "ScheduledWorkflow controller; set CRON_SCHEDULE_TIMEZONE there"
        )
    if schedule.jitter:
        notes.append("Kubeflow has no jitter: runs start at the time itself")
    if loaded.tracking_uri.startswith("sqlite"):
        notes.append("tracking is a file on the volume: elman ui has to run where that is mounted")
    return notes


def six_fields(cron: Cron) -> str:
    """The expression as Kubeflow writes it: seconds first, weekdays by name."""
    *fields, weekday = cron.expanded.split()
    if not cron.weekday.starred:  # where 7 is no Sunday
        weekday = ",".join(WEEKDAYS[value] for value in cron.weekday.values).upper()
    return " ".join(["0", *fields, weekday])
