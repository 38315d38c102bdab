"""The compiled pipeline, read by Kubeflow's own schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from models.errors import BadInputError
from pipeline.config import load
from pipeline.schedule.config import ScheduleConfig
from pipeline.schedule.cron import Cron
from pipeline.schedule.emit.kubeflow import compiled, six_fields

CONFIG = """name: Small_one
workspace: work
data: {path: d.csv, time: t, frequency: h}
targets: [y]
window: {lookback: 48, horizon: 24}
"""
NIGHTLY = ScheduleConfig(cron="0 3 * * *")


def written(folder: Path, text: str = CONFIG) -> Path:
    path = folder / "c.yaml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kubeflow")


@pytest.fixture(scope="module")
def documents(folder: Path) -> list[Any]:
    """The pipeline and what Kubernetes adds to it."""
    files, _ = compiled(load(written(folder)), NIGHTLY, image="reg.example/elman:1", volume="co2")
    [(name, text)] = files.items()
    assert name == "elman-Small_one.yaml"
    return list(yaml.safe_load_all(text))


def test_kubeflow_s_schema_knows_every_key(documents: list[Any]) -> None:
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2

    pipeline, platform = documents
    spec = json_format.ParseDict(pipeline, pipeline_spec_pb2.PipelineSpec())
    json_format.ParseDict(platform, pipeline_spec_pb2.PlatformSpec())
    deployment = json_format.ParseDict(
        pipeline["deploymentSpec"], pipeline_spec_pb2.PipelineDeploymentConfig()
    )
    assert spec.schema_version == "2.1.0"
    assert spec.pipeline_info.name == "small-one"
    assert list(spec.root.dag.tasks) == ["run"]
    assert not spec.root.dag.tasks["run"].caching_options.enable_cache
    label = spec.components["run"].executor_label
    assert list(deployment.executors) == [label]
    assert list(platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]) == [label]
    with pytest.raises(json_format.ParseError):
        json_format.ParseDict({**pipeline, "rooot": {}}, pipeline_spec_pb2.PipelineSpec())


def test_the_task_is_a_run_in_the_image_on_the_volume(folder: Path, documents: list[Any]) -> None:
    pipeline, platform = documents
    [executor] = pipeline["deploymentSpec"]["executors"].values()
    assert executor["container"] == {
        "image": "reg.example/elman:1",
        "command": ["elman", "run", str(folder / "c.yaml"), "--if-new"],
    }
    [on_kubernetes] = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values()
    # As kfp-kubernetes' mount_pvc writes it (kfp 2.16).
    assert on_kubernetes == {
        "pvcMount": [
            {
                "constant": "co2",
                "mountPath": str(folder),
                "pvcNameParameter": {"runtimeValue": {"constant": "co2"}},
            }
        ]
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"image": None, "volume": "v"}, "needs --image"),
        ({"image": "i", "volume": None}, "and --volume"),
        ({"image": "i", "volume": "Not A Claim"}, "--volume: received 'Not A Claim'"),
        ({"image": "a b", "volume": "v"}, "--image: received 'a b'"),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, options: dict[str, str | None], words: str
) -> None:
    with pytest.raises(BadInputError, match=words):
        compiled(load(written(tmp_path)), NIGHTLY, **options)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("workspace: work", "workspace: /var/elman"), "workspace: /var/elman"),
        (("path: d.csv", "path: ../d.csv"), "data.path: "),
        (("workspace: work", "workspace: work\nserving: {directory: /srv/m}"), "serving.directory"),
        (
            ("workspace: work", "workspace: work\ntracking: {uri: 'sqlite:////m.db'}"),
            "tracking.uri",
        ),
    ],
)
def test_what_the_volume_does_not_hold_is_refused(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    text = CONFIG.replace(*change)
    assert text != CONFIG
    with pytest.raises(BadInputError, match="outside of it are") as caught:
        compiled(load(written(tmp_path, text)), NIGHTLY, image="i", volume="v")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("@daily", "0 0 0 * * *"), ("5 4 1,15 jan 7", "0 5 4 1,15 jan SUN"), ("0 3 * * */2", None)],
)
def test_the_recurring_run_s_cron_has_six_fields(text: str, expected: str | None) -> None:
    assert six_fields(Cron.parse(text)) == (expected or "0 0 3 * * */2")
