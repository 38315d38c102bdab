"""The git revision of the folder that a configuration is in."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def revision_tags(folder: Path) -> dict[str, str]:
    """Tags with commit, branch and whether files were changed; empty outside a repository.

    Args:
        folder: Where the configuration file is.
    """
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return {}
    tags = {"mlflow.source.git.commit": commit}
    branch = _git(folder, "rev-parse", "--abbrev-ref", "HEAD")
    if branch not in (None, "HEAD"):
        tags["mlflow.source.git.branch"] = str(branch)
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    if changed is not None:
        tags["elman.git.dirty"] = "true" if changed else "false"
    return tags


def _git(folder: Path, *arguments: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            # Reading must not take git's lock away from a person who commits at this moment.
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
