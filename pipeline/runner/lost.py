"""Artifacts whose files are gone: ML Metadata still has them, and must not give them out."""

from __future__ import annotations

from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as mlmd_pb2
from tfx.orchestration import metadata


def forget_lost(database: Path) -> int:
    """Marks artifacts as deleted whose folder is missing or empty, as after a careless `rm`.

    TFX looks for the folder itself when it takes an execution from the cache, but not whether
    anything is in it, nor when a resolver picks an artifact.

    Args:
        database: The sqlite file of ML Metadata; may be missing.

    Returns:
        How many there were.
    """
    if not database.exists():
        return 0
    store = mlmd.MetadataStore(metadata.sqlite_metadata_connection_config(str(database)))
    lost = [
        artifact
        for artifact in store.get_artifacts()
        if artifact.state == mlmd_pb2.Artifact.LIVE and _is_gone(artifact.uri)
    ]
    for artifact in lost:
        artifact.state = mlmd_pb2.Artifact.DELETED
    if lost:
        store.put_artifacts(lost)
    return len(lost)


def _is_gone(uri: str) -> bool:
    if not uri or "://" in uri:
        return False  # elsewhere: not for us to look at
    path = Path(uri)
    if path.is_dir():
        return next(path.iterdir(), None) is None
    return not path.exists()
