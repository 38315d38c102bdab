"""`check_token`: the bearer token that a request has to bring."""

from __future__ import annotations

import hmac

from serving.rest.body import Headers
from serving.rest.http_status import RefusalError
from serving.status import Code


def check_token(headers: Headers, token: bytes | None) -> None:
    """Sees that a request knows `token`.

    Args:
        headers: Of the request.
        token: What it must bring; None: nothing.

    Raises:
        RefusalError: 401 if it does not.
    """
    if token is None:
        return
    given = [value for key, value in headers if key == b"authorization"]
    scheme, _, secret = (given[0] if len(given) == 1 else b"").partition(b" ")
    # In constant time, so that the time of a refusal does not tell how much was right.
    right = hmac.compare_digest(secret.strip(), token)
    if right and scheme.lower() == b"bearer":
        return
    wrong = b', error="invalid_token"' if given else b""
    raise RefusalError(
        401,
        Code.UNAUTHENTICATED,
        "This server asks for a token: send the header Authorization: Bearer TOKEN",
        ((b"www-authenticate", b'Bearer realm="serving"' + wrong),),
    )
