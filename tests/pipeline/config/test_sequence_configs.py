"""Configurations of tasks over whole sequences: what is read, and what is refused."""

import pytest

from models.errors import BadInputError
from pipeline.config import SequenceConfig, dumps, flat, loads

CLASSIFY = """\
name: vowels
data:
  path: vowels.csv
  sequence: utterance
  step: step
task: classify
inputs: {numbers: [c1, c2]}
target: speaker
model: {cell: gru, units: [32], bidirectional: true}
"""
TAG = """\
name: atis
data: {path: atis.csv, sequence: sentence, step: step}
task: tag
inputs: {symbols: [word], lowercase: true}
target: upos
split: {by: column, column: part, train: [train], validation: [dev], test: [test]}
"""
NEXT = """\
name: reber
data: {path: reber.csv, sequence: string, step: step}
task: next_step
inputs: {symbols: [symbol]}
"""
TEXT = """\
name: reviews
data:
  path: {train: train.tsv, validation: dev.tsv, test: test.tsv}
  header: false
task: classify
inputs: {text: c1}
target: c2
split: {by: files}
"""


@pytest.mark.parametrize("text", [CLASSIFY, TAG, NEXT, TEXT])
def test_a_good_one_is_read_and_written_and_read_again(text: str) -> None:
    config = loads(text).config
    assert isinstance(config, SequenceConfig)
    assert config.spec.task == config.task
    assert loads(dumps(config)).config == config
    assert flat(config)["task"] == config.task
    assert config.digest == loads(text).config.digest


def test_the_gate_alone_does_not_change_what_is_trained() -> None:
    one, other = loads(CLASSIFY).config, loads(CLASSIFY + "gate: {margin: 0.1}\n").config
    assert isinstance(one, SequenceConfig)
    assert isinstance(other, SequenceConfig)
    assert one.training_digest == other.training_digest
    assert one.digest != other.digest
    lower = loads(TAG.replace("lowercase: true", "lowercase: false")).config
    first = loads(TAG).config
    assert isinstance(lower, SequenceConfig)
    assert isinstance(first, SequenceConfig)
    assert lower.training_digest != first.training_digest


CASES = {
    "forecast key": (
        CLASSIFY + "window: {lookback: 3}\n",
        "c.yaml:10: window: unknown key 'window'",
    ),
    "near key": (
        CLASSIFY.replace("target: speaker", "targets: speaker"),
        "c.yaml:8: targets: unknown key 'targets'; did you mean 'target'?",
    ),
    "no target": (
        CLASSIFY.replace("target: speaker\n", ""),
        "target: classify needs a target, the column of labels",
    ),
    "target of next_step": (NEXT + "target: symbol\n", "c.yaml:5: target: next_step learns the"),
    "target is input": (
        CLASSIFY.replace("target: speaker", "target: c1"),
        "target: the target 'c1' is also an input",
    ),
    "nothing to read": (
        CLASSIFY.replace("{numbers: [c1, c2]}", "{lowercase: true}"),
        "inputs: name at least one column: numbers, symbols or text",
    ),
    "text and numbers": (
        TEXT.replace("{text: c1}", "{text: c1, numbers: [c3]}"),
        "text is one string for a whole sequence and stands alone",
    ),
    "tags of a text": (
        TEXT.replace("task: classify", "task: tag"),
        "tag needs a label for every symbol",
    ),
    "next step of numbers": (
        NEXT.replace("symbols: [symbol]", "numbers: [symbol]"),
        "next_step reads one column, of symbols or text",
    ),
    "column twice": (
        CLASSIFY.replace("[c1, c2]", "[c1, c1]"),
        "inputs: column 'c1' is listed twice",
    ),
    "input is the id": (
        CLASSIFY.replace("[c1, c2]", "[c1, utterance]"),
        "inputs: received 'utterance', which is data.sequence; one column cannot be both",
    ),
    "input is the split": (
        TAG.replace("[word]", "[word, part]"),
        "inputs: received 'part', which is split.column",
    ),
    "reserved": (CLASSIFY.replace("[c1, c2]", "[c1, length]"), "received 'length', a name the"),
    "rows alone": (
        CLASSIFY.replace("  sequence: utterance\n  step: step\n", ""),
        "data.sequence: received null, which makes every row a sequence of its own",
    ),
    "bidirectional next": (
        NEXT + "model: {bidirectional: true}\n",
        "c.yaml:5: model: model.bidirectional is true, but task next_step has to predict",
    ),
    "pooling of tags": (
        TAG + "model: {pooling: mean}\n",
        "model: model.pooling is mean, but task tag has an output at every step",
    ),
    "baseline of another task": (
        TAG + "baselines: {names: [naive_bayes]}\n",
        "baselines.names: received 'naive_bayes', which does not fit task tag",
    ),
    "beats what is not scored": (
        TAG + "baselines: {names: [majority]}\ngate: {beats: [most_frequent_tag]}\n",
        "gate.beats: received 'most_frequent_tag', which is not scored; scored are majority",
    ),
    "unknown baseline": (TAG + "gate: {beats: [majorty]}\n", "did you mean 'majority'?"),
    "files without files": (
        CLASSIFY + "split: {by: files}\n",
        "split.by: received 'files', but data.path is one path",
    ),
    "files by hash": (
        TEXT.replace("split: {by: files}", "split: {by: hash}"),
        "split.by: received 'hash', but data.path names a file for each split",
    ),
    "window normalisation": (
        CLASSIFY.replace("units: [32]", "normalize: window"),
        "model.normalize: received 'window', expected one of: standard, none",
    ),
    "secret": (
        NEXT + "tracking: {uri: 'https://me:hunter2@host'}\n",
        "tracking.uri: received 'https://me:***@host' with a secret in plain text",
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_what_is_refused(kind: str) -> None:
    text, words = CASES[kind]
    with pytest.raises(BadInputError) as caught:
        loads(text, path="c.yaml")
    said = str(caught.value)
    assert words in said
    assert all(line.startswith("c.yaml:") for line in said.splitlines())
    assert "pydantic" not in said.lower()
    assert "hunter2" not in said


@pytest.mark.parametrize("engine", ["onnx", "litert"])
def test_sequences_are_run_by_tensorflow_alone(engine: str) -> None:
    with pytest.raises(BadInputError, match=f"serving.engine: received {engine}, which runs fore"):
        loads(f"{CLASSIFY}serving: {{engine: {engine}}}\n")
    assert loads(f"{CLASSIFY}serving: {{engine: tensorflow}}\n").config == loads(CLASSIFY).config
