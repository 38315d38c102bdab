"""The TFX nodes of sequences, without a metadata store; and what they record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tfx import types
from tfx.types import standard_artifacts

from components.artifacts import Windows
from components.ingest.executor import settings_text
from components.sequences.config import SequenceDataConfig, SequenceSplitConfig
from components.sequences.ingest.component import sequence_example_gen, sequence_ingest_settings
from components.sequences.ingest.executor import Executor as IngestExecutor
from components.sequences.ingest.settings import SequenceIngestSettings
from components.sequences.store.component import sequences
from components.sequences.store.executor import Executor as StoreExecutor
from components.tracking.recorder import SilentRecorder, use
from models.errors import BadInputError
from models.sequences.spec import SequenceSpec
from models.sequences.store import SequenceStore
from models.windows.store import SPLITS
from tests.components.sequences.tables import BY_PART, TABLE, TAG

DATA = {"path": "a.csv", "sequence": "id", "step": "at", "on_bad_rows": "drop"}
# Two bad sequences; one in no split; d has a label that train does not know; f repeats a's inputs.
CONTENT = (
    TABLE
    + "e,1,?,a,D,train\ne,2,1,a,D,train\ng,1,?,a,D,train\nh,1,1,a,D,extra\n"
    + "f,1,1,a,N,test\nf,2,4,cat,N,test\n"
)


class Listening(SilentRecorder):
    def __init__(self) -> None:
        self.seen: dict[str, float] = {}
        self.warnings: list[str] = []
        self.files: dict[str, Any] = {}
        self.kept: dict[str, str] = {}

    def metrics(self, values: Any, step: int | None = None) -> None:
        self.seen.update(values)

    def tags(self, values: Any) -> None:
        self.kept.update(values)

    def data(self, values: Any, path: str) -> None:
        self.files[path] = values

    def file(self, source: Path, path: str | None = None) -> None:
        self.files[source.name] = source.read_text()

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def settings(folder: Path, **changes: Any) -> SequenceIngestSettings:
    if not (folder / "a.csv").exists():
        (folder / "a.csv").write_text(CONTENT)
    return sequence_ingest_settings(
        SequenceDataConfig.model_validate(DATA | changes.get("data", {})),
        SequenceSplitConfig.model_validate(BY_PART | changes.get("split", {})),
        SequenceSpec.model_validate(TAG | changes.get("spec", {})),
        folder,
    )


def test_settings_come_back_and_key_the_cache(tmp_path: Path) -> None:
    found = settings(tmp_path)
    again = SequenceIngestSettings.loads(found.dumps())
    assert again == found
    assert again.key == found.key
    inputs = TAG["inputs"]
    assert isinstance(inputs, dict)
    # Vocabularies are made by the next node.
    for free in ({"min_count": 2}, {"vocabulary": 5}, {"lowercase": True}):
        assert settings(tmp_path, spec={"inputs": inputs | free}).key == found.key
    for change in (
        {"data": {"on_bad_rows": "fail"}},
        {"split": {"seed": 8}},
        {"spec": {"inputs": {"symbols": ["w"]}}},
    ):
        assert settings(tmp_path, **change).key != found.key
    (tmp_path / "a.csv").write_text(CONTENT.replace("cat", "Cat"))
    assert settings(tmp_path).key != found.key


def test_the_nodes_carry_their_settings(tmp_path: Path) -> None:
    found = settings(tmp_path)
    node = sequence_example_gen(found.data, found.split, found.spec, tmp_path)
    assert node.id == "ingest"
    assert node.data_key == found.key
    assert SequenceIngestSettings.loads(settings_text(node.exec_properties)) == found
    store = sequences(types.Channel(type=standard_artifacts.Examples), spec=found.spec)
    assert store.id == "windows"
    assert store.outputs["windows"].type is Windows
    assert SequenceSpec.from_json(store.exec_properties["spec"]) == found.spec
    assert len(store.exec_properties["source_digest"]) == 32
    with pytest.raises(BadInputError, match="every row is a sequence"):
        sequence_example_gen(SequenceDataConfig(path="a.csv"), found.split, found.spec, tmp_path)


def test_the_executors_write_their_artifacts_and_say_what_they_found(tmp_path: Path) -> None:
    found = settings(tmp_path)
    node = sequence_example_gen(found.data, found.split, found.spec, tmp_path)
    examples, windows = standard_artifacts.Examples(), Windows()
    examples.uri, windows.uri = str(tmp_path / "examples"), str(tmp_path / "windows")
    with use(Listening()) as heard:
        IngestExecutor().Do({}, {"examples": [examples]}, node.exec_properties)
    assert json.loads(examples.split_names) == list(SPLITS)
    assert examples.get_string_custom_property("payload_format") == "FORMAT_PARQUET"
    assert heard.seen["rows_read"] == 13
    assert heard.seen["rows_dropped"] == 2
    assert heard.seen["sequences_dropped"] == 2
    assert heard.seen["sequences_test"] == 2
    assert heard.seen["repeated_test"] == 1
    assert heard.kept["data_digest"] == heard.files["ingest_report.json"]["digest"]
    assert "unparseable number" in heard.files["rejects.csv"]
    assert heard.warnings == [
        "2 bad rows were dropped (unparseable number 2), and the 2 sequences they were in; see "
        "rejects.csv",
        "1 sequences are in no split: split.train, validation and test do not list their value",
        "1 of 2 test sequences have the same inputs as one in train",
    ]
    store = sequences(types.Channel(type=standard_artifacts.Examples), spec=found.spec)
    with use(Listening()) as heard:
        StoreExecutor().Do({"examples": [examples]}, {"windows": [windows]}, store.exec_properties)
    loaded = SequenceStore.load(Path(windows.uri))
    for split, count in {"train": 2, "validation": 1, "test": 2}.items():
        assert len(loaded.view(split)) == count
        assert windows.get_int_custom_property(f"windows_{split}") == count
        assert heard.seen[f"sequences_{split}"] == count
    assert heard.seen["classes"] == 2
    assert heard.seen["unseen_test"] == 2
    assert heard.files["sequences.json"]["unseen_labels"] == ["P", "V"]
    assert heard.warnings == [
        "2 labels are not in the train split (test 2): 'P', 'V'; every model is wrong about them"
    ]
