"""The schema file: inferred, kept, edited, broken. No TensorFlow is needed for this."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components.tracking.recorder import SilentRecorder, use
from components.validation.anomalies import raise_anomalies, read_anomalies
from components.validation.infer import relax
from components.validation.schema_file import (
    AS_INFERRED,
    parse,
    publish_schema,
    schema_digest,
    with_header,
)
from models.errors import BadInputError, DataAnomalyError

BODY = 'feature { name: "y" type: FLOAT }\n'


def test_a_published_schema_counts_as_inferred_until_someone_edits_it(tmp_path: Path) -> None:
    file, artifact = tmp_path / "c.schema.pbtxt", tmp_path / "artifact"
    artifact.mkdir()
    (artifact / "schema.pbtxt").write_text(with_header(BODY, "key"))
    assert schema_digest(file, "key") == AS_INFERRED
    assert publish_schema(artifact, file)
    assert not publish_schema(artifact, file)
    assert schema_digest(file, "key") == AS_INFERRED
    assert parse(file.read_text(), file).feature[0].name == "y"
    assert "Review it" in file.read_text()
    # Other data is validated against the file; the cache must not take it for an inferred one.
    other = schema_digest(file, "other data")
    assert other != AS_INFERRED
    file.write_text(file.read_text().replace("FLOAT", "FLOAT float_domain { max: 5 }"))
    assert schema_digest(file, "key") not in (AS_INFERRED, other)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('feature {\n  name: "y"\n  type: FLOOT\n}\n', r"c\.schema\.pbtxt:3:.*FLOOT"),
        ('feature {\n  nam: "y"\n}\n', r"c\.schema\.pbtxt:2:.*nam"),
        ("feature {", r"c\.schema\.pbtxt.*no valid schema"),
    ],
)
def test_a_broken_file_is_named_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "c.schema.pbtxt"
    file.write_text(text)
    with pytest.raises(BadInputError, match=message):
        schema_digest(file, "key")
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInputError, match="not UTF-8"):
        schema_digest(file, "key")


def statistics(
    present: dict[str, int], rows: int, most: int = 1
) -> statistics_pb2.DatasetFeatureStatisticsList:
    features = "".join(
        f'features {{ path {{ step: "{name}" }} num_stats {{ common_stats {{ '
        f"num_non_missing: {count} num_missing: {rows - count} max_num_values: {most} }} }} }}"
        for name, count in present.items()
    )
    return text_format.Parse(
        f"datasets {{ num_examples: {rows} {features} }}",
        statistics_pb2.DatasetFeatureStatisticsList(),
    )


def test_presence_leaves_room_below_the_emptiest_split() -> None:
    schema = text_format.Parse(
        'feature { name: "time" type: INT int_domain { min: 1 max: 2 } }'
        'feature { name: "series" type: BYTES domain: "series" }'
        'feature { name: "kind" type: BYTES domain: "kind" }'
        'feature { name: "y" type: FLOAT shape { dim { size: 1 } } }'
        'string_domain { name: "series" value: "a" } string_domain { name: "kind" value: "b" }',
        schema_pb2.Schema(),
    )
    full = {"time": 10, "series": 10, "kind": 10}
    relax(schema, [statistics({**full, "y": 10}, 10), statistics({**full, "y": 5}, 10)])
    feature = {f.name: f for f in schema.feature}
    assert feature["time"].presence.min_fraction == 1.0
    assert feature["y"].presence.min_fraction == pytest.approx(0.45)
    assert feature["kind"].presence.min_fraction == pytest.approx(0.9)
    assert feature["time"].WhichOneof("domain_info") is None
    assert feature["series"].WhichOneof("domain_info") is None
    assert feature["kind"].domain == "kind"
    assert [d.name for d in schema.string_domain] == ["kind"]
    assert not feature["y"].HasField("shape")
    assert feature["y"].value_count.max == 1


def test_a_column_with_several_values_may_have_any_number_and_free_ones_any_value() -> None:
    schema = text_format.Parse(
        'feature { name: "word" type: BYTES domain: "word" value_count { min: 1 max: 1 } }'
        'feature { name: "tag" type: BYTES domain: "tag" value_count { min: 1 max: 9 } }'
        'feature { name: "id" type: BYTES domain: "id" }'
        'string_domain { name: "word" value: "a" } string_domain { name: "tag" value: "b" }'
        'string_domain { name: "id" value: "c" }',
        schema_pb2.Schema(),
    )
    train = statistics({"word": 10, "tag": 10}, 10, most=9)
    test = statistics({"word": 10, "tag": 10, "id": 10}, 10)
    relax(schema, [train, test], ["word", "id"])
    feature = {f.name: f for f in schema.feature}
    for name in ("word", "tag"):
        assert feature[name].value_count.min == 1
        assert not feature[name].value_count.HasField("max")
    assert feature["id"].value_count.max == 1
    assert [d.name for d in schema.string_domain] == ["tag"]
    assert feature["tag"].domain == "tag"


class Heard(SilentRecorder):
    """Keeps tags and data."""

    def __init__(self) -> None:
        self.kept: dict[str, object] = {}

    def tags(self, values: object) -> None:
        self.kept.update(values)  # type: ignore[call-overload]

    def data(self, values: object, path: str) -> None:
        self.kept[path] = values


def test_anomalies_stop_the_run_and_are_recorded(tmp_path: Path) -> None:
    found = anomalies_pb2.Anomalies()
    info = found.anomaly_info["y"]
    info.short_description, info.description = "Out-of-range values", "Unexpectedly large: 9 > 5"
    for split, anomalies in (("train", found), ("test", anomalies_pb2.Anomalies())):
        folder = tmp_path / f"Split-{split}"
        folder.mkdir()
        (folder / "SchemaDiff.pb").write_bytes(anomalies.SerializeToString())
    listed = read_anomalies(tmp_path)
    assert listed == [("y", "Out-of-range values", "train: Unexpectedly large: 9 > 5")]
    with use(Heard()) as heard, pytest.raises(DataAnomalyError, match="y: Out-of-range") as caught:
        raise_anomalies(listed, Path("c.schema.pbtxt"))
    assert caught.value.anomalies == tuple(listed)
    assert "edit c.schema.pbtxt" in str(caught.value)
    assert heard.kept["data_valid"] == "false"
    assert heard.kept["anomalies.json"] == [
        {"column": "y", "short": listed[0][1], "description": listed[0][2]}
    ]
    raise_anomalies([], Path("c.schema.pbtxt"))
