"""What `elman run` does, with a clock between its imports and the rest.

Prints one line of JSON: seconds by part, and the scores.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main() -> None:
    """Runs the configuration that is named on the command line."""
    out = sys.stdout
    sys.stdout = sys.stderr
    from benchmarks.quarter.__main__ import warm
    from pipeline.config import load
    from pipeline.runner.run import run_pipeline

    warm()
    imported = time.perf_counter()
    result = run_pipeline(load(Path(sys.argv[1])))
    ended = time.perf_counter()
    found = result.models["candidate"]
    nodes = {node.node: node.seconds for node in result.nodes}
    answer = {
        "seconds": {"run": ended - imported, "nodes": nodes},
        "scores": {"mse": found["mse_scaled"], "mae": found["mae_scaled"]},
        "windows": result.windows,
        "pushed": result.push.pushed,
    }
    out.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
