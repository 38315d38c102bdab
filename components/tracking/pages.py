"""Where MLflow's pages show runs."""

from __future__ import annotations

from urllib.parse import quote

_TRAINING = "workflowType=machine_learning"
"""Pages for training; without it MLflow shows those for prompts, where runs are hard to find."""


def runs_page(experiment_id: str) -> str:
    """The list of runs, relative to MLflow's address."""
    return f"#/experiments/{experiment_id}/runs?{_TRAINING}"


def run_page(experiment_id: str, run_id: str, path: str = "") -> str:
    """A run, or a file of it: relative to MLflow's address and to any of its pages.

    Args:
        experiment_id: Of the run.
        run_id: The run.
        path: The artifact; empty for the run itself.
    """
    file = f"/artifacts/{quote(path)}" if path else ""
    return f"#/experiments/{experiment_id}/runs/{run_id}{file}?{_TRAINING}"
