"""A run has nothing to do when work, schema and live version are as the last run left them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.config import LoadedConfig, load
from pipeline.runner.ledger import LedgerEntry, append, entries
from pipeline.runner.lock import locked
from pipeline.runner.run import _key
from pipeline.runner.unchanged import NothingNew, file_digest, nothing_new
from pipeline.tasks import task_of

ROOT = Path(__file__).resolve().parents[3]
CONFIG = """name: small
workspace: work
data: {path: d.csv, time: t, frequency: h}
targets: [y]
window: {lookback: 48, horizon: 24}
train: {seed: 7}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    rows = [f"2024-01-{1 + i // 24:02d} {i % 24:02d}:00,{i % 7}" for i in range(720)]
    (tmp_path / "d.csv").write_text("\n".join(["t,y", *rows]) + "\n")
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG)
    (tmp_path / "work").mkdir()
    return path


def key(loaded: LoadedConfig) -> str:
    return _key(loaded, task_of(loaded).fingerprint())


def record(loaded: LoadedConfig, **changes: object) -> None:
    """A run of `loaded` as it stands, in the ledger."""
    entry = {
        "run_id": "earlier",
        "key": key(loaded),
        "started": "s",
        "ended": "e",
        "status": "finished",
        "live": 5,
        "winner": "candidate",
        "verdict": "Blessed: it beats all.",
        "schema_digest": file_digest(loaded.schema_path),
    }
    append(loaded.workspace, LedgerEntry.model_validate({**entry, **changes}))


def now(config: Path, live: int | None = 5) -> NothingNew | None:
    loaded = load(config)
    return nothing_new(loaded, key(loaded), "now", live)


def test_the_same_work_is_nothing_new_and_the_earlier_verdict_is_told(config: Path) -> None:
    record(load(config))
    found = now(config)
    assert found is not None
    assert (found.earlier, found.live, found.blessed) == ("earlier", 5, True)
    assert "earlier" in found.words
    assert "Blessed: it beats all." in found.words


def test_no_run_yet_is_new(config: Path) -> None:
    assert now(config) is None


def test_a_changed_row_is_new_and_the_same_content_written_again_is_not(config: Path) -> None:
    record(load(config))
    data = config.parent / "d.csv"
    before = data.read_text()
    data.write_text(before + "2024-01-31 00:00,3\n")
    assert now(config) is None
    data.write_text(before)
    assert now(config) is not None


def test_a_changed_configuration_is_new_and_a_changed_schedule_is_not(config: Path) -> None:
    record(load(config))
    config.write_text(CONFIG.replace("seed: 7", "seed: 8"))
    assert now(config) is None
    config.write_text(CONFIG + "schedule: {cron: '0 3 * * *'}\n")
    assert now(config) is not None


def test_an_edited_schema_is_new(config: Path) -> None:
    loaded = load(config)
    loaded.schema_path.write_text("feature {}")
    record(loaded)
    assert now(config) is not None
    loaded.schema_path.write_text("feature { name: 'y' }")
    assert now(config) is None


@pytest.mark.parametrize("live", [None, 4, 6])
def test_a_rollback_or_a_push_by_hand_is_new(config: Path, live: int | None) -> None:
    record(load(config))
    assert now(config, live) is None


def test_only_the_last_finished_run_counts(config: Path) -> None:
    loaded = load(config)
    record(loaded)
    record(loaded, run_id="failed", status="failed", key="other")
    record(loaded, run_id="idle", status="nothing_new")
    found = now(config)
    assert found is not None
    assert found.earlier == "earlier"
    record(loaded, run_id="another", key="other")
    assert now(config) is None


def test_a_killed_run_is_told_to_the_next_holder_of_the_lock(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from pipeline.runner.lock import locked\n"
        "with locked(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with locked(tmp_path) as killed:
        assert not killed
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment, check=False)
    with locked(tmp_path) as killed:
        assert killed
    with locked(tmp_path) as killed:
        assert not killed


def test_the_command_ends_before_tensorflow_is_imported(config: Path) -> None:
    record(load(config), live=None, winner="")
    code = (
        "import sys\nfrom pipeline.cli.main import cli\n"
        "try:\n    cli.main(sys.argv[1:])\nexcept SystemExit as end:\n    print(end.code)\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    for option, expected in ((), 0), (("--require-blessed",), 1):
        done = subprocess.run(
            [sys.executable, "-c", code, "run", str(config), "--if-new", "--json", *option],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
        )
        *result, end, modules = done.stdout.splitlines()
        assert json.loads("\n".join(result))["earlier"] == "earlier"
        assert end == str(expected)
        assert not {"tensorflow", "keras", "tfx", "mlflow"} & set(modules.split())
        assert "nothing new since run earlier" in done.stderr
    statuses = [entry.status for entry in entries(config.parent / "work")]
    assert statuses == ["finished", "nothing_new", "nothing_new"]


def test_a_busy_workspace_is_told_to_programs(config: Path) -> None:
    with locked(config.parent / "work"):
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli.main", "run", str(config), "--json"],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
    assert done.returncode == 1
    assert json.loads(done.stdout)["status"] == "busy"
    assert f"process {os.getpid()}" in done.stderr


def test_a_run_that_has_something_to_make_up_for_is_a_whole_one(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pipeline.runner.run as module
    from components.tracking.known import store_folder
    from components.tracking.outbox import Outbox

    loaded = load(config)
    record(loaded, live=None, winner="")
    whole = RuntimeError("a whole run")

    def tracked(*_: object) -> None:
        raise whole

    monkeypatch.setattr(module, "_tracked", tracked)
    assert isinstance(module.run_pipeline(loaded, if_new=True), NothingNew)
    outbox = Outbox(store_folder(loaded.workspace, loaded.tracking_uri))
    outbox.owe("registry", "it does not know the live model")
    with pytest.raises(RuntimeError, match="a whole run"):
        module.run_pipeline(loaded, if_new=True)
    outbox.settle("registry")
    assert isinstance(module.run_pipeline(loaded, if_new=True), NothingNew)
