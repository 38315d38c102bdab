"""docker-compose.yml: valid by the Compose specification, and consistent in itself."""

from __future__ import annotations

import importlib.resources
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.deploy.files import (
    DEPLOY,
    PROJECT,
    ROOT,
    check_elman,
    check_model_server,
    documents,
    loaded_project,
)

TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
(COMPOSE,) = documents(ROOT / "docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SECRETS = {"POSTGRES_PASSWORD", "OBJECTS_ACCESS_KEY", "OBJECTS_SECRET_KEY"}


def mounts(service: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Source, target and whether it is read only, of every mount."""
    found = []
    for entry in service.get("volumes", ()):
        source, target, *mode = entry.split(":")
        found.append((source, target, mode == ["ro"]))
    return found


def test_it_is_valid_by_the_compose_specification() -> None:
    folder = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((folder / "compose-spec.json").read_text("utf-8"))
    jsonschema.validators.validator_for(schema)(schema).validate(COMPOSE)


def test_every_volume_is_declared_and_used() -> None:
    used = {s for service in SERVICES.values() for s, _, _ in mounts(service) if s[0] != "."}
    assert used == set(COMPOSE["volumes"])


def test_every_file_that_is_mounted_is_there() -> None:
    made_by_the_user = {"./examples/data"}  # python examples/co2_data.py
    for service in SERVICES.values():
        for source, _, _ in mounts(service):
            if source.startswith(".") and source not in made_by_the_user:
                assert (ROOT / source).exists(), source


def test_every_dependency_can_be_met() -> None:
    for name, service in SERVICES.items():
        for other, wanted in service.get("depends_on", {}).items():
            assert other in SERVICES, f"{name} waits for {other}"
            if wanted["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], f"{other} never becomes healthy"
            else:
                assert wanted["condition"] == "service_completed_successfully"
                assert SERVICES[other]["restart"] == "no"


def test_ports_are_published_to_this_machine_alone() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in ports)


def test_there_is_no_secret_in_the_file() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", TEXT))
    assert asked == SECRETS
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|ACCESS_KEY|STORE_URI", name):
                assert re.search(r"\$\{\w+:\?", value), f"{name} has a value in the file"


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_pinned_restarted_and_confined(name: str) -> None:
    service = SERVICES[name]
    image, _, tag = service["image"].rpartition(":")
    assert image
    assert tag not in ("", "latest")
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] in ("unless-stopped", "no")
    assert service["logging"]["options"]["max-size"]
    assert "privileged" not in service
    assert "docker.sock" not in json.dumps(service)


def test_what_elman_is_asked_to_do_it_can_do() -> None:
    options = check_elman(SERVICES["serving-config"]["command"])
    assert options["command"] == "serve"
    assert options["engine"] == "tf-serving"
    assert SERVICES["scheduler"]["entrypoint"] == ["elman-daily"]
    for service in ("serving-config", "scheduler"):
        targets = {target: source for source, target, _ in mounts(SERVICES[service])}
        config = options["config"]
        assert (ROOT / targets[str(config.parent)] / config.name).resolve() == PROJECT


def test_the_model_server_reads_the_files_that_are_written_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from serving.batching.settings import BatchingSettings
    from serving.engine.settings import ServedModel
    from serving.server.settings import ServerSettings
    from serving.tensorflow_model_server.files import write_files

    project = loaded_project()
    model = ServedModel(project.config.name, project.serving_directory)
    write_files(ServerSettings((model,), batching=BatchingSettings()), tmp_path)
    given = check_model_server(SERVICES["serving"]["command"])
    folder = check_elman(SERVICES["serving-config"]["command"])["write_config"]
    named = {Path(v) for k, v in given.items() if k.endswith("_file")}
    assert named == {folder / path.name for path in tmp_path.iterdir()}
    assert {t: s for s, t, _ in mounts(SERVICES["serving"])}[str(folder)] == "serving-config"


def test_the_model_server_sees_the_models_where_they_are_pushed_and_cannot_write() -> None:
    base = loaded_project().serving_directory
    for name in ("scheduler", "serving-config", "serving"):
        workspace = [(s, t, ro) for s, t, ro in mounts(SERVICES[name]) if s == "workspace"]
        ((_, target, read_only),) = workspace
        assert base.is_relative_to(target)
        assert read_only == (name == "serving")


def test_the_health_of_the_model_server_is_that_of_the_model() -> None:
    command = " ".join(SERVICES["serving"]["healthcheck"]["test"])
    assert f"GET /v1/models/{loaded_project().config.name} HTTP" in command


def test_mlflow_answers_to_the_name_it_is_called_by() -> None:
    uri = SERVICES["scheduler"]["environment"]["MLFLOW_TRACKING_URI"]
    host = uri.removeprefix("http://")
    assert host.partition(":")[0] in SERVICES
    allowed = SERVICES["mlflow"]["environment"]["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    assert host in allowed
    endpoint = SERVICES["mlflow"]["environment"]["MLFLOW_S3_ENDPOINT_URL"]
    assert re.match(r"http://(\w+):", endpoint)[1] in SERVICES  # type: ignore[index]


def test_the_bucket_of_mlflow_is_there_from_the_start() -> None:
    bucket = SERVICES["mlflow"]["environment"]["MLFLOW_ARTIFACTS_DESTINATION"].removeprefix("s3://")
    root = SERVICES["objects"]["environment"]["VGW_BACKEND_ARG"]
    assert [target for _, target, _ in mounts(SERVICES["objects"])] == [f"{root}/{bucket}"]


def test_mlflow_is_the_version_that_is_locked() -> None:
    lock = (ROOT / "requirements" / "requirements.lock").read_text("utf-8")
    version = re.search(r"^mlflow==(\S+)", lock, re.MULTILINE)
    assert version is not None
    assert f"mlflow=={version[1]} " in (DEPLOY / "mlflow" / "Dockerfile").read_text("utf-8")
    assert SERVICES["mlflow"]["image"].endswith(f":{version[1]}")
