"""The DAG's file: what it hands to Airflow, with and without the modules of Airflow 3.

That Airflow itself loads it and runs a task is shown by tests/pipeline/schedule/emit/airflow.sh,
which installs Airflow and so is no part of the default suite.
"""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from pipeline.schedule.emit.airflow import dag
from tests.pipeline.schedule.emit.plans import odd_plan


class FakeDag:
    """Takes what the file gives; the operators made inside it are its tasks."""

    current: FakeDag

    def __init__(self, **given: Any) -> None:
        self.given = given
        self.tasks: list[FakeOperator] = []

    def __enter__(self) -> FakeDag:
        FakeDag.current = self
        return self

    def __exit__(self, *error: object) -> None:
        pass


class FakeOperator:
    """Keeps its arguments."""

    def __init__(self, **given: Any) -> None:
        self.given = given
        FakeDag.current.tasks.append(self)


MODULES = {
    3: {
        "airflow": {},
        "airflow.sdk": {"DAG": FakeDag},
        "airflow.providers": {},
        "airflow.providers.standard": {},
        "airflow.providers.standard.operators": {},
        "airflow.providers.standard.operators.bash": {"BashOperator": FakeOperator},
    },
    2: {
        "airflow": {"DAG": FakeDag},
        "airflow.operators": {},
        "airflow.operators.bash": {"BashOperator": FakeOperator},
    },
}


def loaded(text: str, version: int, monkeypatch: pytest.MonkeyPatch) -> FakeDag:
    """The DAG that the file makes where only the modules of that version are there."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "airflow"]:
        monkeypatch.delitem(sys.modules, name)
    for name, content in MODULES[version].items():
        module = types.ModuleType(name)
        module.__dict__.update(content)
        module.__path__ = []  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, module)
    pendulum = types.ModuleType("pendulum")
    pendulum.datetime = lambda *day, tz: (*day, tz)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pendulum", pendulum)
    names: dict[str, Any] = {}
    exec(compile(text, "dag.py", "exec"), names)
    found: FakeDag = names["dag"]
    return found


def rendered(text: str) -> str:
    """What Jinja makes of a templated field, as Airflow renders it."""
    import jinja2

    return jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(text).render()


@pytest.fixture(params=[2, 3])
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_the_dag_says_when_and_never_twice_at_once(
    tmp_path: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = odd_plan(tmp_path, cron="@daily", timezone="Europe/Berlin")
    files, _ = dag(plan, start=(2026, 1, 2))
    [(name, text)] = files.items()
    assert name == "elman_small.py"
    given = loaded(text, version, monkeypatch).given
    assert given["dag_id"] == "elman_small"
    assert given["schedule"] == "0 0 * * *"
    assert given["start_date"] == (2026, 1, 2, "Europe/Berlin")
    assert given["max_active_runs"] == 1
    assert given["catchup"] is False


def test_the_task_calls_elman_in_the_folder_of_the_config(
    tmp_path: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = odd_plan(tmp_path)
    # The only task: the state of a DAG's run is that of its last task.
    [task] = loaded(dag(plan, start=(2026, 1, 2))[0]["elman_small.py"], version, monkeypatch).tasks
    done = subprocess.run(
        ["bash", "-c", rendered(task.given["bash_command"])],
        cwd=rendered(task.given["cwd"]),
        env={"FAKE_EXIT": "0"},
        check=False,
    )
    assert done.returncode == 0
    [called] = (tmp_path / "record").read_text().splitlines()
    folder, config = str(plan.config.parent), str(plan.config)
    assert json.loads(called) == [folder, "run", config, "--if-new"]


def test_a_failed_run_fails_its_task(
    tmp_path: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = dag(odd_plan(tmp_path), start=(2026, 1, 2))[0]["elman_small.py"]
    command = rendered(loaded(text, version, monkeypatch).tasks[0].given["bash_command"])
    done = subprocess.run(["bash", "-c", command], env={"FAKE_EXIT": "2"}, check=False)
    assert done.returncode == 2


def test_a_killed_task_interrupts_its_run_as_by_ctrl_c(tmp_path: Path) -> None:
    plan = odd_plan(tmp_path)
    Path(plan.command[0]).write_text(
        f"#!{sys.executable}\nimport sys, time\nprint('started', flush=True)\n"
        "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n"
        "    print('closed what was open', flush=True)\n    sys.exit(130)\n"
    )
    tree = ast.parse(dag(plan, start=(2026, 1, 2))[0]["elman_small.py"])
    [command] = [
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword)
        and node.arg == "bash_command"
        and isinstance(node.value, ast.Constant)
        and "--if-new" in str(node.value.value)
    ]
    process = subprocess.Popen(
        ["bash", "-c", rendered(str(command))],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    # What Airflow's SubprocessHook does to a task that is killed.
    os.killpg(process.pid, signal.SIGTERM)
    words, _ = process.communicate(timeout=30)
    assert "closed what was open" in words
    assert process.returncode == 130


@pytest.mark.parametrize(("policy", "catchup"), [("none", False), ("last", False), ("all", True)])
def test_catch_up_and_what_airflow_does_otherwise(
    tmp_path: Path, policy: str, catchup: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, notes = dag(odd_plan(tmp_path, catch_up=policy, jitter=1.0), start=(2026, 1, 2))
    assert loaded(files["elman_small.py"], 3, monkeypatch).given["catchup"] is catchup
    assert any("catch_up_limit" in note for note in notes) is catchup
    assert any("catch_up: none" in note for note in notes) is (policy == "none")
    assert any("no jitter" in note for note in notes)
