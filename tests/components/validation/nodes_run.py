"""Runs ingest, statistics, schema and validate with TFX in a process of its own; prints JSON.

TFX takes long to import, and some of its parts can be set up once per process only: the test
hands over all its steps at once.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local.local_dag_runner import LocalDagRunner

from components.ingest.component import example_gen
from components.ingest.config import DataConfig, SplitConfig
from components.validation.component import example_validator, schema_gen, statistics_gen
from components.validation.moments import moments
from components.validation.schema_file import publish_schema
from models.errors import ElmanError
from models.roles import Covariates, Roles


def newest(folder: Path) -> Path | None:
    runs = sorted(folder.iterdir(), key=lambda p: int(p.name)) if folder.exists() else []
    return runs[-1] if runs else None


def step(root: Path, change: dict[str, str]) -> dict[str, object]:
    """Applies `change` (file name to content; null deletes), runs, and says what happened."""
    for name, content in change.items():
        if content is None:
            (root / name).unlink(missing_ok=True)
        else:
            (root / name).write_text(content)
    schema_file = root / "c.schema.pbtxt"
    answer: dict[str, object] = {"error": None, "anomalies": []}
    try:
        ingest = example_gen(
            DataConfig(path="a.csv", time="when", series="id", frequency="h"),
            SplitConfig(),
            Roles(targets=("y", "x"), covariates=Covariates(static=("kind",))),
            root,
        )
        statistics = statistics_gen(ingest.outputs["examples"])
        schema = schema_gen(statistics.outputs["statistics"], schema_file)
        validate = example_validator(statistics.outputs["statistics"], schema.outputs["schema"])
        nodes = [ingest, statistics, schema, validate]
        assert [n.id for n in nodes] == ["ingest", "statistics", "schema", "validate"]
        LocalDagRunner().run(
            pipeline.Pipeline(
                "p",
                str(root / "artifacts"),
                components=nodes,
                enable_cache=True,
                metadata_connection_config=metadata.sqlite_metadata_connection_config(
                    str(root / "metadata.db")
                ),
                beam_pipeline_args=["--runner=FnApiRunner", "--direct_running_mode=in_memory"],
            )
        )
    except ElmanError as error:
        answer["error"] = str(error)
        answer["anomalies"] = [list(a) for a in getattr(error, "anomalies", ())]
    made = newest(root / "artifacts" / "schema" / "schema")
    if made is not None:
        answer["published"] = publish_schema(made, schema_file)
    found = newest(root / "artifacts" / "statistics" / "statistics")
    if found is not None and answer["error"] is None:
        scaling = moments(found)
        answer["moments"] = {k: [m.mean, m.std] for k, m in scaling.columns.items()}
    answer["runs"] = {
        node: len(list((root / "artifacts" / node / output).iterdir()))
        if (root / "artifacts" / node / output).exists()
        else 0
        for node, output in (
            ("ingest", "examples"),
            ("statistics", "statistics"),
            ("schema", "schema"),
            ("validate", "anomalies"),
        )
    }
    examples = root / "artifacts" / "ingest" / "examples"
    answer["finished"] = len(list(examples.glob("*/report.json")))
    answer["parquet"] = len(list(examples.rglob("*.parquet")))
    return answer


if __name__ == "__main__":
    where = Path(sys.argv[1])
    changes = json.loads((where / "steps.json").read_text())
    answers = [step(where, change) for change in changes]
    (where / "answers.json").write_text(json.dumps(answers))
    # Beam and ML Metadata keep threads that delay a normal exit.
    os._exit(0)
