"""Sequence models behind a server: strings and padding, both protocols, requests put together."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving.batching.settings import BatchingSettings
from serving.inference.target import Target
from serving.status import Code, ServingError
from tests.models.sequences.stores import store_of
from tests.models.sequences.tiny_core import TinyCore
from tests.serving.conftest import Start
from tests.serving.contract import messages
from tests.serving.contract.engines import Running, Setup
from tests.serving.contract.half_plus_two import copy_version
from tests.serving.contract.setups import entry
from tests.serving.event_loop import run
from tests.serving.inference.served import serving

KINDS = ("classify_text", "tag", "next_symbols")
TEXTS = ["GOOD film, bad film", "", "nobody knows this"]
SEQUENCES = [
    (["the", "old", "man"], ["a", "b", "c"], [1.0, 2.0, 3.0]),
    (["boat"], ["a"], [4.0]),
    (["man", "the"], ["x", "y"], [0.5, -1.0]),
]


@pytest.fixture(scope="module")
def sequence_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Versions of sequence models, by kind."""
    from models.sequences.export.saved_model import export_sequence_model

    made = {}
    for kind in KINDS:
        store = store_of(kind)
        made[kind] = tmp_path_factory.mktemp(kind) / "1"
        export_sequence_model(
            TinyCore(store),
            made[kind],
            spec=store.spec,
            classes=store.classes,
            vocabularies=store.vocabularies,
            metadata={},
        )
    return made


