"""What holds for every test. Kept free of heavy imports: most tests need no TensorFlow."""

from __future__ import annotations

import os

# Before anything imports TensorFlow or matplotlib; child processes inherit it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")
