"""`write_status` and `write_metadata`: what is known of a model, as protobuf prints it as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serving.engine.version_status import VersionStatus


def write_status(versions: Sequence[VersionStatus]) -> bytes:
    """A GetModelStatusResponse: every field, 64-bit numbers as strings."""
    return _printed(
        {
            "model_version_status": [
                {
                    "version": str(status.version),
                    "state": status.state.name,
                    "status": {
                        "error_code": status.code.name,
                        "error_message": status.message,
                    },
                }
                for status in versions
            ]
        }
    )


def write_metadata(name: str, version: int, signature_defs: Mapping[str, Any]) -> bytes:
    """A GetModelMetadataResponse with the field signature_def.

    Args:
        name: The model.
        version: The version that `signature_defs` is of.
        signature_defs: SignatureDef messages by name.
    """
    from google.protobuf import json_format

    return _printed(
        {
            "model_spec": {"name": name, "signature_name": "", "version": str(version)},
            "metadata": {
                "signature_def": {
                    "signature_def": {
                        key: json_format.MessageToDict(
                            definition,
                            preserving_proto_field_name=True,
                            always_print_fields_with_no_presence=True,
                        )
                        for key, definition in signature_defs.items()
                    }
                }
            },
        }
    )


def _printed(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode("ascii")
