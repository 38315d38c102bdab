"""Signatures that another engine runs in TensorFlow's place, and those that it does not."""

from __future__ import annotations

import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.engine.loading import loader, opened
from serving.engine.servable import Servable
from serving.runtimes import onnx
from serving.runtimes.litert import LiteRtRuntime
from serving.runtimes.onnx import OnnxRuntime
from serving.status import Code, ServingError

ROWS = 5


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A forecaster of every kind of column, with the files of both engines."""
    from tests.serving.client.forecasters import RICH, export

    folder = tmp_path_factory.mktemp("rich")
    export(folder / "1", roles=RICH, engine="onnx")
    export(folder / "step", roles=RICH, engine="litert")
    shutil.move(folder / "step" / "step.tflite", folder / "1")
    return folder / "1"


class Spied:
    """How often each engine was asked, and for how many rows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: list[int] = []
        for kind in (OnnxRuntime, LiteRtRuntime):
            monkeypatch.setattr(kind, "run", self._around(kind.run))

    def _around(self, run: Any) -> Any:
        def spied(runtime: Any, inputs: Any, outputs: Any) -> Any:
            self.rows.append(len(next(iter(inputs.values()))))
            return run(runtime, inputs, outputs)

        return spied


@pytest.fixture
def spied(monkeypatch: pytest.MonkeyPatch) -> Spied:
    return Spied(monkeypatch)


def drawn(servable: Servable, signature: str, rows: int, seed: int = 0) -> dict[str, Any]:
    """Inputs of a signature; text is known, unknown, or no UTF-8."""
    rng = np.random.default_rng(seed)
    words = [b"north", b"south", b"elsewhere", b"\xff\xfe", b""]
    feed: dict[str, Any] = {}
    for name, info in servable.signatures[signature].inputs.items():
        size = (rows, *(info.shape or ())[1:])
        if info.is_string:
            feed[name] = np.array([words[i % 5] for i in range(rows)], object)
        elif info.dtype == np.int64:
            feed[name] = 1_000_000_000 + 604_800 * rng.integers(0, 500, size)
        else:
            feed[name] = (10 + 3 * rng.normal(size=size)).astype(np.float32)
    return feed


def close(got: dict[str, Any], want: dict[str, Any]) -> None:
    assert set(got) == set(want)
    for name, values in want.items():
        assert got[name].dtype == values.dtype
        np.testing.assert_allclose(got[name], values, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("engine", "signature"), [("onnx", "serving_default"), ("litert", "stream_step")]
)
def test_an_engine_answers_its_signature_as_tensorflow_does(
    rich: Path, spied: Spied, engine: Any, signature: str
) -> None:
    ours, theirs = (opened("m", 1, rich, None, e) for e in (engine, "tensorflow"))
    for rows in (1, ROWS, 1):
        feed = drawn(ours, signature, rows)
        close(ours.run(signature, feed), theirs.run(signature, feed))
    assert spied.rows == [1, ROWS, 1]
    some = sorted(ours.signatures[signature].outputs)[:1]
    feed = drawn(ours, signature, 2)
    close(ours.run(signature, feed, some), theirs.run(signature, feed, some))
    assert len(spied.rows) == 4


