"""`ServedModel`: which versions of which model are served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from serving.status import Code, ServingError

PLATFORM = "tensorflow"


@dataclass(frozen=True)
class VersionPolicy:
    """Which of the versions on disk are served: the newest `latest`, all, or `specific` ones.

    Attributes:
        latest: How many of the newest; 0 for another policy.
        specific: Exactly these; empty for another policy.
    """

    latest: int = 1
    specific: tuple[int, ...] = ()

    @classmethod
    def newest(cls, count: int = 1) -> VersionPolicy:
        """The newest `count` versions."""
        return cls(latest=max(count, 1))

    @classmethod
    def all(cls) -> VersionPolicy:
        """Every version."""
        return cls(latest=0)

    @classmethod
    def only(cls, *versions: int) -> VersionPolicy:
        """These versions and no other."""
        return cls(latest=0, specific=tuple(sorted(set(versions))))


@dataclass(frozen=True)
class ServedModel:
    """A model to serve.

    Attributes:
        name: Under which requests ask for it.
        base_path: Folder that holds a folder for each version, named by its number.
        policy: Which versions are served.
        labels: Names for versions, such as `{"stable": 3}`.
    """

    name: str
    base_path: Path
    policy: VersionPolicy = VersionPolicy()
    labels: Mapping[str, int] = field(default_factory=dict)


def models_from_config(text: str) -> tuple[ServedModel, ...]:
    """The models of a `models.config`: a ModelServerConfig in protobuf's text format.

    Raises:
        ServingError: If it cannot be parsed, or says what cannot be.
    """
    from tensorflow_serving.config import model_server_config_pb2

    try:
        proto = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    except text_format.ParseError as error:
        raise ServingError(
            Code.INVALID_ARGUMENT, f"not a ModelServerConfig in text format: {error}"
        ) from error
    return models_from_proto(proto)


def models_from_proto(proto: Any) -> tuple[ServedModel, ...]:
    """The models of a ModelServerConfig.

    Raises:
        ServingError: If it says what cannot be.
    """
    return tuple(_model(config) for config in proto.model_config_list.config)


def _model(config: Any) -> ServedModel:
    return ServedModel(
        name=config.name,
        base_path=Path(config.base_path),
        policy=_policy(config.model_version_policy),
        labels=dict(config.version_labels),
    )


def _policy(proto: Any) -> VersionPolicy:
    choice = proto.WhichOneof("policy_choice")
    if choice == "all":
        return VersionPolicy.all()
    if choice == "specific":
        return VersionPolicy.only(*proto.specific.versions)
    return VersionPolicy.newest(proto.latest.num_versions)
