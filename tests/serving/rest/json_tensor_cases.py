"""What TF Serving's own test of its JSON tensors asks for, as data.

`READ` and `REFUSED` are bodies of predict requests to a signature that gives its inputs back;
`WRITTEN` and `UNWRITABLE` are outputs of a signature. Each is a request over HTTP too: see
`echo_models.py` for the models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SOURCE = "util/json_tensor_test.cc"
ROW, COLUMN = "row", "column"
INF = float("inf")
NAN = float("nan")


@dataclass(frozen=True)
class Read:
    """A request whose tensors are known: by name, shape and flat values."""

    name: str
    inputs: Mapping[str, str]
    body: str
    layout: str
    tensors: Mapping[str, tuple[Sequence[int], Sequence[Any]]]
    signature: str = ""


@dataclass(frozen=True)
class Refused:
    """A request that is refused with 400; what the message must contain."""

    name: str
    inputs: Mapping[str, str]
    body: str
    says: str


@dataclass(frozen=True)
class Written:
    """Outputs by name, dtype, shape and flat values, and the JSON they become."""

    name: str
    outputs: Mapping[str, tuple[str, Sequence[int], Sequence[Any]]]
    row: str | None = None
    column: str | None = None


@dataclass(frozen=True)
class Unwritable:
    """Outputs that the row format cannot hold; what the message must contain."""

    name: str
    outputs: Mapping[str, tuple[str, Sequence[int], Sequence[Any]]]
    says: str


SIX = ([3, 2], [11, 12, 13, 14, 15, 16])
READ = [
    Read(
        "SingleUnnamedTensor",
        {"pixels": "int32"},
        '{"instances": [[11, 12], [13, 14], [15, 16]]}',
        ROW,
        {"pixels": SIX},
    ),
    Read(
        "MixedInputForFloatTensor",
        {"level": "float"},
        '{"instances": [4, 2.5, 7, 0, 1.125, 0.003, 0.0]}',
        ROW,
        {"level": ([7], [4.0, 2.5, 7.0, 0.0, 1.125, 0.003, 0.0])},
    ),
    Read(
        "MixedInputForDoubleTensor",
        {"level": "double"},
        '{"instances": [4.0, 2, 7, 0.118, 0, 0.0]}',
        ROW,
        {"level": ([6], [4.0, 2.0, 7.0, 0.118, 0.0, 0.0])},
    ),
    Read(
        "SingleUnnamedTensorWithSignature",
        {"pixels": "int32"},
        '{"signature_name": "other", "instances": [[21, 22]]}',
        ROW,
        {"pixels": ([1, 2], [21, 22])},
        signature="other",
    ),
    Read(
        "SingleUnnamedTensorBase64Scalars",
        {"text": "string"},
        '{"instances": [{"b64": "cm93"}, {"b64": "Y29sdW1u"}]}',
        ROW,
        {"text": ([2], [b"row", b"column"])},
    ),
    Read(
        "SingleUnnamedTensorBase64Lists",
        {"text": "string"},
        '{"instances": [[{"b64": "cm93"}], [{"b64": "Y29sdW1u"}]]}',
        ROW,
        {"text": ([2, 1], [b"row", b"column"])},
    ),
    Read(
        "SingleNamedTensorBase64",
        {"text": "string"},
        '{"instances": [{"text": [[{"b64": "cm93"}], [{"b64": "Y29sdW1u"}]]}]}',
        ROW,
        {"text": ([1, 2, 1], [b"row", b"column"])},
    ),
    Read(
        "MultipleNamedTensor",
        {"counts": "int32", "tags": "string", "levels": "float", "exact": "double"},
        """{"instances": [
            {"counts": [[1, 2], [3, 4], [5, 6]], "tags": ["a", "b"], "levels": [0.5, NaN],
             "exact": [NaN]},
            {"exact": [0.25], "levels": [1.5, Infinity], "tags": ["c", "d"],
             "counts": [[7, 8], [9, 10], [11, 12]]}]}""",
        ROW,
        {
            "counts": ([2, 3, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
            "tags": ([2, 2], [b"a", b"b", b"c", b"d"]),
            "levels": ([2, 2], [0.5, NAN, 1.5, INF]),
            "exact": ([2, 1], [NAN, 0.25]),
        },
    ),
    Read(
        "SingleUnnamedTensorColumnarFormat: named",
        {"pixels": "int32"},
        '{"inputs": {"pixels": [[[11, 12], [13, 14], [15, 16]]]}}',
        COLUMN,
        {"pixels": ([1, 3, 2], SIX[1])},
    ),
    Read(
        "SingleUnnamedTensorColumnarFormat: without its name",
        {"pixels": "int32"},
        '{"inputs": [[[11, 12], [13, 14], [15, 16]]]}',
        COLUMN,
        {"pixels": ([1, 3, 2], SIX[1])},
    ),
    Read(
        "MultipleNamedTensorColumnarFormat",
        {"counts": "int32", "tags": "string", "data": "string"},
        """{"inputs": {"counts": [[[11, 12], [13, 14], [15, 16]]], "tags": ["a", "b"],
            "data": {"b64": "Y29sdW1u"}}}""",
        COLUMN,
        {
            "counts": ([1, 3, 2], SIX[1]),
            "tags": ([2], [b"a", b"b"]),
            "data": ([], [b"column"]),
        },
    ),
]

_ONE = {"pixels": "int32"}
_TWO = {"counts": "int32", "tags": "string"}
REFUSED = [
    Refused("SingleUnnamedTensorErrors: nothing", _ONE, "", "document is empty"),
    Refused(
        "SingleUnnamedTensorErrors: signature is a number",
        _ONE,
        '{"signature_name": 9, "instances": [[1, 2]]}',
        "must be a string value",
    ),
    Refused(
        "SingleUnnamedTensorErrors: both formats",
        _ONE,
        '{"instances": [[1, 2]], "inputs": [[1, 2]]}',
        "Not formatted correctly",
    ),
    Refused(
        "SingleUnnamedTensorErrors: rows of different size",
        _ONE,
        '{"instances": [[1, 2], [3, 4], [5, 6, 7]]}',
        "Expecting tensor size",
    ),
    Refused(
        "SingleUnnamedTensorErrors: rows of different rank",
        _ONE,
        '{"instances": [[1, 2], [3, 4], [[5, 6]]]}',
        "Expecting shape",
    ),
    Refused(
        "SingleUnnamedTensorErrors: a value and a list",
        _ONE,
        '{"instances": [1, [2]]}',
        "Expecting shape",
    ),
    Refused(
        "SingleUnnamedTensorErrors: strings for integers",
        _ONE,
        '{"instances": [[1, 2], ["three", "four"]]}',
        "not of expected type",
    ),
    Refused(
        "SingleUnnamedTensorErrors: a double too large for a float",
        {"level": "float"},
        '{"instances": [1.7976931348623157e+308]}',
        "loss of precision",
    ),
    Refused(
        "SingleUnnamedTensorErrors: an integer that no float has",
        {"level": "float"},
        '{"instances": [16777217]}',
        "loss of precision",
    ),
    Refused(
        "SingleUnnamedTensorErrors: an integer that no double has",
        {"level": "double"},
        '{"instances": [9007199254740993]}',
        "loss of precision",
    ),
    Refused(
        "MultipleNamedTensorErrors: rows of different rank",
        _TWO,
        """{"instances": [{"counts": [[1, 2], [3, 4]], "tags": ["a", "b"]},
                          {"counts": [[[5, 6], [7, 8]]], "tags": ["c", "d"]}]}""",
        "Expecting shape",
    ),
    Refused(
        "MultipleNamedTensorErrors: rows of different size",
        _TWO,
        """{"instances": [{"counts": [[1, 2], [3, 4], [5, 6]], "tags": ["a", "b"]},
                          {"counts": [[7, 8], [9, 10]], "tags": ["c", "d"]}]}""",
        "Expecting tensor size",
    ),
    Refused(
        "MultipleNamedTensorErrors: a list among objects",
        _TWO,
        '{"instances": [{"counts": [[1, 2]], "tags": ["a"]}, [3, 4]]}',
        "Expecting object but got list",
    ),
    Refused(
        "MultipleNamedTensorErrors: an object among lists",
        {"tags": "string"},
        '{"instances": [["a", "b"], {"tags": ["c", "d"]}]}',
        "Expecting value/list but got object",
    ),
]

_COUNTS = ("int32", [2, 3, 2], [21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32])
_NESTED = "[[[21, 22], [23, 24], [25, 26]], [[27, 28], [29, 30], [31, 32]]]"
WRITTEN = [
    Written(
        "FromJsonSingleTensor",
        {"counts": _COUNTS},
        row=f'{{"predictions": {_NESTED}}}',
        column=f'{{"outputs": {_NESTED}}}',
    ),
    Written(
        "FromJsonSingleScalarTensor",
        {"counts": ("int32", [5], [5, 4, 3, 2, 1])},
        row='{"predictions": [5, 4, 3, 2, 1]}',
        column='{"outputs": [5, 4, 3, 2, 1]}',
    ),
    Written(
        "FromJsonSingleBytesTensor",
        {"data_bytes": ("string", [2, 2], [b"row", b"column", b"by", b"bytes"])},
        row="""{"predictions": [[{"b64": "cm93"}, {"b64": "Y29sdW1u"}],
                                [{"b64": "Ynk="}, {"b64": "Ynl0ZXM="}]]}""",
    ),
    Written(
        "FromJsonSingleFloatTensorSixDigitPrecision",
        {"level": ("float", [2, 3], [7e6, 888888, 0.25, 0.0004, 0.00004, 333335.5])},
        row='{"predictions": [[7e+06, 888888.0, 0.25], [0.0004, 4e-05, 333335.5]]}',
    ),
    Written(
        "FromJsonSingleFloatTensorNonFinite",
        {"level": ("float", [2, 2], [NAN, INF, 5.0, -INF])},
        row='{"predictions": [[NaN, Infinity], [5.0, -Infinity]]}',
    ),
    Written(
        "FromJsonMultipleNamedTensors",
        {
            "counts": _COUNTS,
            "tags": ("string", [2, 2], [b"a", b"b", b"c", b"d"]),
            "level": ("float", [2, 1], [3.0, 4.0]),
            "exact": ("double", [2], [5.0, 6.0]),
            "data_bytes": ("string", [2, 2], [b"row", b"column", b"by", b"bytes"]),
        },
        row="""{"predictions": [
            {"counts": [[21, 22], [23, 24], [25, 26]], "tags": ["a", "b"], "level": [3.0],
             "exact": 5.0, "data_bytes": [{"b64": "cm93"}, {"b64": "Y29sdW1u"}]},
            {"counts": [[27, 28], [29, 30], [31, 32]], "tags": ["c", "d"], "level": [4.0],
             "exact": 6.0, "data_bytes": [{"b64": "Ynk="}, {"b64": "Ynl0ZXM="}]}]}""",
        column=f"""{{"outputs": {{"counts": {_NESTED}, "tags": [["a", "b"], ["c", "d"]],
            "level": [[3.0], [4.0]], "exact": [5.0, 6.0], "data_bytes":
            [[{{"b64": "cm93"}}, {{"b64": "Y29sdW1u"}}], [{{"b64": "Ynk="}}, {{"b64": "Ynl0ZXM="}}]]
            }}}}""",
    ),
    Written(
        "FromJsonSingleZeroBatchTensor",
        {"counts": ("int32", [0, 3], [])},
        row='{"predictions": []}',
    ),
    Written(
        "FromJsonMultipleZeroBatchTensors",
        {"tags": ("string", [0, 2, 3], []), "level": ("float", [0, 4, 5], [])},
        row='{"predictions": []}',
    ),
]
UNWRITABLE = [
    Unwritable(
        "FromJsonSingleTensorErrors: complex",
        {"wave": ("complex64", [2], [1.0, 2.0])},
        "tensor type: complex64",
    ),
    Unwritable(
        "FromJsonSingleTensorErrors: a scalar",
        {"count": ("int32", [], [3])},
        "no shape information",
    ),
    Unwritable(
        "FromJsonMultipleNamedTensorsErrors",
        {
            "counts": ("int32", [3, 2], [1, 2, 3, 4, 5, 6]),
            "tags": ("string", [2, 2], [b"a", b"b", b"c", b"d"]),
        },
        "inconsistent batch size",
    ),
    Unwritable(
        "FromJsonMultipleZeroBatchTensorsErrors",
        {"counts": ("int32", [0, 3], []), "tags": ("string", [1, 2], [b"a", b"b"])},
        "inconsistent batch size",
    ),
]