@pytest.mark.parametrize("threads", [1, 3])
def test_a_large_call_is_answered_row_by_row(rich: Path, threads: int) -> None:
    servable = opened("m", 1, rich, None, "tensorflow")
    runtime = OnnxRuntime(rich / "model.onnx", threads)
    names = sorted(runtime.outputs)
    for rows in (onnx.ROWS, onnx.ROWS + 1, 3 * onnx.ROWS, 100):
        feed = drawn(servable, "serving_default", rows)
        found = dict(zip(names, runtime.run(feed, names), strict=True))
        close(found, servable.run("serving_default", feed))
        for row in (0, rows // 2, rows - 1):
            one = {name: array[row : row + 1] for name, array in feed.items()}
            alone = dict(zip(names, runtime.run(one, names), strict=True))
            close({name: value[row : row + 1] for name, value in found.items()}, alone)
    runtime.close()


def test_large_calls_side_by_side_do_not_mix(rich: Path) -> None:
    servable = opened("m", 1, rich, None, "tensorflow")
    runtime = OnnxRuntime(rich / "model.onnx", 2)
    (name, *_) = sorted(runtime.outputs)
    feeds = [drawn(servable, "serving_default", 2 * onnx.ROWS + n, seed=n) for n in range(8)]
    alone = [runtime.run(feed, [name])[0] for feed in feeds]
    with ThreadPoolExecutor(8) as clients:
        found = list(clients.map(lambda feed: runtime.run(feed, [name])[0], feeds * 3))
    for got, want in zip(found, alone * 3, strict=True):
        np.testing.assert_array_equal(got, want)


def test_a_large_call_of_unequal_rows_is_refused_and_not_cut(rich: Path) -> None:
    servable = opened("m", 1, rich, None, "tensorflow")
    runtime = OnnxRuntime(rich / "model.onnx", 2)
    feed = drawn(servable, "serving_default", 3 * onnx.ROWS)
    feed["wind"] = feed["wind"][: 2 * onnx.ROWS]
    with pytest.raises(Exception, match=r"(?i)onnx|dimension|concat"):
        runtime.run(feed, sorted(runtime.outputs))


@pytest.mark.parametrize(
    ("engine", "signature"), [("onnx", "serving_default"), ("litert", "stream_step")]
)
def test_a_missing_value_gives_nan_by_every_engine(rich: Path, engine: Any, signature: str) -> None:
    ours, theirs = (opened("m", 1, rich, None, e) for e in (engine, "tensorflow"))
    numbers = [n for n, i in ours.signatures[signature].inputs.items() if i.dtype == np.float32]
    for name in numbers:
        feed = drawn(ours, signature, 2)
        feed[name][0] = np.nan
        want, got = theirs.run(signature, feed), ours.run(signature, feed)
        close(got, want)  # nan where there is nan
        assert any(np.isnan(value[0]).any() for value in want.values())


@pytest.mark.parametrize("engine", ["onnx", "litert"])
def test_rows_that_do_not_match_are_left_to_tensorflow(
    rich: Path, spied: Spied, engine: Any
) -> None:
    ours, theirs = (opened("m", 1, rich, None, e) for e in (engine, "tensorflow"))
    signature = {"onnx": "serving_default", "litert": "stream_step"}[engine]
    feed = drawn(ours, signature, 2)
    feed["wind"] = feed["wind"][:1]
    outcomes = []
    for servable in (ours, theirs):
        with pytest.raises(ServingError) as seen:
            servable.run(signature, feed)
        outcomes.append(seen.value.code)
    assert outcomes[0] is outcomes[1]
    assert spied.rows == []


@pytest.mark.parametrize("engine", ["onnx", "litert"])
def test_tensorflow_answers_the_rest(rich: Path, spied: Spied, engine: Any) -> None:
    from models.export.warmup import serialized_example

    ours = opened("m", 1, rich, None, engine)
    assert len(ours.run("describe", {"rows": np.zeros(2, np.int32)})["metadata"]) == 2
    window = {k: v[0] for k, v in drawn(ours, "serving_default", 1).items()}
    window = {k: v.decode("latin-1") if isinstance(v, bytes) else v for k, v in window.items()}
    ours.run("serve_examples", {"examples": np.array([serialized_example(window)], object)})
    ours.run("stream_init", {"batch": np.zeros(3, np.int32)})
    signature = {"onnx": "serving_default", "litert": "stream_step"}[engine]
    nothing = ours.run(signature, drawn(ours, signature, 0))
    assert all(len(value) == 0 for value in nothing.values())
    assert spied.rows == []


def test_warm_up_requests_reach_the_engine(rich: Path, spied: Spied) -> None:
    loader(engine="onnx")("m", 1, rich).close()
    assert spied.rows == [1]


def test_a_version_without_the_file_is_run_by_tensorflow_and_one_line_says_so(
    rich: Path, tmp_path: Path, spied: Spied, caplog: pytest.LogCaptureFixture
) -> None:
    version = tmp_path / "2"
    shutil.copytree(rich, version)
    (version / "model.onnx").unlink()
    with caplog.at_level(logging.INFO, "serving.engine.loading"):
        ours = opened("m", 2, version, None, "onnx")
        opened("m", 1, rich, None, "onnx")
    assert [r.getMessage() for r in caplog.records] == [
        "model m version 2: it has no file for onnx, TensorFlow runs the rest",
        "model m version 1: onnx runs serving_default, TensorFlow runs the rest",
    ]
    ours.run("serving_default", drawn(ours, "serving_default", 1))
    assert spied.rows == []


def test_a_file_of_another_model_or_of_none_is_not_served(rich: Path, tmp_path: Path) -> None:
    from tests.serving.client.forecasters import export

    version = tmp_path / "3"
    shutil.copytree(rich, version)
    shutil.copy(export(tmp_path / "plain", engine="onnx") / "model.onnx", version)
    with pytest.raises(ServingError, match="not those of the signature 'serving_default'") as seen:
        opened("m", 3, version, None, "onnx")
    assert seen.value.code is Code.FAILED_PRECONDITION
    for engine, file in (("onnx", "model.onnx"), ("litert", "step.tflite")):
        (version / file).write_bytes(b"nothing of the kind")
        with pytest.raises(ServingError) as seen:
            opened("m", 3, version, None, engine)  # type: ignore[arg-type]
        assert str(tmp_path) not in seen.value.message
    opened("m", 3, version, None, "tensorflow").close()


@pytest.mark.parametrize("engine", ["onnx", "litert"])
def test_a_missing_package_is_named_with_its_extra(
    rich: Path, monkeypatch: pytest.MonkeyPatch, engine: Any
) -> None:
    from serving.server.errors import StartError
    from serving.server.run import reserved
    from serving.server.settings import ServerSettings

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ServingError, match=rf"elman\[{engine}\]"):
        opened("m", 1, rich, None, engine)
    settings = ServerSettings((), grpc_port=0, rest_port=0, engine=engine)
    with pytest.raises(StartError, match=rf"elman\[{engine}\]"), reserved(settings):
        pass


@pytest.mark.parametrize(
    ("engine", "signature"), [("onnx", "serving_default"), ("litert", "stream_step")]
)
def test_threads_get_their_own_answers(rich: Path, engine: Any, signature: str) -> None:
    ours, theirs = (opened("m", 1, rich, None, e) for e in (engine, "tensorflow"))
    feeds = [drawn(ours, signature, 1 + seed % 4, seed) for seed in range(40)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda feed: ours.run(signature, feed), feeds))
    for feed, answer in zip(feeds, answers, strict=True):
        close(answer, theirs.run(signature, feed))
