"""Models for the tests of the server, each built once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class ModelFamily:
    """SavedModels in folders of their own, built when first asked for; not to be changed.

    Every attribute is a *version* directory; `copy_version` puts it where a server looks.
    """

    root: Path

    @cached_property
    def half_plus_two(self) -> Path:
        return self._family.half_plus(self.root / "half_plus_two" / "00000123")

    @cached_property
    def half_plus_three(self) -> Path:
        return self._family.half_plus(self.root / "half_plus_three" / "00000123", 3.0)

    @cached_property
    def half_plus_ten(self) -> Path:
        return self._family.half_plus(self.root / "half_plus_ten" / "00000123", 10.0)

    @cached_property
    def main_op(self) -> Path:
        """half_plus_two with a main op that initialises tables too."""
        return self._family.half_plus(self.root / "main_op" / "00000123", init=True)

    @cached_property
    def regress_by_default(self) -> Path:
        """half_plus_two whose serving_default is a regression."""
        method = self._family.REGRESS
        return self._family.half_plus(self.root / "regress" / "1", default_method=method)

    @cached_property
    def classify_by_default(self) -> Path:
        """half_plus_two whose serving_default is a classification."""
        method = self._family.CLASSIFY
        return self._family.half_plus(self.root / "classify" / "1", default_method=method)

    @cached_property
    def no_default(self) -> Path:
        """half_plus_two without serving_default."""
        only = ["regress_x_to_y", "classify_x_to_y"]
        return self._family.half_plus(self.root / "no_default" / "1", only=only)

    @cached_property
    def half_plus_two_tf2(self) -> Path:
        """half_plus_two from TensorFlow 2."""
        return self._family.half_plus_two_tf2(self.root / "tf2" / "00000123")

    @cached_property
    def counter(self) -> Path:
        return self._family.counter(self.root / "counter" / "00000123")

    @cached_property
    def classifier(self) -> Path:
        return self._family.classifier(self.root / "classifier" / "1")

    @cached_property
    def broken(self) -> Path:
        """A version directory whose `saved_model.pb` cannot be read."""
        directory = self.root / "broken" / "00000123"
        (directory / "variables").mkdir(parents=True)
        (directory / "saved_model.pb").write_bytes(b"\xff\xff not a SavedModel")
        return directory

    @property
    def _family(self) -> Any:
        from tests.serving.contract import half_plus_two

        return half_plus_two


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> ModelFamily:
    """The models, under one folder of the session."""
    return ModelFamily(tmp_path_factory.mktemp("models"))
