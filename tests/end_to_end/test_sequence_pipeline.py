"""Tasks over whole sequences by the command line, on real data, to a model that serves alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.end_to_end.small_pipeline import ROOT, elman
from tests.shared_data import shared_data

pytestmark = pytest.mark.end_to_end

ALONE = """
import json, sys
import numpy as np, tensorflow as tf
signature = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
kinds = {name: spec.dtype for name, spec in signature.structured_input_signature[1].items()}
feed = {name: tf.constant(value, kinds[name]) for name, value in json.load(sys.stdin).items()}
answer = signature(**feed)
assert not [m for m in sys.modules if m.split(".")[0] in ("components", "models", "tfx")]
words = np.vectorize(bytes.decode, otypes=[object])
print(json.dumps({
    "label": words(answer["label"].numpy()).tolist(),
    "classes": words(answer["classes"].numpy()).tolist(),
    "probabilities": answer["probabilities"].numpy().tolist(),
}))
"""


def convert(script: str, folder: str, output: Path) -> None:
    """Makes the table that an example's script makes of the public data."""
    source = str(shared_data(folder))
    done = subprocess.run(
        [sys.executable, "-m", f"examples.{script}", source, "--output", str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def read(path: Path) -> pd.DataFrame:
    """A table of texts, none of which means a missing value."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def ran(folder: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """What `elman run --json` says."""
    path = folder / "task.yaml"
    path.write_text(yaml.safe_dump({"workspace": "work", **config}, sort_keys=False))
    done = elman("run", str(path), "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def alone(folder: Path, name: str, feed: Mapping[str, Any]) -> dict[str, Any]:
    """What the pushed model answers in a process that cannot see Elman."""
    (version,) = (folder / "work" / "serving" / name).glob("[0-9]*")
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(version)],
        cwd=folder,
        input=json.dumps(feed),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.nightly
def test_a_tagger_is_trained_gated_pushed_and_served(tmp_path: Path) -> None:
    convert("atis_data", "ud_atis", tmp_path / "all.csv")
    table = read(tmp_path / "all.csv")
    few = table["sentence"].drop_duplicates().groupby(table["part"]).head(400)
    table[table["sentence"].isin(few)].to_csv(tmp_path / "atis.csv", index=False)
    config = {
        "name": "atis",
        "data": {"path": "atis.csv", "sequence": "sentence", "step": "step"},
        "task": "tag",
        "inputs": {"symbols": ["word"]},
        "target": "upos",
        "split": {
            "by": "column",
            "column": "part",
            "train": ["train"],
            "validation": ["validation"],
            "test": ["test"],
        },
        "model": {"cell": "gru", "units": [24], "bidirectional": True, "embedding": 24},
        "train": {"epochs": 6, "batch_size": 16, "learning_rate": 0.01, "seed": 7},
        "baselines": {"names": ["majority", "most_frequent_tag"]},
    }
    result = ran(tmp_path, config)
    assert result["unit"] == "sequences"
    assert result["windows"] == {"train": 400, "validation": 400, "test": 400}
    models = result["models"]
    assert models["candidate"]["accuracy"] > models["most_frequent_tag"]["accuracy"] > 0.8
    assert result["blessed"]
    assert result["winner"] == "candidate"
    assert result["push"]["pushed"]

    words = ["show", "me", "the", "flights", "to", "boston"]
    answer = alone(
        tmp_path, "atis", {"word": [words, ["boston"] + [""] * 5], "length": [len(words), 1]}
    )
    assert answer["label"][0][:4] == ["VERB", "PRON", "DET", "NOUN"]
    assert answer["label"][1] == ["PROPN", "", "", "", "", ""]
    assert all(abs(sum(step) - 1) < 1e-5 for step in answer["probabilities"][0])

    # The same again does nothing again: the live model is the one that was found the first time.
    second = ran(tmp_path, config)
    cached = {node["node"]: node["cached"] for node in second["nodes"]}
    assert all(cached[node] for node in cached if node != "push"), cached
    assert not second["push"]["pushed"]
    assert second["live"] == result["live"]


def test_where_the_bag_of_words_is_better_it_is_pushed(tmp_path: Path) -> None:
    convert("sst2_data", "sst2", tmp_path / "all.csv")
    table = read(tmp_path / "all.csv")
    table.groupby("part").head(600).to_csv(tmp_path / "sst2.csv", index=False)
    result = ran(
        tmp_path,
        {
            "name": "sst2",
            "data": {"path": "sst2.csv"},
            "task": "classify",
            "inputs": {"text": "sentence"},
            "target": "label",
            "split": {
                "by": "column",
                "column": "part",
                "train": ["train"],
                "validation": ["validation"],
                "test": ["test"],
            },
            "model": {"cell": "simple_rnn", "units": [4]},
            "train": {"epochs": 1, "batch_size": 64, "seed": 7},
            "baselines": {"names": ["majority", "naive_bayes"]},
        },
    )
    models = result["models"]
    assert models["naive_bayes"]["accuracy"] > models["candidate"]["accuracy"]
    assert result["winner"] == "naive_bayes"
    assert "the network was refused" in result["summary"]
    assert result["push"]["pushed"]
    answer = alone(
        tmp_path,
        "sst2",
        {"sentence": ["a moving , funny and beautiful film", "dull and too long , a bad mess"]},
    )
    assert answer["label"] == ["positive", "negative"]
    assert answer["classes"][0] == ["negative", "positive"]
