"""`ServedModel`: which versions of which model are served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from serving.status import Code, ServingError

PLATFORM = "tensorflow"
_TENSORFLOW_TYPE = 1  # ModelType.TENSORFLOW, which older files say instead of the platform


@dataclass(frozen=True)
class VersionPolicy:
    """Which of the versions on disk are served.

    Attributes:
        latest: How many of the newest; None for another policy.
        specific: Exactly these; None for another policy. Both None: all.
    """

    latest: int | None = 1
    specific: frozenset[int] | None = None

    @classmethod
    def newest(cls, count: int = 1) -> VersionPolicy:
        """The newest `count` versions, at least one."""
        return cls(latest=max(count, 1))

    @classmethod
    def all(cls) -> VersionPolicy:
        """Every version."""
        return cls(latest=None)

    @classmethod
    def only(cls, *versions: int) -> VersionPolicy:
        """These versions and no other."""
        return cls(latest=None, specific=frozenset(versions))


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
        ServingError: INVALID_ARGUMENT if it cannot be parsed or cannot be served.
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
        ServingError: INVALID_ARGUMENT if it asks for what cannot be served.
    """
    if proto.WhichOneof("config") == "custom_model_config":
        raise ServingError(
            Code.INVALID_ARGUMENT,
            "got custom_model_config, expected model_config_list: list the models there",
        )
    return checked([_model(config) for config in proto.model_config_list.config])


def checked(models: Sequence[ServedModel]) -> tuple[ServedModel, ...]:
    """`models`, once their names were seen to differ.

    Raises:
        ServingError: INVALID_ARGUMENT if they do not, or one is missing.
    """
    seen: set[str] = set()
    for model in models:
        if not model.name:
            raise ServingError(
                Code.INVALID_ARGUMENT, "a model has no name; give it one in the config list"
            )
        if model.name in seen:
            raise ServingError(
                Code.INVALID_ARGUMENT,
                f"Illegal to list model {model.name} multiple times in config list",
            )
        seen.add(model.name)
    return tuple(models)


def models_to_config(models: Sequence[ServedModel]) -> str:
    """`models` as the text of a `models.config`."""
    from tensorflow_serving.config import model_server_config_pb2

    proto = model_server_config_pb2.ModelServerConfig()
    proto.model_config_list.SetInParent()
    for model in models:
        config = proto.model_config_list.config.add(
            name=model.name, base_path=str(model.base_path), model_platform=PLATFORM
        )
        policy = config.model_version_policy
        if model.policy.specific is not None:
            policy.specific.versions.extend(sorted(model.policy.specific))
            policy.specific.SetInParent()
        elif model.policy.latest is None:
            policy.all.SetInParent()
        else:
            policy.latest.num_versions = model.policy.latest
        for label, version in sorted(model.labels.items()):
            config.version_labels[label] = version
    return text_format.MessageToString(proto)


def _model(config: Any) -> ServedModel:
    if config.model_type and config.model_platform:
        raise ServingError(
            Code.INVALID_ARGUMENT,
            f"model {config.name}: Illegal setting both ModelServerConfig::model_type (deprecated) "
            "and ModelServerConfig::model_platform.",
        )
    if config.model_platform != PLATFORM and config.model_type != _TENSORFLOW_TYPE:
        raise ServingError(
            Code.INVALID_ARGUMENT,
            f"model {config.name}: got model_platform {config.model_platform!r}, expected "
            f"{PLATFORM!r}",
        )
    if not config.base_path:
        raise ServingError(
            Code.INVALID_ARGUMENT, f"model {config.name}: it has no base_path; give it a folder"
        )
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
