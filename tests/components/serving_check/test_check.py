from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from components.serving_check.blessing import check_artifact
from components.serving_check.check import check_serving
from components.tracking.recorder import SilentRecorder, use
from models.errors import FailedRunError
from models.features.scaling import Scaling
from models.network.config import ModelConfig
from models.roles import Covariates, Roles
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore

SPEC = WindowSpec(lookback=5, horizon=2)
ROLES = Roles(
    targets=("CO2 (ppm)",),
    covariates=Covariates(static=("site",), calendar=("month_of_year",)),
)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    from models.export.saved_model import export_forecaster
    from models.export.verification import write_verification
    from models.network.build import build_forecaster

    folder = tmp_path_factory.mktemp("model")
    model = build_forecaster(
        spec=SPEC,
        roles=ROLES,
        # A cell of our own: what loads it knows nothing of its class.
        model=ModelConfig(cell="second_order", units=(3,)),
        scaling=Scaling.of({"CO2 (ppm)": (350.0, 10.0)}),
        frequency="MS",
        vocabularies={"site": ("mlo", "spo")},
        seed=2,
    )
    rows = 30
    time = np.arange("2000-01", "2002-07", dtype="datetime64[M]").astype("datetime64[s]")
    store = SeriesStore(
        spec=SPEC,
        roles=ROLES,
        frequency="MS",
        values=np.random.default_rng(0).normal(350, 10, (rows, 1)).astype(np.float32),
        observed=np.ones((rows, 1), bool),
        time=time.astype(np.int64),
        segments=np.array([[0, 0, rows]], np.int64),
        series=("",),
        static={"site": ("mlo",)},
        origins={"test": np.arange(4, 28, dtype=np.int64)},
        boundaries=(0, 1, 2, 3),
    )
    export_forecaster(
        model,
        folder / "Format-Serving",
        spec=SPEC,
        roles=ROLES,
        frequency="MS",
        metadata={},
    )
    write_verification(model, store.view("test"), folder / "verification.npz", n=5)
    return folder


def files(artifact):
    return artifact / "Format-Serving", artifact / "verification.npz"


class Listener(SilentRecorder):
    def __init__(self):
        self.warnings = []
        self.seen = {}

    def warn(self, text):
        self.warnings.append(text)

    def metrics(self, values, step=None):
        self.seen.update(values)


def test_a_fresh_process_without_elman_gets_the_forecasts_of_training(artifact, tmp_path):
    listener = Listener()
    with use(listener):
        report = check_artifact(*files(artifact), tmp_path / "blessing")
    assert report.passed, report.failures
    assert report.max_error < 1e-5
    names = [c["name"] for c in report.checks]
    assert names[0] == "isolated"
    for label in (
        "portable",
        "cpu",
        "serving_default, batch 1: CO2_ppm values",
        "serving_default, batch 5: CO2_ppm values",
        "serve_examples, batch 1: CO2_ppm values",
        "serve_examples, batch 5: CO2_ppm values",
        "stream_step: CO2_ppm values",
    ):
        assert label in names
    assert sorted(p.name for p in (tmp_path / "blessing").iterdir()) == [
        "INFRA_BLESSED",
        "check.json",
    ]
    assert listener.seen == {"serving_check_max_error": report.max_error}


def test_other_values_are_not_blessed_and_the_reason_is_kept(artifact, tmp_path):
    with np.load(artifact / "verification.npz") as stored:
        arrays = dict(stored)
    arrays["output.CO2_ppm"] = arrays["output.CO2_ppm"] * np.float32(1.001)
    changed = tmp_path / "verification.npz"
    np.savez(changed, **arrays)
    listener = Listener()
    with use(listener):
        report = check_artifact(files(artifact)[0], changed, tmp_path / "blessing")
    assert not report.passed
    assert 5e-4 < report.max_error < 2e-3
    kept = json.loads((tmp_path / "blessing" / "check.json").read_text())
    assert any("differs from the training process" in f for f in kept["failures"])
    assert (tmp_path / "blessing" / "INFRA_NOT_BLESSED").exists()
    assert not (tmp_path / "blessing" / "INFRA_BLESSED").exists()
    assert listener.warnings


def test_streaming_that_forecasts_otherwise_is_not_blessed(artifact, tmp_path):
    with np.load(artifact / "verification.npz") as stored:
        arrays = dict(stored)
    arrays["stream.time"] = arrays["stream.time"] + 90 * 86400
    changed = tmp_path / "verification.npz"
    np.savez(changed, **arrays)
    report = check_serving(files(artifact)[0], changed)
    assert [f.partition(":")[0] for f in report.failures] == ["stream_step"]


def test_a_model_that_does_not_load_is_not_blessed(artifact, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(files(artifact)[0], broken)
    (broken / "variables" / "variables.index").unlink()
    report = check_serving(broken, files(artifact)[1])
    assert not report.passed
    assert any(f.startswith("loads:") for f in report.failures)


def test_missing_files_and_a_process_that_cannot_start_are_failed_runs(artifact, tmp_path):
    model, verification = files(artifact)
    with pytest.raises(FailedRunError, match="missing"):
        check_serving(model, tmp_path / "none.npz")
    with pytest.raises(FailedRunError, match="does not start"):
        check_serving(model, verification, python=str(tmp_path / "no-python"))
    with pytest.raises(FailedRunError, match="ended with code"):
        check_serving(model, verification, python=shutil.which("false") or "/bin/false")
    with pytest.raises(FailedRunError, match="did not finish"):
        check_serving(model, verification, timeout=0.05)


def test_the_check_refuses_a_process_that_can_import_elman():
    from components.serving_check import probe

    checks = probe.Checks()
    assert not probe.elman_is_absent(checks)
    assert "models" in checks.results[0]["detail"]
    for name in ("models", "models.errors", "components", "pipeline", "serving.rest"):
        with pytest.raises(ImportError, match="without Elman"):
            probe.Guard().find_spec(name)
    assert probe.Guard().find_spec("modelscope") is None
