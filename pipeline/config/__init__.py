"""The configuration file: strict, frozen, and clear about what is wrong with it."""

from pipeline.config.config import Config
from pipeline.config.dump import dumps
from pipeline.config.flat import flat
from pipeline.config.loading import LoadedConfig, load, loads

__all__ = ["Config", "LoadedConfig", "dumps", "flat", "load", "loads"]
