"""The Kubernetes example: valid objects that fit together, confined, and about our model."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from serving.batching.settings import BatchingSettings
from serving.engine.settings import ServedModel, models_from_config
from serving.server.config_files import read_batching_parameters, read_monitoring_config
from serving.server.settings import METRICS_PATH
from tests.deploy.files import (
    DEPLOY,
    KUBERNETES,
    check_elman,
    check_model_server,
    documents,
    loaded_project,
)
from tests.deploy.kubernetes_schema import check

(KUSTOMIZATION,) = documents(DEPLOY / "kustomization.yaml")
FILES = [DEPLOY / path for path in KUSTOMIZATION["resources"]]
OBJECTS = [document for path in FILES for document in documents(path)]
NAMES = [f"{o['kind']}/{o['metadata']['name']}" for o in OBJECTS]
CONFIG_MAPS = {
    generator["name"]: {Path(file).name: DEPLOY / file for file in generator["files"]}
    for generator in KUSTOMIZATION["configMapGenerator"]
}


def the(kind: str, name: str) -> dict[str, Any]:
    (found,) = [o for o in OBJECTS if (o["kind"], o["metadata"]["name"]) == (kind, name)]
    return found


SERVING = the("Deployment", "serving")["spec"]["template"]
TRAINING = the("CronJob", "training")["spec"]["jobTemplate"]["spec"]["template"]
PODS = {"serving": SERVING, "training": TRAINING}


@pytest.mark.parametrize("document", OBJECTS, ids=NAMES)
def test_every_object_is_one_of_kubernetes(document: dict[str, Any]) -> None:
    check(document)


def test_every_file_is_applied() -> None:
    assert sorted(FILES) == sorted(KUBERNETES.glob("*.yaml"))
    assert len(set(NAMES)) == len(NAMES)
    assert all("namespace" not in o["metadata"] for o in OBJECTS), "kustomize says which"
    assert KUSTOMIZATION["namespace"] == the("Namespace", "elman")["metadata"]["name"]


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["spec"].update(replica=2),
        lambda d: d["spec"].update(replicas="two"),
        lambda d: d["spec"].pop("selector"),
        lambda d: d["spec"]["template"]["spec"]["containers"][0].pop("name"),
        lambda d: d["spec"]["template"]["spec"]["containers"][0].update(ports={"a": 1}),
        lambda d: d["spec"]["template"]["spec"]["securityContext"].update(runAsUser=True),
        lambda d: d.update(kind="Deploymnt"),
    ],
)
def test_the_check_finds_what_is_wrong(change: Any) -> None:
    broken = copy.deepcopy(the("Deployment", "serving"))
    change(broken)
    with pytest.raises(AssertionError):
        check(broken)


@pytest.mark.parametrize("name", PODS)
def test_every_volume_is_there_and_mounted(name: str) -> None:
    pod = PODS[name]["spec"]
    volumes = {v["name"]: v for v in pod["volumes"]}
    mounted = [m["name"] for c in pod["containers"] for m in c["volumeMounts"]]
    assert sorted(mounted) == sorted(volumes)
    claims = {o["metadata"]["name"] for o in OBJECTS if o["kind"] == "PersistentVolumeClaim"}
    for volume in volumes.values():
        if "persistentVolumeClaim" in volume:
            assert volume["persistentVolumeClaim"]["claimName"] in claims
        elif "configMap" in volume:
            assert volume["configMap"]["name"] in CONFIG_MAPS
        else:
            assert "sizeLimit" in volume["emptyDir"]


def test_every_file_of_a_config_map_is_there() -> None:
    for files in CONFIG_MAPS.values():
        assert all(path.is_file() for path in files.values())


@pytest.mark.parametrize("name", PODS)
def test_every_pod_is_confined(name: str) -> None:
    pod = PODS[name]["spec"]
    assert pod["automountServiceAccountToken"] is False
    context = pod["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        assert container["image"].rpartition(":")[2] not in ("", "latest")


def test_selectors_find_the_pods() -> None:
    labels = SERVING["metadata"]["labels"]
    deployment = the("Deployment", "serving")["spec"]
    for selector in (
        deployment["selector"]["matchLabels"],
        the("Service", "serving")["spec"]["selector"],
        the("PodDisruptionBudget", "serving")["spec"]["selector"]["matchLabels"],
        the("NetworkPolicy", "serving")["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    training = the("NetworkPolicy", "training")["spec"]["podSelector"]["matchLabels"]
    assert training.items() <= TRAINING["metadata"]["labels"].items()
    assert the("PodDisruptionBudget", "serving")["spec"]["minAvailable"] < deployment["replicas"]


def test_ports_are_those_of_the_container() -> None:
    (container,) = SERVING["spec"]["containers"]
    ports = {p["name"]: p["containerPort"] for p in container["ports"]}
    given = check_model_server(container["args"])
    assert ports == {"grpc": int(given["port"]), "rest": int(given["rest_api_port"])}
    for port in the("Service", "serving")["spec"]["ports"]:
        assert ports[port["targetPort"]] == port["port"]
    ingress = the("NetworkPolicy", "serving")["spec"]["ingress"]
    assert {p["port"] for rule in ingress for p in rule["ports"]} <= set(ports)
    annotations = SERVING["metadata"]["annotations"]
    assert int(annotations["prometheus.io/port"]) == ports["rest"]
    assert annotations["prometheus.io/path"] == METRICS_PATH


def test_the_model_server_serves_what_training_pushes() -> None:
    project = loaded_project()
    files = CONFIG_MAPS["tf-serving"]
    (model,) = models_from_config(files["models.config"].read_text())
    assert model == ServedModel(project.config.name, project.serving_directory)
    assert read_batching_parameters(files["batching.config"]) == BatchingSettings()
    assert read_monitoring_config(files["monitoring.config"]) == METRICS_PATH
    (container,) = SERVING["spec"]["containers"]
    mounts = {m["mountPath"]: m for m in container["volumeMounts"]}
    assert mounts["/workspace"]["readOnly"]
    assert model.base_path.is_relative_to("/workspace")
    given = check_model_server(container["args"])
    named = {Path(value) for key, value in given.items() if key.endswith("_file")}
    assert named == {Path("/etc/tf-serving") / name for name in files}
    assert mounts["/etc/tf-serving"]["name"] == "config"


def test_readiness_and_liveness_ask_for_the_model() -> None:
    (container,) = SERVING["spec"]["containers"]
    path = f"/v1/models/{loaded_project().config.name}"
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": path, "port": "rest"}
    grace = SERVING["spec"]["terminationGracePeriodSeconds"]
    assert int(container["lifecycle"]["preStop"]["exec"]["command"][1]) < grace


def test_training_runs_our_command_on_the_project() -> None:
    (container,) = TRAINING["spec"]["containers"]
    options = check_elman(container["args"])
    assert options["command"] == "run"
    assert options["config"].name in CONFIG_MAPS["project"]
    mounts = {m["mountPath"]: m for m in container["volumeMounts"]}
    assert str(options["config"].parent) in mounts
    project = loaded_project()
    assert not mounts["/workspace"].get("readOnly", False)
    assert project.workspace.is_relative_to("/workspace")
    assert project.schema_path.is_relative_to("/workspace")
    assert project.data_path.is_relative_to("/data")
    variables = {v["name"] for v in container["env"]}
    wanted = set(re.findall(r"\$\{(\w+)\}", (DEPLOY / "project" / "co2.yaml").read_text()))
    assert wanted <= variables


def test_there_is_no_secret_in_the_files() -> None:
    assert "Secret" not in {o["kind"] for o in OBJECTS}
    for pod in PODS.values():
        for container in pod["spec"]["containers"]:
            for variable in container.get("env", ()):
                if re.search("URI|PASSWORD|TOKEN|KEY", variable["name"]):
                    assert "secretKeyRef" in variable["valueFrom"]
                    assert "value" not in variable


def test_nothing_is_open_but_what_is_named() -> None:
    closed = the("NetworkPolicy", "nothing-by-default")["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for rule in the("NetworkPolicy", "serving")["spec"]["ingress"]:
        assert rule["from"]
        assert rule["ports"]
    labels = the("Namespace", "elman")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_builds_it_and_what_it_builds_is_valid() -> None:
    import yaml

    done = subprocess.run(
        ["kubectl", "kustomize", str(DEPLOY)], capture_output=True, text=True, check=True
    )
    built = list(yaml.safe_load_all(done.stdout))
    for document in built:
        check(document)
    assert len(built) == len(OBJECTS) + len(CONFIG_MAPS)
    named = {o["metadata"]["name"] for o in built if o["kind"] == "ConfigMap"}
    used = set(re.findall(r'"configMap": \{"name": "([\w-]+)"', json.dumps(built)))
    assert used == named
