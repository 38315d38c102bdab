"""What servers are started with."""

from __future__ import annotations

from pathlib import Path

from tests.serving.conftest import ModelFamily
from tests.serving.contract.engines import Setup

TWO_VERSIONS = "saved_model_half_plus_two_2_versions"
"""The model that most of TF Serving's tests ask: half_plus_two, as versions 123 and 124."""
BATCHING = """
max_batch_size { value: 128 }
batch_timeout_micros { value: 1000 }
max_enqueued_batches { value: 1000 }
num_batch_threads { value: 2 }
"""


def entry(name: str, folder: str | None = None, more: str = "") -> str:
    """A `config` of models.config."""
    base = f"{{root}}/{folder or name}"
    return f'config {{ name: "{name}" base_path: "{base}" model_platform: "tensorflow" {more} }}'


def specific(*versions: int) -> str:
    """The version policy that serves these."""
    listed = " ".join(f"versions: {version}" for version in versions)
    return f"model_version_policy {{ specific {{ {listed} }} }}"


ALL = "model_version_policy { all {} }"


def latest(count: int) -> str:
    """The version policy that serves the newest `count`."""
    return f"model_version_policy {{ latest {{ num_versions: {count} }} }}"


def labels(**versions: int) -> str:
    """Labels for versions."""
    return " ".join(
        f'version_labels {{ key: "{label}" value: {version} }}'
        for label, version in versions.items()
    )


def half_plus_two(family: ModelFamily, batching: str | None = None) -> Setup:
    """half_plus_two as `default`, version 123."""
    return Setup(entry("default"), {("default", 123): family.half_plus_two}, batching=batching)


def everything(family: ModelFamily) -> Setup:
    """All models that tests only ask and never change, by what they are."""
    once: dict[str, Path] = {
        "default": family.half_plus_two,
        "half_plus_two": family.half_plus_two,
        "half_plus_three": family.half_plus_three,
        "tf2": family.half_plus_two_tf2,
        "no_default": family.no_default,
        "counter": family.counter,
        "classifier": family.classifier,
    }
    two = specific(123, 124) + labels(version_label_1=123, version_label_2=124)
    return Setup(
        " ".join([*map(entry, once), entry(TWO_VERSIONS, more=two)]),
        {
            **{(name, 123): source for name, source in once.items()},
            (TWO_VERSIONS, 123): family.half_plus_two,
            (TWO_VERSIONS, 124): family.half_plus_two,
        },
    )
