"""The webhook: one POST of JSON, within a time limit, without a trace of its secrets."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from components.notify.config import WebhookConfig, shown
from components.secrets import MASK, expanded
from models.errors import BadInputError

FIRST_WAIT = 1.0
"""Seconds before the first further attempt; doubled before each one after it."""
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def post(
    config: WebhookConfig,
    body: Mapping[str, Any],
    *,
    environment: Mapping[str, str] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Sends `body` as JSON; tried again where the server is away, busy or has failed.

    Redirections are not followed: what is sent, secrets included, is for the server that was
    named.

    Args:
        config: Where to.
        body: JSON values.
        environment: Instead of the process' own.
        sleep: Waits the given seconds.

    Returns:
        Why it was not taken, in words for people; empty if it was.
    """
    known = os.environ if environment is None else environment
    try:
        url = expanded(config.url, environment=known, secret=True)
        headers = {
            k: expanded(v, environment=known, secret=True) for k, v in config.headers.items()
        }
    except BadInputError as error:
        return f"the webhook {shown(config.url)} was not told: {error}"
    secrets = [known[name] for name in _variables(config)]
    wait, attempts, problem = FIRST_WAIT, 1 + config.retries, ""
    for attempt in range(1, attempts + 1):
        again, problem = _attempt(url, headers, body, config.timeout)
        if not problem:
            return ""
        if not again or attempt == attempts:
            break
        sleep(wait)
        wait *= 2
    times = "once" if attempt == 1 else f"{attempt} times"
    return _masked(f"the webhook {shown(config.url)}, tried {times}: {problem}", secrets)


def _attempt(
    url: str, headers: Mapping[str, str], body: Mapping[str, Any], timeout: float
) -> tuple[bool, str]:
    """Whether another attempt may help, and what went wrong; empty if nothing did.

    httpx limits each wait for the network, not their sum: a server that sends a byte now and then
    would hold the run for hours. So the request runs in a thread that is left behind at its limit.
    """
    answer: list[tuple[bool, str]] = []
    thread = threading.Thread(
        target=lambda: answer.append(_request(url, headers, body, timeout)), daemon=True
    )
    _quiet()
    thread.start()
    thread.join(timeout)
    return answer[0] if answer else (True, f"no answer within {timeout:g} s")


def _request(
    url: str, headers: Mapping[str, str], body: Mapping[str, Any], timeout: float
) -> tuple[bool, str]:
    import httpx

    try:
        with (
            httpx.Client(timeout=timeout, follow_redirects=False) as client,
            client.stream("POST", url, json=body, headers=dict(headers)) as response,
        ):
            status = response.status_code
    except httpx.TransportError as error:
        kept = not isinstance(error, httpx.UnsupportedProtocol)
        return kept, f"{type(error).__name__}: {error}".removesuffix(": ")
    except Exception as error:  # a hook never ends a run, whatever it does
        return False, f"{type(error).__name__}: {error}"
    if 200 <= status < 300:
        return False, ""
    moved = "; it points to another address: write that one" if 300 <= status < 400 else ""
    return status in _AGAIN, f"it answered with the status {status}{moved}"


def _quiet() -> None:
    """Keeps httpx and httpcore from writing the address, with its secrets, into the log.

    For good: a request that was left behind may still end.
    """
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _variables(config: WebhookConfig) -> list[str]:
    texts = [config.url, *config.headers.values()]
    return [name for text in texts for name in _VARIABLE.findall(text)]


def _masked(text: str, secrets: list[str]) -> str:
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text
