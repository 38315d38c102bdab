"""Every kind of broken configuration gets its own message: line, key, value, what to write."""

from __future__ import annotations

import pytest

from models.errors import BadInputError
from pipeline.config import loads

GOOD = """\
name: co2
data:
  path: co2.csv
  time: date
  frequency: W-SAT
targets: [co2]
window: {lookback: 104, horizon: 12}
model: {cell: lstm}
train:
  epochs: 40
"""


def changed(old: str, new: str) -> str:
    assert old in GOOD, old
    return GOOD.replace(old, new)


CASES = {
    "not a number": (
        changed("epochs: 40", "epochs: many"),
        "co2.yaml:10: train.epochs: received 'many', expected a whole number >= 1",
    ),
    "fraction for a count": (
        changed("epochs: 40", "epochs: 1.5"),
        "received 1.5, expected a whole",
    ),
    "zero": (
        changed("epochs: 40", "epochs: 0"),
        "train.epochs: received 0, expected a whole number >= 1",
    ),
    "quoted number": (
        changed("epochs: 40", "learning_rate: '1e-3'"),
        "train.learning_rate: received '1e-3', expected a number > 0; remove the quotes",
    ),
    "negative rate": (
        changed("epochs: 40", "learning_rate: -1e-3"),
        "train.learning_rate: received -0.001, expected a number > 0",
    ),
    "infinite": (
        changed("epochs: 40", "learning_rate: .inf"),
        "received inf, expected a number > 0",
    ),
    "not a number at all": (changed("epochs: 40", "min_delta: .nan"), "min_delta: received nan"),
    "probability": (changed("cell: lstm", "dropout: 1.0"), "expected a number >= 0.0 and < 1.0"),
    "near key": (
        changed("epochs: 40", "epoch: 40"),
        "co2.yaml:10: train.epoch: unknown key 'epoch'; did you mean 'epochs'?",
    ),
    "near section": (
        changed("train:", "trian:"),
        "trian: unknown key 'trian'; did you mean 'train'?",
    ),
    "far key": (changed("epochs: 40", "zzz: 1"), "unknown key 'zzz'; valid keys are: batch_size"),
    "key of another section": (
        changed("cell: lstm", "epochs: 3"),
        "model.epochs: unknown key 'epochs' here; it belongs under train",
    ),
    "near value": (
        changed("cell: lstm", "cell: lsmt"),
        "co2.yaml:8: model.cell: received 'lsmt', expected one of: simple_rnn, lstm, gru, "
        "second_order; did you mean 'lstm'?",
    ),
    "value of the wrong case": (changed("cell: lstm", "cell: LSTM"), "did you mean 'lstm'?"),
    "a key for its section": (
        changed("epochs: 40", "bptt: truncated"),
        "train.bptt: received 'truncated', expected full or a section with the key truncated; "
        "write {truncated: ...}",
    ),
    "no steps in a chunk": (
        changed("epochs: 40", "bptt: {truncated: 0}"),
        "train.bptt.truncated: received 0, expected a whole number >= 1",
    ),
    "key of a section that a word may replace": (
        changed("epochs: 40", "bptt: {truncate: 8}"),
        "train.bptt.truncate: unknown key 'truncate'; did you mean 'truncated'?",
    ),
    "truncated without a state to carry": (
        changed("cell: lstm", "normalize: window").replace("epochs: 40", "bptt: {truncated: 8}"),
        "train.bptt: received {truncated: 8}, which carries the state from chunk to chunk, but "
        "this model cannot be read step by step: model.normalize is window",
    ),
    "another task": (
        GOOD + "task: classify\n",
        "co2.yaml:1: inputs: missing; expected a section with the keys numbers, symbols, text",
    ),
    "unknown task": (
        GOOD + "task: forcast\n",
        "received 'forcast', expected one of: forecast, classify, tag, next_step; did you mean "
        "'forecast'?",
    ),
    "text for a list": (
        changed("targets: [co2]", "targets: co2"),
        "targets: received 'co2', expected a list of names, at least 1; write [co2] (columns to "
        "forecast)",
    ),
    "number for a list": (changed("cell: lstm", "units: 64"), "expected a list of whole numbers"),
    "wrong in a list": (
        changed("cell: lstm", "units: [64, big]"),
        "model.units[1]: received 'big'",
    ),
    "zero in a list": (changed("cell: lstm", "units: [0]"), "needs at least 1 unit, got [0]"),
    "empty list": (
        changed("targets: [co2]", "targets: []"),
        "targets: received [], expected a list",
    ),
    "list for a section": (changed("{cell: lstm}", "[1]"), "expected a section with the keys cell"),
    "null for a section": (
        changed("model: {cell: lstm}", "model:"),
        "model: received null, expected",
    ),
    "yes for true": (
        GOOD + "gate: {champion: yes}\n",
        "gate.champion: received 'yes', expected true or false; write true",
    ),
    "number for text": (
        changed("time: date", "time: 5"),
        "data.time: received 5, expected text that",
    ),
    "missing key": (changed("  time: date\n", ""), "co2.yaml:2: data.time: missing; expected text"),
    "missing section": (changed("window: {lookback: 104, horizon: 12}\n", ""), "window: missing; "),
    "name": (changed("name: co2", "name: my co2!"), "received 'my co2!', expected letters, digits"),
    "two clips": (
        changed("epochs: 40", "clip: {norm: 1.0, value: 1.0}"),
        "train.clip: give exactly one of global_norm, norm and value, got ['norm', 'value']",
    ),
    "no source": (
        changed("  path: co2.csv\n", ""),
        "data: give exactly one of path (files) and url",
    ),
    "two sources": (changed("path: co2.csv", "{path: a, url: b}"), "co2.yaml"),
    "table without url": (changed("path: co2.csv", "path: co2.csv\n  table: t"), "belong to url"),
    "split of one": (GOOD + "split: {test: 1.5}\n", "expected a fraction between 0 and 1"),
    "split text": (GOOD + "split: {test: all}\n", "split.test: received 'all', expected a whole"),
    "split of everything": (
        GOOD + "split: {test: 0.5, validation: 0.5}\n",
        "leave nothing to train",
    ),
    "target is the time": (
        changed("targets: [co2]", "targets: [date]"),
        "targets: received 'date', which is the time column (data.time)",
    ),
    "target is the series": (
        changed("path: co2.csv", "path: co2.csv\n  series: co2"),
        "which is the series column (data.series)",
    ),
    "series is the time": (
        changed("path: co2.csv", "path: co2.csv\n  series: date"),
        "data.series: received 'date', which is also data.time",
    ),
    "column twice": (changed("[co2]", "[co2, co2]"), "received 'co2' 2 times; list a column once"),
    "two roles": (
        GOOD + "covariates: {past: [co2]}\n",
        "column 'co2' is listed under targets and again under covariates.past",
    ),
    "reserved column": (changed("targets: [co2]", "targets: [series]"), "keeps for its own column"),
    "reserved mask": (GOOD + "covariates: {static: [observed]}\n", "the mask of filled steps"),
    "unknown frequency": (
        changed("W-SAT", "fortnightly"),
        "data.frequency: received 'fortnightly': expected a pandas offset alias",
    ),
    "old frequency": (
        changed("W-SAT", "H"),
        "data.frequency: received 'H': no pandas offset alias; w",
    ),
    "too fine frequency": (changed("W-SAT", "100ms"), "steps of at least one second"),
    "calendar misspelt": (
        GOOD + "covariates: {calendar: [week_of_yaer]}\n",
        "covariates.calendar[0]: received 'week_of_yaer', expected one of: minute_of_hour, "
        "hour_of_day, day_of_week, day_of_month, day_of_year, week_of_year, month_of_year, "
        "quarter_of_year; did you mean 'week_of_year'?",
    ),
    "constant calendar": (
        GOOD + "covariates: {calendar: [hour_of_day]}\n",
        "received 'hour_of_day', which never changes at the frequency 'W-SAT'; useful here: day_",
    ),
    "time zone": (
        changed("time: date", "time: date\n  timezone: Europe/Berln"),
        "data.timezone: received 'Europe/Berln', expected a time zone such as UTC or "
        "Europe/Berlin; did you mean 'Europe/Berlin'?",
    ),
    "time format": (
        changed("time: date", "time: date\n  time_format: YYYY-MM-DD"),
        "data.time_format: received 'YYYY-MM-DD', expected a strptime format",
    ),
    "delimiter": (
        changed("time: date", "time: date\n  delimiter: tab"),
        "expected one character or",
    ),
    "gate without baseline": (
        GOOD + "baselines: {names: [naive]}\ngate: {beats: [ar]}\n",
        "co2.yaml:12: gate.beats: received 'ar', which is not scored; add it to baselines.names",
    ),
    "gate misspelt": (GOOD + "gate: {beats: [seasonal]}\n", "did you mean 'seasonal_naive'?"),
    "gate twice": (GOOD + "gate: {beats: [ar, ar]}\n", "received 'ar' 2 times; list it once"),
    "baseline twice": (
        GOOD + "baselines: {names: [ar, ar]}\ngate: {beats: [ar]}\n",
        "listed twice",
    ),
    "lags": (
        GOOD + "baselines: {ar_max_lags: 200}\n",
        "baselines.ar_max_lags: received 200, expected at most window.lookback (104)",
    ),
    "ffnn units": (GOOD + "baselines: {ffnn_units: [0]}\n", "baselines.ffnn_units: received [0]"),
    "warm-up": (
        changed("epochs: 40", "epochs: 5\n  schedule: {warmup: 5}"),
        "train: schedule.warmup (5 epochs) must be shorter than the training",
    ),
    "plain tracking folder": (
        GOOD + "tracking: {uri: ./mlruns}\n",
        "tracking.uri: received './mlruns', expected an MLflow server",
    ),
    "missing variable": (
        GOOD + "tracking: {uri: 'https://u:${ELMAN_NO_SUCH}@host'}\n",
        "tracking.uri: received 'https://u:${ELMAN_NO_SUCH}@host': the environment variable "
        "ELMAN_NO_SUCH is not set",
    ),
    "plain password": (
        changed("path: co2.csv", "url: postgresql://me:hunter2@host/base\n  table: t"),
        "data.url: received 'postgresql://me:***@host/base' with a secret in plain text",
    ),
    "no url": (
        changed("path: co2.csv", "url: base.db\n  table: t"),
        "expected an SQLAlchemy URL such",
    ),
    "streaming both ways": (
        changed("cell: lstm", "cell: lstm, bidirectional: true") + "serving: {streaming: true}\n",
        "serving.streaming: received true, but this model cannot be read step by step: "
        "model.bidirectional is true",
    ),
    "streaming windows": (
        changed("cell: lstm", "cell: lstm, normalize: window") + "serving: {streaming: true}\n",
        "Streaming needs normalize: standard or none; or leave out serving.streaming",
    ),
    "litert both ways": (
        changed("cell: lstm", "cell: lstm, bidirectional: true") + "serving: {engine: litert}\n",
        "serving.engine: received litert, which runs single steps of streams, but this model "
        "cannot be read step by step: model.bidirectional is true",
    ),
    "unknown engine": (
        GOOD + "serving: {engine: onnxruntime}\n",
        "serving.engine: received 'onnxruntime', expected",
    ),
    "keep nothing": (
        GOOD + "serving: {keep: 0}\n",
        "serving.keep: received 0, expected a whole numb",
    ),
    "key twice": (
        GOOD + "targets: [x]\n",
        "co2.yaml:11: targets: given twice, first on line 6; remove one of them",
    ),
    "inner key twice": (
        changed("epochs: 40", "epochs: 40\n  epochs: 41"),
        "train.epochs: given twice",
    ),
    "tab": (changed("  epochs: 40", "\tepochs: 40"), "co2.yaml:10: not valid YAML: a tab"),
    "bracket": (changed("[co2]", "[co2"), "co2.yaml:7: not valid YAML"),
    "two documents": (GOOD + "---\nname: x\n", "a configuration is one document"),
    "object": (GOOD + "gate: !!python/object/apply:os.getcwd []\n", "co2.yaml:11: gate: "),
    "control character": (GOOD + "\x07\n", "a control character (#x0007)"),
    "number as key": (GOOD + "5: x\n", "co2.yaml:11: received the key 5, expected a name"),
    "empty": ("# nothing\n", "the file is empty; expected name, data, targets"),
    "a list": ("- name: x\n", "co2.yaml:1: received [{'name': 'x'}], expected `key: value` lines"),
    "itself": (GOOD + "gate: &a {beats: *a}\n", "refers to the very part that holds it"),
}


def message(text: str) -> str:
    with pytest.raises(BadInputError) as caught:
        loads(text, path="co2.yaml")
    return str(caught.value)


def test_the_base_is_good() -> None:
    assert loads(GOOD).config.train.epochs == 40


@pytest.mark.parametrize("kind", CASES)
def test_message(kind: str) -> None:
    text, words = CASES[kind]
    said = message(text)
    assert words in said
    for line in said.splitlines():
        assert line.startswith("co2.yaml")
    assert "hunter2" not in said
    assert "pydantic" not in said.lower()


def test_every_kind_has_its_own_message() -> None:
    said = {message(text) for text, _ in CASES.values()}
    assert len(said) == len(CASES)


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = changed("cell: lstm", "cell: lsmt").replace("epochs: 40", "epochs: many\n  zzz: 1")
    lines = message(text + "gate: 5\n").splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "co2.yaml:8", "co2.yaml:10", "co2.yaml:11", "co2.yaml:12",
    ]  # fmt: skip


def test_cross_checks_are_told_together() -> None:
    text = changed("W-SAT", "H").replace("[co2]", "[date]") + "baselines: {ar_max_lags: 200}\n"
    assert len(message(text).splitlines()) == 3
