"""A tracking store that can be switched off, as when its server is shut down."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import requests

from components.tracking.store import TrackingStore


class Switch:
    """Stands before a client; while `down`, every call fails as a dead server's does.

    Attributes:
        calls: Names of the calls that were made, those that failed included.
        lose: Name of a call whose answer is lost once: the store does it, the caller hears nothing.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self.down = False
        self.lose = ""
        self.calls: list[str] = []
        self.cost: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._client, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            if self.down:
                self.cost()
                raise requests.ConnectionError("connection refused")
            answer = real(*args, **kwargs)
            if self.lose == name:
                self.lose = ""
                raise requests.ConnectionError("connection reset")
            return answer

        return call


def switched(store: TrackingStore) -> tuple[TrackingStore, Switch]:
    """`store` with a switch before its client."""
    switch = Switch(store.client)
    return dataclasses.replace(store, client=switch), switch


class Heard:
    """A listener that remembers what it was warned of."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None: ...

    def warn(self, text: str) -> None:
        self.said.append(text)
