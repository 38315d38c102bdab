"""MLflow, loaded when it is needed, without its chatter and without a word home."""

from __future__ import annotations

import logging
import os
import warnings
from typing import Any

QUIET = {
    # Usage statistics are off unless a person turns them on.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # Otherwise every log of a model looks for a uv project in the current folder and copies it.
    "MLFLOW_UV_AUTO_DETECT": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


def load() -> Any:
    """The `mlflow` module; the first call takes seconds, so make it only when tracking starts.

    Environment variables that are set already are left as they are.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
    # Importing MLflow configures its loggers anew.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return mlflow
