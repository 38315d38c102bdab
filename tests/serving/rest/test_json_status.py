"""States and signatures of models, as protobuf prints them."""

from __future__ import annotations

import json

from serving.engine.version_status import State, VersionStatus
from serving.rest.json_status import write_metadata, write_status
from serving.status import Code

VERSIONS = [
    VersionStatus(1753000000, State.AVAILABLE),
    VersionStatus(7, State.END, Code.NOT_FOUND, 'no "saved_model.pb"\n'),
    VersionStatus(3, State.UNKNOWN),
]


def test_status_is_what_protobuf_prints() -> None:
    from google.protobuf import json_format
    from tensorflow_serving.apis import get_model_status_pb2

    response = get_model_status_pb2.GetModelStatusResponse()
    for status in VERSIONS:
        response.model_version_status.add(
            version=status.version,
            state=int(status.state),
            status={"error_code": int(status.code), "error_message": status.message},
        )
    printed = json_format.MessageToDict(response, always_print_fields_with_no_presence=True)
    # In Python it prints fields that are 0 last; in C++, as here, in the order of the message.
    assert json.loads(write_status(VERSIONS)) == printed
    assert list(json.loads(write_status(VERSIONS))["model_version_status"][2]) == [
        *("version", "state", "status")
    ]


def test_metadata_is_what_protobuf_prints() -> None:
    from google.protobuf import json_format
    from tensorflow.core.protobuf import meta_graph_pb2
    from tensorflow_serving.apis import get_model_metadata_pb2, model_pb2

    definition = meta_graph_pb2.SignatureDef(method_name="tensorflow/serving/predict")
    definition.inputs["x"].dtype = 1
    definition.inputs["x"].tensor_shape.dim.add(size=-1)
    definition.outputs["y"].tensor_shape.unknown_rank = True
    signatures = {"serving_default": definition, "empty": meta_graph_pb2.SignatureDef()}
    options = {"preserving_proto_field_name": True, "always_print_fields_with_no_presence": True}
    spec = model_pb2.ModelSpec(name="co2")
    spec.version.value = 3
    expected = {
        "model_spec": json_format.MessageToDict(spec, **options),
        "metadata": {
            "signature_def": json_format.MessageToDict(
                get_model_metadata_pb2.SignatureDefMap(signature_def=signatures), **options
            )
        },
    }
    assert json.loads(write_metadata("co2", 3, signatures)) == expected
