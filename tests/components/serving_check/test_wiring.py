from __future__ import annotations

import pytest


@pytest.mark.slow
def test_the_executor_marks_the_blessing_as_tfx_does(monkeypatch, tmp_path):
    from tfx import types
    from tfx.types import standard_artifacts

    from components.serving_check import executor
    from components.serving_check.check import CheckReport
    from components.serving_check.component import serving_check

    node = serving_check(types.Channel(type=standard_artifacts.Model))
    assert node.id == "serving_check"
    assert node.outputs["blessing"].type is standard_artifacts.InfraBlessing
    assert len(node.exec_properties["source_digest"]) == 32

    for passed in (True, False):
        model, blessing = standard_artifacts.Model(), standard_artifacts.InfraBlessing()
        model.uri, blessing.uri = str(tmp_path / "model"), str(tmp_path / f"out-{passed}")
        seen = []

        def check(saved_model, verification, output, passed=passed, seen=seen):
            seen.extend([saved_model, verification, output])
            return CheckReport(passed, 0.0, ())

        monkeypatch.setattr(executor, "check_artifact", check)
        executor.Executor().Do(
            {"model": [model]}, {"blessing": [blessing]}, dict(node.exec_properties)
        )
        assert seen == [
            tmp_path / "model" / "Format-Serving",
            tmp_path / "model" / "verification.npz",
            tmp_path / f"out-{passed}",
        ]
        assert blessing.get_int_custom_property("blessed") == int(passed)
