"""`RestTransport`: TF Serving's REST API."""

from __future__ import annotations

import json
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import numpy.typing as npt

from models.errors import BadInputError
from serving.status import Code, ServingError
from serving.transport.endpoint import Endpoint, Tls
from serving.transport.retry import Budget
from serving.transport.transport import Arrays, ModelVersion, Wanted

_CODES = {
    400: Code.INVALID_ARGUMENT,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.NOT_FOUND,
    408: Code.DEADLINE_EXCEEDED,
    409: Code.ABORTED,
    413: Code.INVALID_ARGUMENT,
    429: Code.RESOURCE_EXHAUSTED,
    499: Code.CANCELLED,
    501: Code.UNIMPLEMENTED,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.DEADLINE_EXCEEDED,
}
_SHOWN = 300


class RestTransport:
    """A server behind its REST port.

    Args:
        endpoint: Where it is.
        token: Bearer token, if the server wants one.
        tls: Certificates, with https.
    """

    def __init__(
        self, endpoint: Endpoint, token: str | None = None, tls: Tls | None = None
    ) -> None:
        self._endpoint = endpoint
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(
            base_url=endpoint.url,
            headers=headers,
            verify=_context(tls) if endpoint.secure else False,
            trust_env=not endpoint.loopback,
            follow_redirects=False,
        )

    def predict(
        self,
        wanted: Wanted,
        signature: str,
        inputs: Arrays,
        outputs: Sequence[str],
        timeout: float,
    ) -> dict[str, npt.NDArray[Any]]:
        """See `Transport`."""
        body = {
            "signature_name": signature,
            "inputs": {name: _json(array) for name, array in inputs.items()},
        }
        content = json.dumps(body, separators=(",", ":")).encode()
        answer = self._ask("POST", f"{_path(wanted)}:predict", timeout, content)
        found = answer.get("outputs")
        # A lone output comes without its name.
        named = {outputs[0]: found} if len(outputs) == 1 else found
        if found is None or not isinstance(named, dict) or not set(outputs) <= set(named):
            raise ServingError(
                Code.INTERNAL,
                f"{self._endpoint.url} answered without the outputs {', '.join(outputs)}; is it "
                "a model server?",
            )
        return {name: np.asarray(named[name]) for name in outputs}

    def serving(self, wanted: Wanted, timeout: float) -> int:
        """See `Transport`."""
        answer = self._ask("GET", f"{_path(wanted)}/metadata", timeout)
        try:
            return int(answer["model_spec"]["version"])
        except (KeyError, TypeError, ValueError):
            raise self._strange("which version serves") from None

    def versions(self, model: str, timeout: float) -> list[ModelVersion]:
        """See `Transport`."""
        answer = self._ask("GET", _path(Wanted(model)), timeout)
        try:
            found = [
                ModelVersion(
                    int(one["version"]),
                    str(one["state"]),
                    str(one.get("status", {}).get("error_message", "")),
                )
                for one in answer["model_version_status"]
            ]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._strange("the versions") from None
        return sorted(found, key=lambda one: -one.version)

    def close(self) -> None:
        """See `Transport`."""
        self._client.close()

    def _ask(
        self, method: str, path: str, timeout: float, content: bytes | None = None
    ) -> dict[str, Any]:
        budget = Budget(timeout)
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            with self._client.stream(
                method, path, content=content, headers=headers, timeout=timeout
            ) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    # httpx bounds the wait for each piece, not that for all of them.
                    if budget.left <= 0:
                        raise httpx.ReadTimeout("the answer takes too long")
                    body += chunk
        except httpx.TimeoutException:
            raise ServingError(
                Code.DEADLINE_EXCEEDED,
                f"{self._endpoint.url} did not answer within {timeout:.3g} s",
            ) from None
        except httpx.TransportError as error:
            raise ServingError(
                Code.UNAVAILABLE,
                f"{self._endpoint.url} cannot be reached: {str(error) or type(error).__name__}",
            ) from None
        return self._read(response.status_code, bytes(body))

    def _read(self, status: int, body: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if status != 200:
            code = _CODES.get(status, Code.INTERNAL if status >= 500 else Code.UNKNOWN)
            said = answer.get("error") if isinstance(answer, dict) else None
            text = str(said or " ".join(body[:_SHOWN].decode("utf-8", "replace").split()))
            raise ServingError(code, text or f"HTTP status {status}")
        if not isinstance(answer, dict):
            raise self._strange("a JSON object")
        return answer

    def _strange(self, what: str) -> ServingError:
        return ServingError(
            Code.INTERNAL,
            f"{self._endpoint.url} did not answer with {what}; is it a model server's REST port?",
        )


def _path(wanted: Wanted) -> str:
    path = f"/v1/models/{quote(wanted.model, safe='')}"
    if wanted.version is not None:
        return f"{path}/versions/{wanted.version}"
    if wanted.label is not None:
        return f"{path}/labels/{quote(wanted.label, safe='')}"
    return path


def _json(array: npt.NDArray[Any]) -> Any:
    if array.dtype.kind in "OSU":
        return _text(array.tolist())
    return array.tolist()


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(v) for v in value]
    return value.decode("utf-8") if isinstance(value, bytes) else value


def _context(tls: Tls | None) -> ssl.SSLContext:
    ca, key, certificate = (tls or Tls()).read()
    try:
        context = ssl.create_default_context(cadata=None if ca is None else ca.decode("ascii"))
        if tls is not None and certificate is not None and key is not None:
            assert tls.certificate is not None
            context.load_cert_chain(tls.certificate, tls.key)
    except (ssl.SSLError, ValueError) as error:
        raise BadInputError(f"a certificate or key is no PEM file: {error}") from None
    return context
