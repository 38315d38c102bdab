from __future__ import annotations

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True)
def one_thread():
    """As in a fit: on a busy machine, threads on small matrices wait for each other."""
    with threadpool_limits(1, "blas"):
        yield
