from __future__ import annotations

import json

import numpy as np
import pytest

from components.serving_check import sequence_probe
from components.serving_check.check import check_serving
from components.serving_check.probe import Checks, serialized
from tests.models.sequences.stores import KINDS, store_of

LOADED = {}


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    """By kind, the folder of a model; each is made when it is first asked for."""
    from models.sequences.export.saved_model import export_sequence_model
    from models.sequences.export.verification import write_sequence_verification
    from tests.models.sequences.tiny_core import TinyCore

    root = tmp_path_factory.mktemp("models")

    def folder(kind):
        if not (root / kind).exists():
            store = store_of(kind)
            # One of the two next_step models reads all again for each symbol that it samples.
            core = TinyCore(store, steps=kind != "next_symbols")
            export_sequence_model(
                core,
                root / kind / "Format-Serving",
                spec=store.spec,
                classes=store.classes,
                vocabularies=store.vocabularies,
                metadata={},
            )
            write_sequence_verification(core, store.view("test"), root / kind / "verification.npz")
        return root / kind

    return folder


def probed(folder, **changes):
    """What the probe says in this process, after changes to what is stored."""
    import tensorflow as tf

    if folder not in LOADED:
        LOADED[folder] = tf.saved_model.load(str(folder / "Format-Serving"))
    about = json.loads((folder / "Format-Serving" / "assets.extra" / "elman.json").read_text())
    with np.load(folder / "verification.npz") as arrays:
        stored = dict(arrays)
    for name, change in changes.items():
        stored[name.replace("__", ".")] = change(stored[name.replace("__", ".")])
    checks = Checks()
    worst = sequence_probe.probe_sequences(
        checks, LOADED[folder].signatures, about, stored, serialized
    )
    return worst, {c["name"]: c["detail"] for c in checks.results if not c["passed"]}, checks


def test_a_fresh_process_without_elman_gets_the_answers_of_training(artifact):
    folder = artifact("next_text")
    report = check_serving(folder / "Format-Serving", folder / "verification.npz")
    assert report.passed, report.failures
    assert report.max_error < 1e-5
    assert {c["name"] for c in report.checks} >= {
        "isolated",
        "portable",
        "cpu",
        "serving_default, together: values",
        "serve_examples, together: values",
        "stream_step: values",
        "sample: reproducible",
        "sample: symbols",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_sequence_goes_through_every_signature(artifact, kind):
    worst, failures, checks = probed(artifact(kind))
    assert not failures
    assert worst < 1e-5
    names = {c["name"] for c in checks.results}
    requests = [
        f"{signature}, {together}"
        for signature in ("serving_default", "serve_examples")
        for together in ("alone", "together")
    ]
    requests += ["stream_step"] * (kind != "next_symbols")
    wanted = {f"{name}: {what}" for name in requests for what in ("outputs", "values")}
    if kind.startswith("next"):
        wanted |= {"sample: reproducible", "sample: symbols"}
    assert names == wanted


def test_other_probabilities_are_not_blessed(artifact):
    worst, failures, _ = probed(artifact("tag"), output__probabilities=lambda p: p * 0.999)
    assert 1e-4 < worst < 2e-3
    assert set(failures) == {
        "serving_default, alone: values",
        "serving_default, together: values",
        "serve_examples, alone: values",
        "serve_examples, together: values",
        "stream_step: values",
    }


def test_other_names_of_classes_are_not_blessed(artifact):
    worst, failures, _ = probed(artifact("classify_text"), classes=lambda names: names[::-1])
    assert "other names" in failures["serve_examples, together: outputs"]
    assert worst < 1e-5  # of the streamed steps


def test_other_symbols_are_not_blessed(artifact):
    _, failures, _ = probed(artifact("next_text"), input__t=np.char.upper)
    assert "serve_examples, together: outputs" in failures
    _, failures, _ = probed(artifact("next_text"), stream__t=np.char.upper)
    assert set(failures) == {"stream_step: values"}


def test_padding_that_counts_is_not_blessed(artifact):
    # One step less than there are: the last one has to be read, not the first padded one.
    _, failures, _ = probed(
        artifact("next_symbols"), input__length=lambda n: n - 1, steps=lambda n: n - 1
    )
    assert "serving_default, together: values" in failures


def test_unknown_samples_are_not_blessed(artifact):
    _, failures, _ = probed(artifact("next_symbols"), classes=lambda names: np.char.add(names, "'"))
    assert "sample: symbols" in failures
