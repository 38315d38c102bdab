"""A configuration as YAML that `load` reads back to an equal one."""

from __future__ import annotations

import yaml

from pipeline.config.document import ConfigDumper
from pipeline.config.loading import AnyConfig


def dumps(config: AnyConfig) -> str:
    """`config` as YAML with every value written, defaults included."""
    return yaml.dump(
        config.model_dump(mode="json"),
        Dumper=ConfigDumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=100,
    )
