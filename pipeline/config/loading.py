"""A configuration file, validated, with its paths resolved."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from components.secrets import scrubbed
from components.tracking.store import default_uri
from models.errors import BadInputError
from pipeline.config.config import Config
from pipeline.config.document import Document, parse, read
from pipeline.config.explain import explained, unknown_keys
from pipeline.config.sequence_config import SequenceConfig
from pipeline.config.task import SEQUENCE_TASKS

AnyConfig = Config | SequenceConfig


@dataclass(frozen=True)
class LoadedConfig:
    """A configuration and where it stands: every relative path starts at its folder.

    Attributes:
        config: The configuration, as written.
        path: Absolute path of the file.
    """

    config: AnyConfig
    path: Path

    @property
    def folder(self) -> Path:
        """The folder of the file, from which relative paths start."""
        return self.path.parent

    @property
    def digest(self) -> str:
        """Digest of the canonical configuration; see `Config.digest`."""
        return self.config.digest

    @property
    def workspace(self) -> Path:
        """The folder that holds all state: artifacts, metadata, tracking, versions."""
        return self.resolve(self.config.workspace)

    @property
    def serving_directory(self) -> Path:
        """The model directory for TF Serving; versions are its numbered subfolders."""
        given = self.config.serving.directory
        return self.resolve(given) if given else self.workspace / "serving" / self.config.name

    @property
    def request_log_directory(self) -> Path:
        """Where the embedded server keeps a sample of its requests, if it is told to."""
        log = self.config.serving.request_log
        given = None if log is None else log.directory
        return self.resolve(given) if given else self.workspace / "requests" / self.config.name

    @property
    def schema_path(self) -> Path:
        """The data schema, beside the configuration unless it says otherwise."""
        given = self.config.schema_file
        return self.resolve(given) if given else self.folder / f"{self.path.stem}.schema.pbtxt"

    @property
    def data_path(self) -> Path | None:
        """File or glob of the data, absolute; None where it is a database or several files."""
        given = self.config.data.path
        return self.resolve(given) if isinstance(given, str) else None

    @property
    def forecast(self) -> Config:
        """The configuration of a forecast.

        Raises:
            BadInputError: If the task is another one.
        """
        if isinstance(self.config, Config):
            return self.config
        raise BadInputError(
            f"{self.path}: task: received {self.config.task!r}, but this needs a forecast"
        )

    @property
    def tracking_uri(self) -> str:
        """MLflow's store; `${NAME}` in it is still to be taken from the environment."""
        given = self.config.tracking.uri
        return default_uri(self.workspace) if given is None else _anchored(given, self.folder)

    @property
    def experiment(self) -> str:
        """MLflow's experiment: the configured one, else the pipeline's name."""
        return self.config.tracking.experiment or self.config.name

    def resolve(self, path: str) -> Path:
        """`path` from the configuration as an absolute path, `~` expanded."""
        return Path(os.path.normpath(self.folder / Path(path).expanduser()))


def load(path: Path | str) -> LoadedConfig:
    """The validated configuration in the file `path`.

    Raises:
        BadInputError: If the file cannot be read or is not a valid configuration: one line for
            each problem, `co2.yaml:14: train.epochs: received 'many', expected ...`.
    """
    given = Path(path)
    return LoadedConfig(validated(read(given)), _absolute(given))


def loads(text: str, *, path: Path | str = "config.yaml") -> LoadedConfig:
    """The validated configuration in `text`, as if it stood in the file `path`.

    Raises:
        BadInputError: As `load` does.
    """
    given = Path(path)
    return LoadedConfig(validated(parse(text, str(given))), _absolute(given))


def validated(document: Document) -> AnyConfig:
    """The configuration that `document` says; its key `task` decides which keys there are.

    Raises:
        BadInputError: With one line for each problem, in the order of the file.
    """
    kind: type[Config] | type[SequenceConfig]
    kind = SequenceConfig if document.data.get("task") in SEQUENCE_TASKS else Config
    other = Config if kind is SequenceConfig else SequenceConfig
    data, found = unknown_keys(document, kind, other)
    try:
        config = kind.model_validate(data)
    except ValidationError as error:
        found += explained(error, document, kind)
    else:
        if not found:
            return config
    raise BadInputError(scrubbed("\n".join(sorted(found, key=_line_number))))


def _absolute(path: Path) -> Path:
    return Path(os.path.normpath(Path.cwd() / path))


def _anchored(url: str, folder: Path) -> str:
    """A sqlite URL of a relative file, made to start at `folder`; other URLs as they are."""
    head, slashes, file = url.partition(":///")
    if not slashes or not head.startswith("sqlite") or not file or file.startswith(("/", ":")):
        return url
    return f"{head}:///{folder / file}"


def _line_number(text: str) -> int:
    for part in text.split(":"):
        if part.isdigit():
            return int(part)
    return 0
