"""Requests that mean harm or were made by mistake, each with the status it deserves.

They go through a socket to the HTTP server, with the limits of `LIMITS`. A status of 0 means that
the server may only close the connection.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass

from serving.rest.limits import RestLimits
from tests.serving.rest.conftest import HALF
from tests.serving.rest.raw_http import chunk, chunked, get, post

LIMITS = RestLimits(
    max_body_bytes=100_000,
    max_decompressed_bytes=200_000,
    max_header_bytes=16_384,
    body_seconds=0.5,
    request_seconds=20.0,
    inline_bytes=10_000,
)


@dataclass(frozen=True)
class Hostile:
    """A request, its status, and what the error must say."""

    parts: bytes | tuple[bytes | float, ...]
    status: int
    says: str = ""
    hang_up: bool = False


M = "/v1/models"
H = f"{M}/{HALF}"
P = f"{H}:predict"
MIXED = f"{M}/mixed:predict"
ROW = {"count": 1, "level": 0.5, "tag": "a", "on": True}
GOOD = {"instances": [2.0]}
GZIP = "Content-Encoding: gzip"


def predict(body: bytes | str | object) -> bytes:
    return post(P, body)


def classify(body: bytes | str | object) -> bytes:
    return post(f"{H}:classify", body)


JSON: dict[str, Hostile] = {
    "no body": Hostile(predict(b""), 400, "The document is empty"),
    "no JSON": Hostile(predict("instances=1"), 400, "Invalid value"),
    "a form": Hostile(
        post(P, "instances=1", "Content-Type: application/x-www-form-urlencoded"), 400, "Invalid"
    ),
    "half a document": Hostile(predict('{"instances": [1.0'), 400, "Missing a comma"),
    "a list": Hostile(predict("[1.0, 2.0]"), 400, "Is not object"),
    "a number": Hostile(predict("1.0"), 400, "Is not object"),
    "lists 20000 deep": Hostile(
        predict('{"instances": ' + "[" * 20_000 + "]" * 20_000 + "}"), 400, "nested too deeply"
    ),
    "objects 5000 deep": Hostile(
        predict('{"inputs": ' * 5_000 + "1" + "}" * 5_000), 400, "nested too deeply"
    ),
    "lists without end": Hostile(
        predict('{"instances": ' + "[" * 90_000), 400, "nested too deeply"
    ),
    "lists 200 deep": Hostile(
        predict('{"instances": ' + "[" * 200 + "1" + "]" * 200 + "}"), 400, "element: 0"
    ),
    "an integer of 50000 digits": Hostile(
        predict('{"instances": [' + "7" * 50_000 + "]}"), 400, "Number too big"
    ),
    "an exponent of nine digits": Hostile(
        predict('{"instances": [1e999999999]}'), 400, "Number too big"
    ),
    "text after the end": Hostile(predict('{"instances": [1.0]} x'), 400, "must not be followed"),
    "two documents": Hostile(predict('{"instances": [1.0]}' * 2), 400, "must not be followed"),
    "the same key twice": Hostile(
        predict('{"instances": [1.0], "instances": [2.0]}'), 400, "more than once"
    ),
    "bytes that are no UTF-8": Hostile(predict(b'{"instances": ["\xff"]}'), 400, "expected UTF-8"),
    "UTF-16": Hostile(predict('{"instances": [1.0]}'.encode("utf-16")), 400, "expected UTF-8"),
    "half a surrogate pair": Hostile(
        predict('{"instances": ["\\ud800"]}'), 400, "surrogate pair in string is invalid"
    ),
    "NUL bytes": Hostile(predict(b"\0" * 100), 400, "Invalid value"),
    "a pickle": Hostile(predict(b"\x80\x04\x95K.\x8c\x05posix\x94"), 400, "expected UTF-8"),
    "nan in small letters": Hostile(predict('{"instances": [nan]}'), 400, "Invalid value"),
    "neither format": Hostile(predict({"__proto__": [1.0]}), 400, "Missing 'inputs'"),
    "both formats": Hostile(predict({"instances": [1.0], "inputs": [1.0]}), 400, "only one of"),
    "instances: null": Hostile(predict({"instances": None}), 400, "list/array"),
    "instances: a number": Hostile(predict({"instances": 1.0}), 400, "list/array"),
    "instances: none": Hostile(predict({"instances": []}), 400, "No values in 'instances'"),
    "100000 strings for numbers": Hostile(
        predict({"instances": ["1"] * 19_000}), 400, "not of expected type: float"
    ),
    "one long string among numbers": Hostile(
        predict({"instances": ["x" * 50_000, *[0] * 9_000]}), 400, "not of expected type: float"
    ),
    "signature: a number": Hostile(
        predict({"signature_name": 1, "instances": [1.0]}), 400, "must be a string value"
    ),
    "signature: unknown": Hostile(
        predict({"signature_name": "../x", "instances": [1.0]}), 400, "../x"
    ),
    "signature: internal": Hostile(
        predict({"signature_name": "__saved_model_init_op", "instances": [1.0]}), 400, "not found"
    ),
}
TENSORS: dict[str, Hostile] = {
    "a string for a float": Hostile(
        predict({"instances": ["x"]}), 400, 'JSON Value: "x" Type: String is not of expected type'
    ),
    "a bool for a float": Hostile(
        predict({"instances": [True]}), 400, "not of expected type: float"
    ),
    "null for a float": Hostile(predict({"instances": [None]}), 400, "not of expected type: float"),
    "an object for a float": Hostile(predict({"inputs": [{"b64": "AA=="}]}), 400, "type: float"),
    "ragged rows": Hostile(
        predict({"instances": [[1.0, 2.0], [3.0]]}), 400, "Expecting tensor size"
    ),
    "ragged columns": Hostile(predict({"inputs": [[1.0, 2.0], [3.0]]}), 400, "unexpected size: 1"),
    "rows of different rank": Hostile(predict({"instances": [1.0, [1.0]]}), 400, "Expecting shape"),
    "an integer that no float has": Hostile(
        predict({"instances": [16_777_217]}), 400, "without loss of precision"
    ),
    "a number that no float has": Hostile(predict('{"inputs": [1e39]}'), 400, "loss of precision"),
    "an unknown input": Hostile(
        predict({"inputs": {"x": [1.0], "evil": [1.0]}}), 400, 'Unknown named input: "evil"'
    ),
    "an unknown input in a row": Hostile(
        predict({"instances": [{"x": 1.0, "evil": 1.0}]}), 400, "does not have named input: evil"
    ),
    "a missing input": Hostile(predict({"inputs": {"evil": [1.0]}}), 400, "Missing named input: x"),
    "a plain list for four inputs": Hostile(
        post(MIXED, {"instances": [1.0]}), 400, "expecting list of objects"
    ),
    "a missing input in the second row": Hostile(
        post(MIXED, {"instances": [ROW, {"count": 1}]}), 400, "Failed to process element: 1"
    ),
    "a fraction for an integer": Hostile(
        post(MIXED, {"instances": [ROW | {"count": 1.5}]}), 400, "not of expected type: int64"
    ),
    "an integer above 64 bits": Hostile(
        post(MIXED, {"instances": [ROW | {"count": 1 << 63}]}), 400, "not of expected type: int64"
    ),
    "an integer as a string": Hostile(
        post(MIXED, {"instances": [ROW | {"count": "1"}]}), 400, "key: count"
    ),
    "1 for true": Hostile(post(MIXED, {"instances": [ROW | {"on": 1}]}), 400, "type: bool"),
    "a number for a string": Hostile(
        post(MIXED, {"instances": [ROW | {"tag": 5}]}), 400, "not of expected type: string"
    ),
    "no base64": Hostile(
        post(MIXED, {"instances": [ROW | {"tag": {"b64": "%%%"}}]}), 400, "Unable to base64 decode"
    ),
    "an object for a string": Hostile(
        post(MIXED, {"instances": [ROW | {"tag": {"b64": "YQ==", "x": 1}}]}), 400, "for base64 data"
    ),
    "another rank than the signature's": Hostile(
        post(f"{M}/tf2:predict", {"instances": [[[1.0, 2.0]]]}), 400, "x"
    ),
    "tensors for a signature of examples": Hostile(
        predict({"signature_name": "regress_x_to_y", "instances": [1.0]}), 400, "type: string"
    ),
    "bytes that are no example": Hostile(
        predict({"signature_name": "regress_x_to_y", "instances": ["not a proto"]}), 400
    ),
    "no examples": Hostile(classify({"instances": [1.0]}), 400, "'examples' is expected"),
    "examples: an object": Hostile(classify({"examples": {"x": 1.0}}), 400, "list/array"),
    "examples: none": Hostile(classify({"examples": []}), 400, "empty array"),
    "examples: numbers": Hostile(classify({"examples": [1.0]}), 400, "Example must be JSON object"),
    "a feature of nested lists": Hostile(
        classify({"examples": [{"x": [[1.0]]}]}), 400, "unexpected JSON type: Array"
    ),
    "a feature of another type": Hostile(
        classify({"signature_name": "classify_x_to_y", "examples": [{"x": "1"}]}), 400
    ),
    "a feature that is missing": Hostile(
        classify({"signature_name": "classify_x_to_y", "examples": [{"other": 1.0}]}), 400
    ),
    "classify with a signature of predict": Hostile(classify({"examples": [{"x": 1.0}]}), 400),
}
PATHS: dict[str, Hostile] = {
    "up and out": Hostile(post(f"{M}/../../etc/passwd:predict", GOOD), 400, "Malformed request"),
    "up and out, escaped": Hostile(
        post(f"{M}/%2e%2e%2f%2e%2e%2fetc:predict", GOOD), 404, "../../etc"
    ),
    "up and out, escaped twice": Hostile(post(f"{M}/%252e%252e%252fetc:predict", GOOD), 404),
    "up and out, status": Hostile(get(f"{M}/..%2f..%2fetc%2fpasswd"), 404),
    "up and out, metadata": Hostile(get(f"{M}/%2e%2e%2f%2e%2e/metadata"), 404),
    "a dot": Hostile(post(f"{M}/.:predict", GOOD), 404),
    "a slash, escaped": Hostile(post(f"{M}/{HALF}%2F123:predict", GOOD), 404),
    "backslashes": Hostile(post(f"{M}/..%5C..%5Cwindows:predict", GOOD), 404),
    "a NUL, escaped": Hostile(post(f"{M}/{HALF}%00:predict", GOOD), 404),
    "a line break, escaped": Hostile(post(f"{M}/x%0d%0aSet-Cookie:%20a=b:predict", GOOD), 400),
    "a header, smuggled into an error": Hostile(get(f"{M}/x%0d%0aSet-Cookie%3A%20a=b"), 404),
    "an emoji": Hostile(post(f"{M}/%F0%9F%92%A3:predict", GOOD), 404, "💣"),
    "no UTF-8": Hostile(post(f"{M}/%FF%FE:predict", GOOD), 400, "Failed to decode model name"),
    "overlong UTF-8": Hostile(post(f"{M}/%C0%AE%C0%AE:predict", GOOD), 400, "Failed to decode"),
    "half a surrogate pair": Hostile(post(f"{M}/%ED%A0%80:predict", GOOD), 400, "Failed to decode"),
    "an unfinished escape": Hostile(post(f"{M}/%:predict", GOOD), 404),
    "a format string": Hostile(post(f"{M}/%25s%25n:predict", GOOD), 404, "%s%n"),
    "a template": Hostile(get(f"{M}/$%7Bjndi%3Aldap%3A%2F%2Fx%7D"), 404),
    "no name": Hostile(post(f"{M}/:predict", GOOD), 400, "Malformed request"),
    "another action": Hostile(post(f"{H}:delete", GOOD), 400, "Malformed request"),
    "an action in capitals": Hostile(post(f"{H}:PREDICT", GOOD), 400, "Malformed request"),
    "version: negative": Hostile(post(f"{H}/versions/-1:predict", GOOD), 400, "Malformed request"),
    "version: hexadecimal": Hostile(post(f"{H}/versions/0x7b:predict", GOOD), 400, "Malformed"),
    "version: above 64 bits": Hostile(
        post(f"{H}/versions/{1 << 63}:predict", GOOD), 400, "Failed to convert version"
    ),
    "version: 10000 digits": Hostile(
        post(f"{H}/versions/{'9' * 10_000}:predict", GOOD), 400, "Failed to convert version"
    ),
    "version: none such": Hostile(post(f"{H}/versions/7:predict", GOOD), 404),
    "version: Arabic digits": Hostile(post(f"{H}/versions/%D9%A1:predict", GOOD), 400, "Malformed"),
    "label: none such": Hostile(
        post(f"{H}/labels/evil:predict", GOOD), 400, "Unrecognized servable version label"
    ),
    "label: up and out": Hostile(post(f"{H}/labels/%2e%2e%2f:predict", GOOD), 400, "../"),
    "a query": Hostile(post(f"{P}?x=1", GOOD), 400, "Malformed request"),
    "a fragment": Hostile(post(f"{P}#x", GOOD), 400, "Malformed request"),
    "two slashes": Hostile(post(f"/{P}", GOOD), 404, "Not found"),
    "another server": Hostile(post(f"http://evil.example{P}", GOOD), 404, "Not found"),
    "outside of the API": Hostile(get("/etc/passwd"), 404, "Not found"),
    "past the metrics": Hostile(get("/monitoring/prometheus/metrics/../../.."), 404, "Not found"),
    "a path of 15000 characters": Hostile(post(f"{M}/{'a' * 15_000}:predict", GOOD), 404),
    "GET of an action": Hostile(get(P), 400, "Malformed request"),
    "POST of metadata": Hostile(post(f"{H}/metadata", GOOD), 400, "Malformed request"),
    "PUT": Hostile(get(P, verb="PUT"), 405, "Malformed request: PUT"),
    "DELETE": Hostile(get(H, verb="DELETE"), 405),
    "TRACE": Hostile(get(H, verb="TRACE"), 405),
    "CONNECT": Hostile(get("evil.example:80", verb="CONNECT"), 404),
    "a method of its own": Hostile(get(H, verb="PWN"), 405),
    "preflight of another origin": Hostile(
        get(P, "Origin: http://evil.example", verb="OPTIONS"), 405
    ),
}
HEADERS: dict[str, Hostile] = {
    "two lengths": Hostile(post(P, GOOD, "Content-Length: 5"), 400),
    "a negative length": Hostile(post(P, GOOD, "Content-Length: -5", length=-1), 400),
    "a length in words": Hostile(post(P, GOOD, "Content-Length: many", length=-1), 400),
    "a length of 30 digits": Hostile(post(P, b"", "Content-Length: " + "9" * 30, length=-1), 400),
    "length and chunks": Hostile(
        post(P, chunk(b"{}") + b"0\r\n\r\n", "Transfer-Encoding: chunked"),
        400,
        "both Content-Length and Transfer-Encoding",
    ),
    "chunks of no number": Hostile(chunked(P, b"zz\r\n{}\r\n"), 400),
    "chunks of a negative number": Hostile(chunked(P, b"-1\r\n{}\r\n"), 400),
    "chunks of 30 digits": Hostile(chunked(P, b"f" * 30 + b"\r\n{}\r\n"), 400),
    "a chunk that is longer than it says": Hostile(chunked(P, b"1\r\n{}\r\n0\r\n\r\n"), 400),
    "a chunk with an endless extension": Hostile(chunked(P, b"2;" + b"a" * 20_000), 400),
    "an unknown transfer encoding": Hostile(post(P, GOOD, "Transfer-Encoding: evil"), 400),
    "two transfer encodings": Hostile(
        post(P, b"0\r\n\r\n", "Transfer-Encoding: gzip, chunked", length=-1), 400
    ),
    "no host": Hostile(b"GET /v1/models/x HTTP/1.1\r\n\r\n", 400),
    "two hosts": Hostile(get(H, "Host: evil"), 400),
    "a NUL in a header": Hostile(get(H, "X: a\0b"), 400),
    "a line break in a header": Hostile(get(H, "X: a\rb"), 400),
    "a space before the colon": Hostile(get(H, "Content-Length : 5"), 400),
    "a folded header": Hostile(get(H, "X: a", "\tb"), 200),
    "a header without a colon": Hostile(get(H, "evil"), 400),
    "a header of 20000 bytes": Hostile(get(H, "X: " + "a" * 20_000), 431, "16384 at most"),
    "a header without end": Hostile((get(H)[:-2] + b"X: " + b"a" * 40_000, 0.2, b"a"), 400),
    "5000 headers": Hostile(get(H, *(f"X{i}: a" for i in range(5_000))), 431, "16384 at most"),
    "another protocol": Hostile(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", 400),
    "TLS": Hostile(bytes.fromhex("16030100c8010000c40303") + b"\0" * 100 + b"\r\n\r\n", 400),
    "HTTP/2": Hostile(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/1.1"),
    "HTTP/9.9": Hostile(b"GET /v1/models/x HTTP/9.9\r\nHost: x\r\n\r\n", 505, "HTTP/1.1"),
    "no version of HTTP": Hostile(b"GET /v1/models/x\r\n\r\n", 400),
    "bytes in the path": Hostile(b"GET /v1/models/\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a space in the path": Hostile(b"GET /v1/models/a b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "an upgrade to a web socket": Hostile(
        get(H, "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x"), 200
    ),
    "an upgrade to HTTP/2": Hostile(get(H, "Connection: upgrade", "Upgrade: h2c"), 200),
    "somebody else's address": Hostile(get(H, "X-Forwarded-For: 127.0.0.1"), 200),
}
BODIES: dict[str, Hostile] = {
    "announced as too large": Hostile(post(P, b"", length=100_001), 413, "100000 bytes at most"),
    "announced as too large, with a question": Hostile(
        post(P, b"", "Expect: 100-continue", length=1 << 40), 413, "100000 bytes at most"
    ),
    "too large": Hostile(predict(b" " * 100_001), 413, "100000 bytes at most"),
    "too large, in chunks": Hostile(
        chunked(P, chunk(b" " * 50_000) * 3 + b"0\r\n\r\n"), 413, "100000 bytes at most"
    ),
    "too large, in small chunks": Hostile(
        chunked(P, chunk(b" " * 64) * 1_600), 413, "100000 bytes at most"
    ),
    "longer than announced": Hostile(post(P, GOOD, length=5), 400, "Missing"),
    "shorter than announced, and silence": Hostile(
        post(P, GOOD, length=500), 408, "did not arrive"
    ),
    "shorter than announced, and gone": Hostile(post(P, GOOD, length=500), 0, hang_up=True),
    "no end of chunks, and silence": Hostile(chunked(P, chunk(b"{}")), 408, "did not arrive"),
    "no end of chunks, and gone": Hostile(chunked(P, chunk(b"{}")), 0, hang_up=True),
    "a byte at a time": Hostile(
        (
            post(P, b"", length=500),
            *(part for _ in range(8) for part in (b" ", 0.1)),
        ),
        408,
        "did not arrive",
    ),
    "gzip that is none": Hostile(post(P, GOOD, GZIP), 400, "not gzip"),
    "gzip of nothing": Hostile(post(P, b"", GZIP), 400, "cut off"),
    "gzip, cut off": Hostile(post(P, gzip.compress(b"{}" * 50)[:-9], GZIP), 400, "cut off"),
    "gzip and more": Hostile(post(P, gzip.compress(b"{}") + b"{}", GZIP), 400, "goes on"),
    "a gzip bomb": Hostile(post(P, gzip.compress(b" " * 50_000_000), GZIP), 413, "200000 bytes"),
    "a gzip bomb in pieces": Hostile(
        chunked(P, chunk(gzip.compress(b"0" * 90_000_000)) + b"0\r\n\r\n", GZIP),
        413,
        "200000 bytes",
    ),
    "a thousand gzips": Hostile(post(P, gzip.compress(b"") * 1_000, GZIP), 400, "goes on"),
    "Brotli": Hostile(post(P, GOOD, "Content-Encoding: br"), 400, "not supported"),
    "gzip twice over": Hostile(post(P, GOOD, "Content-Encoding: gzip, gzip"), 400, "not supported"),
    "GET with a body": Hostile(get(H, "Content-Length: 5") + b"12345", 200),
    "GET with a body that never comes": Hostile(get(H, "Content-Length: 1000000"), 200),
}
TABLE: dict[str, Hostile] = {
    f"{group}: {name}": request
    for group, requests in (
        ("JSON", JSON),
        ("tensor", TENSORS),
        ("path", PATHS),
        ("header", HEADERS),
        ("body", BODIES),
    )
    for name, request in requests.items()
}
