"""Before a push every engine has to answer as the SavedModel does."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.serving_check.blessing import check_artifact
from components.serving_check.check import check_serving
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore
from tests.models.export.engine_cases import EVERYTHING, described, trained

SPEC = WindowSpec(lookback=5, horizon=2, gap=1)
ROWS = 30


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with the files of both engines, and its verification."""
    return exported(tmp_path_factory.mktemp("model"), seed=3)


def exported(folder: Path, seed: int) -> Path:
    from models.export.engine_files import write_engine_file
    from models.export.saved_model import export_forecaster
    from models.export.verification import write_verification
    from models.network.config import ModelConfig

    network = trained(SPEC, EVERYTHING, ModelConfig(units=(3,)), "MS", seed)
    about, stepper = described(network, SPEC, EVERYTHING, "MS")
    model = folder / "Format-Serving"
    export_forecaster(
        network, model, spec=SPEC, roles=EVERYTHING, frequency="MS", metadata={}, engine="onnx"
    )
    write_engine_file("litert", network, stepper, about, model)
    width = len(EVERYTHING.dynamic)
    values = np.random.default_rng(0).normal(3, 2, (ROWS, width)).astype(np.float32)
    time = np.arange("2000-01", "2002-07", dtype="datetime64[M]").astype("datetime64[s]")
    store = SeriesStore(
        spec=SPEC,
        roles=EVERYTHING,
        frequency="MS",
        values=values,
        observed=np.ones((ROWS, width), bool),
        time=time.astype(np.int64),
        segments=np.array([[0, 0, ROWS]], np.int64),
        series=("",),
        static={"area": (2.0,), "region": ("north",)},
        origins={"test": np.arange(4, 26, dtype=np.int64)},
        boundaries=(0, 1, 2, 3),
    )
    write_verification(network, store.view("test"), folder / "verification.npz", n=4)
    return folder


def passed(report: Any) -> dict[str, bool]:
    return {check["name"]: check["passed"] for check in report.checks}


@pytest.mark.slow
def test_every_engine_is_compared_with_the_saved_model(artifact: Path) -> None:
    report = check_serving(artifact / "Format-Serving", artifact / "verification.npz")
    assert report.passed, report.failures
    for engine in ("model.onnx", "step.tflite"):
        for rows in (1, 4):
            for target in ("CO2_ppm", "a_b"):
                assert passed(report)[f"{engine}, batch {rows}: {target} values"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "file", ["model.onnx", pytest.param("step.tflite", marks=pytest.mark.nightly)]
)
def test_an_engine_that_forecasts_otherwise_is_not_blessed(
    artifact: Path, file: str, tmp_path: Path
) -> None:
    other = exported(tmp_path / "other", seed=4)
    model = tmp_path / "model"
    shutil.copytree(artifact / "Format-Serving", model)
    shutil.copy(other / "Format-Serving" / file, model)
    report = check_artifact(model, artifact / "verification.npz", tmp_path / "blessing")
    assert not report.passed
    assert {failure.partition(",")[0] for failure in report.failures} == {file}
    assert all("differs from the SavedModel by" in failure for failure in report.failures)
    assert (tmp_path / "blessing" / "INFRA_NOT_BLESSED").exists()


@pytest.mark.slow
def test_files_that_do_not_run_are_failed_checks(artifact: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(artifact / "Format-Serving", model)
    for file in ("model.onnx", "step.tflite"):
        (model / file).write_bytes(b"nothing of the kind")
    report = check_serving(model, artifact / "verification.npz")
    failed = [name for name, good in passed(report).items() if not good]
    assert failed == [
        f"{file}, batch {rows}: answers"
        for file in ("model.onnx", "step.tflite")
        for rows in (1, 4)
    ]
