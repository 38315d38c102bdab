"""What was removed from the workspace is not given out again."""

from __future__ import annotations

import shutil
from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as pb

from pipeline.runner.lost import forget_lost


def test_artifacts_whose_files_are_gone_are_forgotten(tmp_path: Path) -> None:
    database = tmp_path / "metadata.db"
    assert forget_lost(database) == 0
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(database)
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    store = mlmd.MetadataStore(config)
    kind = store.put_artifact_type(pb.ArtifactType(name="A"))
    states = {"whole": pb.Artifact.LIVE, "removed": pb.Artifact.LIVE, "emptied": pb.Artifact.LIVE,
              "unfinished": pb.Artifact.PENDING}  # fmt: skip
    for name in states:
        (tmp_path / name / "below").mkdir(parents=True)
        (tmp_path / name / "below" / "file").touch()
    made = [pb.Artifact(type_id=kind, uri=str(tmp_path / n), state=s) for n, s in states.items()]
    made.append(pb.Artifact(type_id=kind, uri="gs://bucket/x", state=pb.Artifact.LIVE))
    store.put_artifacts(made)
    shutil.rmtree(tmp_path / "removed")
    shutil.rmtree(tmp_path / "emptied" / "below")
    shutil.rmtree(tmp_path / "unfinished")

    assert forget_lost(database) == 2
    assert forget_lost(database) == 0
    found = {Path(a.uri).name: pb.Artifact.State.Name(a.state) for a in store.get_artifacts()}
    assert found == {
        "whole": "LIVE", "removed": "DELETED", "emptied": "DELETED", "unfinished": "PENDING",
        "x": "LIVE",
    }  # fmt: skip
