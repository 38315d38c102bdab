"""What failures of the machine are called, as libraries raise them where it is really full."""

from __future__ import annotations

import errno
import io
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from components.source_digest import ROOT
from models.errors import FailedRunError
from pipeline.runner.display import TerminalDisplay
from pipeline.runner.environment import explained
from pipeline.runner.retry import with_retries

FULL = """
import resource, signal, sys
from pathlib import Path
from pipeline.runner.environment import explained

folder = Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
# No file may grow beyond 64 KiB: a write then fails, as on a full disk.
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))

def python():
    (folder / "a").write_bytes(b"x" * 10**6)

def arrow():
    import numpy as np, pyarrow as pa, pyarrow.parquet as pq
    pq.write_table(pa.table({"x": np.random.default_rng(0).random(10**5)}), folder / "b.parquet")

def duck():
    import duckdb
    sql = f"copy (select random() as x from range(200000)) to '{folder}/c.parquet'"
    duckdb.sql(sql)

def metadata():
    import ml_metadata as mlmd
    from ml_metadata.proto import metadata_store_pb2 as pb
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(folder / "d.db")
    config.sqlite.connection_mode = 3
    store = mlmd.MetadataStore(config)
    kind = store.put_artifact_type(pb.ArtifactType(name="A"))
    store.put_artifacts([pb.Artifact(type_id=kind, uri="x" * 9000) for _ in range(100)])

for attempt in (python, arrow, duck, metadata):
    try:
        attempt()
        print(attempt.__name__, "wrote it")
    except Exception as error:
        print(attempt.__name__, "|", type(error).__name__, "|", explained(error, folder))
"""


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, tmp_path], cwd=ROOT, capture_output=True, text=True
    )
    lines = [line for line in done.stdout.splitlines() if " " in line]
    assert [line.split()[0] for line in lines] == ["python", "arrow", "duck", "metadata"], done
    for line in lines:
        assert "the disk or a quota is full" in line, line
        assert "MiB free" in line


def test_a_database_that_is_full(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("create table t (x)")
    connection.execute("pragma max_page_count = 3")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("insert into t values (?)", ("x" * 10**5,))
    connection.close()
    assert "quota is full" in explained(caught.value, tmp_path)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/w/x"), r"^/w/x .* disk or a quota is"),
        (OSError(errno.EROFS, "Read-only file system", "/w/x"), r"^/w/x .* is read-only or"),
        (PermissionError(errno.EACCES, "Permission denied", "/w/x"), r"^/w/x .* is read-only or"),
        (RuntimeError("Concurrent writes aborted after max number"), "locked by another process"),
        (RuntimeError("database disk image is malformed query: x"), "is damaged; it knows"),
    ],
)
def test_other_failures(error: Exception, words: str, tmp_path: Path) -> None:
    outer = ValueError("something else")
    outer.__cause__ = error
    for one in (error, outer):
        assert re.search(words, explained(one, tmp_path)), explained(one, tmp_path)


def test_what_is_not_of_the_machine_has_no_words(tmp_path: Path) -> None:
    assert explained(ValueError("a bug"), tmp_path) == ""
    assert explained(FileNotFoundError(errno.ENOENT, "No such file", "x"), tmp_path) == ""


def test_a_component_on_a_full_disk_says_so(tmp_path: Path) -> None:
    def attempt() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/w/part.parquet")

    display = TerminalDisplay(io.StringIO())
    with pytest.raises(FailedRunError, match=r"^Component train: /w/part.parquet could not be"):
        with_retries("train", attempt, display=display, workspace=tmp_path)
