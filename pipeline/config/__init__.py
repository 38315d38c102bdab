"""The configuration file: strict, frozen, and clear about what is wrong with it."""

from pipeline.config.config import Config
from pipeline.config.dump import dumps
from pipeline.config.flat import flat
from pipeline.config.loading import AnyConfig, LoadedConfig, load, loads
from pipeline.config.sequence_config import SequenceConfig

__all__ = [
    "AnyConfig",
    "Config",
    "LoadedConfig",
    "SequenceConfig",
    "dumps",
    "flat",
    "load",
    "loads",
]