@pytest.fixture(scope="module")
def server(
    start: Start, sequence_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    models = " ".join(entry(kind) for kind in KINDS)
    # Requests wait for one another, and are padded to the longest of a batch.
    batching = (
        "max_batch_size { value: 16 } batch_timeout_micros { value: 20000 } "
        "pad_variable_length_inputs: true"
    )
    versions = {(kind, 1): folder for kind, folder in sequence_models.items()}
    running = start(tmp_path_factory.mktemp("server"), Setup(models, versions, batching=batching))
    yield running
    running.stop()


def alone(version: Path, signature: str = "serving_default", **inputs: Any) -> dict[str, Any]:
    """What the model itself says."""
    loaded = tf.saved_model.load(str(version))
    out = loaded.signatures[signature](**{k: tf.constant(v) for k, v in inputs.items()})
    return {
        k: np.char.decode(v.numpy().astype("S"), "utf-8") if v.dtype == tf.string else v.numpy()
        for k, v in out.items()
    }


def padded(rows: list[Any]) -> dict[str, Any]:
    """Sequences as inputs, padded with what must not matter."""
    longest = max(len(words) for words, _, _ in rows)
    return {
        "word": [[*words, *["the"] * (longest - len(words))] for words, _, _ in rows],
        "form": [[*forms, *[""] * (longest - len(forms))] for _, forms, _ in rows],
        "size": [[*sizes, *[9.0] * (longest - len(sizes))] for _, _, sizes in rows],
        "length": [len(words) for words, _, _ in rows],
    }


def test_rest_answers_texts_and_padded_sequences_in_both_formats(
    server: Running, sequence_models: dict[str, Path]
) -> None:
    def post(model: str, body: object, status: int = 200) -> Any:
        got, _, answer = server.rest("POST", f"/v1/models/{model}:predict", body)
        assert got == status, answer
        return json.loads(answer)

    want = alone(sequence_models["classify_text"], Der_Text=TEXTS)
    for instances in (TEXTS, [{"Der_Text": text} for text in TEXTS]):
        rows = post("classify_text", {"instances": instances})["predictions"]
        for row, answer in enumerate(rows):
            assert answer["label"] == want["label"][row]
            assert answer["classes"] == ["+", "-"]
            np.testing.assert_allclose(answer["probabilities"], want["probabilities"][row], 1e-5)
    columns = post("classify_text", {"inputs": TEXTS})["outputs"]
    np.testing.assert_allclose(columns["probabilities"], want["probabilities"], 1e-5)
    assert columns["label"] == list(want["label"])

    feed = padded(SEQUENCES)
    columns = post("tag", {"inputs": feed})["outputs"]
    instances = [{k: v[i] for k, v in feed.items()} for i in range(3)]
    rows = post("tag", {"instances": instances})["predictions"]
    for i, one in enumerate(SEQUENCES):
        want = alone(sequence_models["tag"], **padded([one]))
        steps = len(one[0])
        for answer in (rows[i], {k: v[i] for k, v in columns.items()}):
            assert answer["label"] == [*want["label"][0], *[""] * (3 - steps)]
            assert answer["classes"] == ["A", "D", "N"]
            np.testing.assert_allclose(
                answer["probabilities"][:steps], want["probabilities"][0], 1e-5
            )
            assert answer["probabilities"][steps:] == [[0, 0, 0]] * (3 - steps)

    refused = post("tag", {"inputs": {**feed, "length": [4, 1, 2]}}, 400)
    assert "length must be from 1" in refused["error"]
    assert (
        "length must be from 1"
        in post("tag", {"inputs": {**feed, "length": [3, 0, 2]}}, 400)["error"]
    )


def test_grpc_answers_strings_and_samples_again_what_it_sampled(
    server: Running, sequence_models: dict[str, Path]
) -> None:
    def ask(model: str, inputs: dict[str, Any], signature: str = "") -> dict[str, Any]:
        request = messages.predict(
            messages.spec(model, signature),
            {name: tf.make_tensor_proto(value) for name, value in inputs.items()},
        )
        answer = server.prediction.Predict(request, timeout=messages.SECONDS)
        return {name: tf.make_ndarray(value) for name, value in answer.outputs.items()}

    got = ask("classify_text", {"Der_Text": np.array(TEXTS, object)})
    want = alone(sequence_models["classify_text"], Der_Text=TEXTS)
    np.testing.assert_allclose(got["probabilities"], want["probabilities"], 1e-5)
    assert [label.decode() for label in got["label"]] == list(want["label"])
    assert got["classes"].tolist() == [[b"+", b"-"]] * 3

    prefix = {
        "sym": np.array([[b"B", b"T", b"X"], [b"B", b"", b""]], object),
        "length": np.array([3, 1], np.int32),
    }
    following = ask("next_symbols", prefix)
    np.testing.assert_allclose(following["next_probabilities"].sum(axis=1), 1, 1e-5)
    asked = {
        **prefix,
        "steps": np.array([5, 9], np.int32),
        "temperature": np.array([1.0, 0.5], np.float32),
        "seed": np.array([3, -4], np.int64),
    }
    first, again = (ask("next_symbols", asked, "sample")["symbols"] for _ in range(2))
    assert first.tolist() == again.tolist()
    one = ask("next_symbols", {k: v[:1] for k, v in asked.items()}, "sample")["symbols"]
    assert one[0].tolist() == first[0, :5].tolist()
    assert first[0, 5:].tolist() == [b""] * 4


def test_requests_of_other_lengths_run_together_and_none_notices(
    sequence_models: dict[str, Path], tmp_path: Path
) -> None:
    copy_version(sequence_models["tag"], tmp_path, 1)
    # Nothing runs before the batch is full, so these do run together.
    settings = BatchingSettings(
        max_batch_size=4,
        batch_timeout_micros=30_000_000,
        start_when_idle=False,
        pad_variable_length_inputs=True,
    )

    def arrays(rows: list[Any]) -> dict[str, Any]:
        feed = padded(rows)
        return {
            "word": np.array(feed["word"], object),
            "form": np.array(feed["form"], object),
            "size": np.array(feed["size"], np.float32),
            "length": np.array(feed["length"], np.int32),
        }

    async def go() -> None:
        async with serving(tmp_path, settings) as (_, inference):
            requests = [SEQUENCES[:1], SEQUENCES[1:2], SEQUENCES[1:]]
            got = await asyncio.gather(
                *(inference.predict(Target("m"), arrays(rows)) for rows in requests)
            )
            for rows, answer in zip(requests, got, strict=True):
                want = alone(sequence_models["tag"], **padded(rows))
                time = want["label"].shape[1]
                probabilities = answer.outputs["probabilities"]
                assert probabilities.shape[1] == 3, "they did not run together"
                np.testing.assert_allclose(probabilities[:, :time], want["probabilities"], 1e-5)
                assert (probabilities[:, time:] == 0).all()
                assert (answer.outputs["label"][:, time:] == b"").all()
            # One that cannot be read is no reason to fail the others.
            bad = arrays(SEQUENCES[:1]) | {"length": np.array([9], np.int32)}
            asked = [arrays(SEQUENCES[:2]), bad, arrays(SEQUENCES[2:])]
            good, wrong, other = await asyncio.gather(
                *(inference.predict(Target("m"), one) for one in asked), return_exceptions=True
            )
            assert isinstance(wrong, ServingError)
            assert wrong.code is Code.INVALID_ARGUMENT
            assert not isinstance(good, BaseException)
            assert not isinstance(other, BaseException)

    run(go())


def test_every_signature_is_warm_before_a_model_is_ready(
    sequence_models: dict[str, Path],
) -> None:
    from serving.engine.warmup import replay

    asked: list[Any] = []
    replay(sequence_models["next_symbols"], asked.append)
    loaded = tf.saved_model.load(str(sequence_models["next_symbols"]))
    names = [log.predict_log.request.model_spec.signature_name for log in asked]
    assert sorted(names) == sorted(loaded.signatures)
    assert {"sample", "stream_init", "stream_step"} <= set(names)
    for log in asked:
        request = log.predict_log.request
        inputs = {k: tf.constant(tf.make_ndarray(v)) for k, v in request.inputs.items()}
        assert loaded.signatures[request.model_spec.signature_name](**inputs)
