"""What holds for every test. Kept free of heavy imports: most tests need no TensorFlow."""

from __future__ import annotations

import os
import signal
import threading

# A suite that is started in the background is started with Ctrl-C ignored, and so would be all
# that it starts.
if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    and threading.current_thread() is threading.main_thread()
):
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Before anything imports TensorFlow or matplotlib; child processes inherit it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")

from hypothesis import settings

# Hooks: pytest finds them here by their names.
from tests.serving.contract.summary import (  # noqa: F401
    pytest_collection_modifyitems,
    pytest_terminal_summary,
)

# No test may fail for the machine being busy; the CI runs the same cases every time.
settings.register_profile("elman", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("elman")
