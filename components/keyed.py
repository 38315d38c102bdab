"""`Keyed`: parameters of a node that are written as text and named by a digest of it."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod


class Keyed(ABC):
    """Settings of a node, as the metadata store keeps them."""

    @abstractmethod
    def dumps(self) -> str:
        """JSON of all settings; equal settings have equal texts."""

    @property
    def key(self) -> str:
        """Digest of all settings: other data or another use of it has another key."""
        return hashlib.sha256(self.dumps().encode()).hexdigest()[:32]
