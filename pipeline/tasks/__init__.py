"""What differs between tasks in a run: the graph, the data, and how they are told."""

from __future__ import annotations

from pipeline.config import LoadedConfig, SequenceConfig
from pipeline.tasks.task import Task


def task_of(loaded: LoadedConfig) -> Task:
    """The task of a configuration."""
    if isinstance(loaded.config, SequenceConfig):
        from pipeline.tasks.sequences import SequenceTask

        return SequenceTask(loaded, loaded.config)
    from pipeline.tasks.forecast import ForecastTask

    return ForecastTask(loaded, loaded.config)
