"""A configuration as YAML that `load` reads back to an equal one."""

from __future__ import annotations

import yaml

from pipeline.config.config import Config
from pipeline.config.document import ConfigDumper


def dumps(config: Config) -> str:
    """`config` as YAML with every value written, defaults included."""
    return yaml.dump(
        config.model_dump(mode="json"),
        Dumper=ConfigDumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=100,
    )
