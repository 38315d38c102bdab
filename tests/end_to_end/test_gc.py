"""`elman gc` on what real runs of TFX leave, and a run after it."""

from __future__ import annotations

import io
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from models.errors import BadInputError
from pipeline.cli.gc import gc
from pipeline.config import LoadedConfig, load
from pipeline.runner import ledger
from pipeline.runner.display import TerminalDisplay
from pipeline.runner.housekeeping import DATABASE, housekeeping
from tests.end_to_end.stand_ins import nodes

CONFIG = """\
name: {name}
workspace: work
data: {{path: data.csv, time: t, frequency: h}}
targets: [y]
window: {{lookback: 2, horizon: 1}}
"""


def config(folder: Path, name: str = "co2") -> LoadedConfig:
    path = folder / f"{name}.yaml"
    path.write_text(CONFIG.format(name=name))
    return load(path)


def run(loaded: LoadedConfig, number: int, error: float, **entry: Any) -> dict[str, bool]:
    """One run of the stand-ins; returns which nodes came from the cache."""
    from pipeline.graph import assemble
    from pipeline.runner.launch import launch

    run_id = f"2026-01-0{number}T00-00-00.000000"
    outcomes = launch(
        assemble(loaded, list(nodes(error))),
        run_id=run_id,
        around=lambda _: nullcontext(),
        display=TerminalDisplay(io.StringIO()),
    )
    cached = {outcome.node: outcome.cached for outcome in outcomes}
    times = {"started": run_id, "ended": run_id}
    line = {"run_id": run_id, "key": "k", "status": "finished", **times, **entry}
    ledger.append(loaded.workspace, ledger.LedgerEntry.model_validate(line))
    return cached


def trained(loaded: LoadedConfig) -> dict[str, str]:
    """What the stand-in of train wrote, by execution."""
    found = (loaded.workspace / "artifacts" / "train" / "out").glob("*/Format-Serving/*.pb")
    return {path.parent.parent.name: path.read_text() for path in found}


def ask(loaded: LoadedConfig, *arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(gc, [str(loaded.path), "--json", *arguments])
    assert result.exit_code == 0, result.output
    data: dict[str, Any] = json.loads(result.stdout)
    return data


def states(loaded: LoadedConfig) -> dict[str, str]:
    import ml_metadata as mlmd
    from ml_metadata.proto import metadata_store_pb2 as pb
    from tfx.orchestration.metadata import sqlite_metadata_connection_config

    database = str(loaded.workspace / DATABASE)
    store = mlmd.MetadataStore(sqlite_metadata_connection_config(database))
    return {a.uri: pb.Artifact.State.Name(a.state) for a in store.get_artifacts()}


def test_old_runs_go_the_cache_forgets_them_and_the_next_run_works(tmp_path: Path) -> None:
    loaded, other = config(tmp_path), config(tmp_path, "other")
    loaded.workspace.mkdir()
    serving = loaded.serving_directory / "70"
    serving.mkdir(parents=True)
    run(loaded, 1, 0.1, pushed=70)  # still in the model directory
    run(loaded, 2, 0.2)
    run(other, 3, 0.3)
    assert run(loaded, 4, 0.4) == {"windows": True, "statistics": True, "train": False}
    run(loaded, 5, 0.5, status="failed")
    staging = loaded.serving_directory / ".staging-0a"
    staging.mkdir()
    assert sorted(trained(loaded).values()) == ["0.1", "0.2", "0.3", "0.4", "0.5"]
    before = states(loaded)

    planned = ask(loaded, "--keep-runs", "1")
    assert planned["deleted"] is False
    gone = [Path(item["path"]) for item in planned["items"] if item["kind"] == "artifact"]
    assert [(path / "Format-Serving/saved_model.pb").read_text() for path in gone] == ["0.2"]
    assert planned["freed_bytes"] == 3
    assert {item["kind"] for item in planned["items"]} == {"artifact", "leftover", "staging"}
    assert planned["kept_runs"] == [f"2026-01-0{n}T00-00-00.000000" for n in (1, 4, 5)]
    assert states(loaded) == before
    assert len(trained(loaded)) == 5

    done = ask(loaded, "--keep-runs", "1", "--delete")
    assert done["deleted"] is True
    assert done["problems"] == []
    assert sorted(trained(loaded).values()) == ["0.1", "0.3", "0.4", "0.5"]
    assert not staging.exists()
    assert serving.exists()
    after = states(loaded)
    assert {uri for uri in after if after[uri] != "LIVE"} == {str(gone[0])}
    assert after[str(gone[0])] == "DELETED"
    assert ask(loaded, "--keep-runs", "1")["items"] == []

    # What stayed is taken from the cache; what is gone is made again.
    everything = {"windows": True, "statistics": True, "train": True}
    assert run(loaded, 6, 0.4) == everything
    assert run(loaded, 7, 0.2) == {**everything, "train": False}
    assert run(other, 8, 0.3) == everything
    assert sorted(trained(loaded).values()) == ["0.1", "0.2", "0.3", "0.4", "0.5"]


def test_people_read_what_would_go_and_how_to_do_it(tmp_path: Path) -> None:
    loaded = config(tmp_path)
    loaded.workspace.mkdir()
    run(loaded, 1, 0.1)
    run(loaded, 2, 0.2)
    said = CliRunner().invoke(gc, [str(loaded.path), "--keep-runs", "1"]).stdout
    assert "artifact train" in said
    assert "which frees 3 B; 1 run kept" in said
    assert f"elman gc {loaded.path} --delete" in said
    said = CliRunner().invoke(gc, [str(loaded.path), "--keep-runs", "1", "--delete"]).stdout
    assert "3 B freed; 1 run kept." in said
    said = CliRunner().invoke(gc, [str(loaded.path), "--keep-runs", "1"]).stdout
    assert said.splitlines()[-1] == "Nothing to remove; 1 run kept."


def test_without_a_run_there_is_nothing_to_do(tmp_path: Path) -> None:
    loaded = config(tmp_path)
    with pytest.raises(BadInputError, match="no run has been made"), housekeeping(loaded):
        pass
    assert not loaded.workspace.exists()
