"""Configurations as they should be read: YAML 1.2, paths, secrets, digests, round trips."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import BadInputError
from pipeline.config import Config, dumps, flat, load, loads
from pipeline.config.document import parse

MINIMAL = "name: a\ndata: {path: d.csv, time: t, frequency: h}\ntargets: [y]\n" + (
    "window: {lookback: 48, horizon: 24}\n"
)
EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.yaml"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3), ("1E5", 1e5), ("-.5", -0.5), ("1.", 1.0), ("no", "no"), ("on", "on"),
        ("NO", "NO"), ("true", True), ("False", False), ("~", None), ("", None), ("null", None),
        ("2020-01-01", "2020-01-01"), ("12:30", "12:30"), ("010", 10), ("0x1F", 31),
        ("0o17", 15), ("1_000", "1_000"), ("'5'", "5"), ("[1, a]", [1, "a"]),
        (".inf", float("inf")), ("y", "y"), ("-", [None]), ("1.2.3", "1.2.3"),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    assert parse(f"a: {text}" if text != "-" else "a:\n  -", "f").data == {"a": value}


def test_lines_are_those_of_the_keys() -> None:
    document = parse("a: 1\nb:\n  c: {d: 2,\n    e: [3,\n 4]}\n", "f")
    assert document.line(("b",)) == 2
    assert document.line(("b", "c", "e")) == 4
    assert document.line(("b", "c", "e", 1)) == 5
    assert document.line(("b", "c", "missing")) == 3


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=9
)
columns = st.lists(
    texts.filter(lambda s: s not in ("t", "s", "time", "series", "observed")),
    min_size=4, max_size=4, unique=True,
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(
    columns,
    st.integers(1, 10**6),
    st.floats(1e-9, 1e6),
    st.one_of(st.none(), st.floats(0.001, 100.0)),
    st.sampled_from(["h", "15min", "D", "W-SAT", "MS", "B"]),
    st.one_of(st.integers(1, 500), st.floats(0.01, 0.4)),
    texts,
)
def test_dump_and_load_give_the_same(
    names: list[str], lookback: int, rate: float, clip: float | None, frequency: str,
    share: float, path: str,
) -> None:  # fmt: skip
    config = Config.model_validate(
        {
            "name": "a",
            "data": {"path": f"{path}.csv", "time": "t", "series": "s", "frequency": frequency},
            "targets": names[:2],
            "covariates": {"past": [names[2], "observed"], "static": [names[3]]},
            "window": {"lookback": lookback, "horizon": 3},
            "train": {"learning_rate": rate, "clip": None if clip is None else {"norm": clip}},
            "split": {"test": share},
            "schema": path,
        }
    )
    assert loads(dumps(config)).config == config
    again = Config.from_json(config.canonical_json())
    assert again == config
    assert again.digest == config.digest
    assert hash(again) == hash(config)


def test_order_and_spelling_do_not_change_the_digest() -> None:
    one = loads(MINIMAL + "train: {epochs: 3, learning_rate: 0.001}\n").config
    two = loads("train: {learning_rate: 1e-3, epochs: 3}\n" + MINIMAL + "model: {}\n").config
    assert one == two
    assert one.digest == two.digest != loads(MINIMAL).config.digest


def test_paths_start_at_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "x.yaml").write_text(
        MINIMAL.replace("d.csv", "../data/*.csv") + "workspace: ../ws\nserving: {directory: m}\n"
    )
    monkeypatch.chdir(tmp_path)
    loaded = load("conf/x.yaml")
    assert loaded.path == tmp_path / "conf" / "x.yaml"
    assert loaded.workspace == tmp_path / "ws"
    assert loaded.data_path == tmp_path / "data" / "*.csv"
    assert loaded.serving_directory == tmp_path / "conf" / "m"
    assert loaded.schema_path == tmp_path / "conf" / "x.schema.pbtxt"
    assert loaded.experiment == "a"
    assert not (tmp_path / "ws").exists()


def test_defaults_of_paths(tmp_path: Path) -> None:
    loaded = loads(MINIMAL + "schema: s/my.pbtxt\n", path=tmp_path / "x.yaml")
    assert loaded.schema_path == tmp_path / "s" / "my.pbtxt"
    assert loaded.serving_directory == tmp_path / "workspace" / "serving" / "a"
    assert loaded.tracking_uri.startswith(f"sqlite:///{tmp_path}/workspace/")
    mine = loads(MINIMAL + "tracking: {uri: 'sqlite:///runs.db'}\n", path=tmp_path / "x.yaml")
    assert mine.tracking_uri == f"sqlite:///{tmp_path}/runs.db"


def test_secrets_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELMAN_TEST_SECRET", "hunter2")
    text = MINIMAL + "tracking: {uri: 'postgresql://u:${ELMAN_TEST_SECRET}@h/b'}\n"
    loaded = loads(text)
    for shown in (dumps(loaded.config), json.dumps(flat(loaded.config)), repr(loaded),
                  loaded.config.canonical_json(), loaded.tracking_uri):  # fmt: skip
        assert "hunter2" not in shown
    digest = loaded.digest
    monkeypatch.setenv("ELMAN_TEST_SECRET", "other")
    assert loads(text).digest == digest


def test_flat_has_every_value() -> None:
    config = loads(MINIMAL + "train: {clip: {norm: 0.5}}\n").config
    values = flat(config)
    assert values["train.clip.norm"] == "0.5"
    assert values["train.clip.value"] == "null"
    assert values["targets"] == '["y"]'
    assert values["schema"] == "null"
    assert values["data.path"] == "d.csv"

    def leaves(value: object) -> int:
        return sum(map(leaves, value.values())) if isinstance(value, dict) else 1

    assert len(values) == leaves(config.model_dump(mode="json"))
    assert all(isinstance(v, str) for v in values.values())


def test_a_configuration_cannot_be_changed() -> None:
    config = loads(MINIMAL).config
    with pytest.raises(ValueError, match="frozen"):
        config.name = "b"  # type: ignore[misc]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_examples_are_valid(path: Path) -> None:
    assert load(path).config.workspace.startswith("../workspace/")


def test_there_are_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: None, "no such file"),
        (lambda p: p.mkdir(), "received a folder"),
        (lambda p: p.write_bytes(b"name: \xff"), "not UTF-8"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, make: object, words: str) -> None:
    path = tmp_path / "x.yaml"
    make(path)  # type: ignore[operator]
    with pytest.raises(BadInputError, match=words):
        load(path)


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "co2.yaml").write_text(MINIMAL)
    with pytest.raises(BadInputError, match=r"YAML files there: co2\.yaml"):
        load(tmp_path / "co3.yaml")


def test_a_byte_order_mark_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert load(tmp_path / "x.yaml").config.name == "a"


def test_reading_imports_nothing_heavy() -> None:
    code = (
        "import sys; from pipeline.config import load; load(sys.argv[1]); "
        "heavy = {'tensorflow', 'keras', 'tfx', 'mlflow', 'duckdb', 'pandas', 'numpy'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(EXAMPLES[0])], check=True)
