"""Debian's own Chromium, watched: a request that would leave the machine is stopped and kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

# Fixtures: pytest finds them here by their names.
from tests.components.conftest import (  # noqa: F401
    migrated_database,
    new_tracking_store,
    tracking_store,
)

NAMES = ("chromium", "chromium-browser", "google-chrome")
HERE = ("127.0.0.1", "localhost", "[::1]")
PATIENCE = 90_000
"""Milliseconds that a busy machine may take for one step."""


@dataclass
class Watched:
    """A browser window and what it did.

    Attributes:
        page: The window.
        left: Addresses outside this machine that were asked for; none of them was reached.
        files: Files that were read.
        errors: Errors of scripts, and what the browser refused.
    """

    page: Page
    left: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


# For a module, not for the session: while it runs, Playwright has an event loop in this thread, and
# tests of other modules could not start one of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium; where it is missing, a skip, or a failure with ELMAN_BROWSER=required.

    `.ci/run` installs it where it may; a machine on which nobody is root, or that reaches no
    packages of Debian, still has all other tests to pass.
    """
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        words = "Chromium is not installed (as root: bash requirements/browser.sh)"
        if os.environ.get("ELMAN_BROWSER") == "required":
            pytest.fail(words)
        pytest.skip(words)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=program,
            # A container may have 64 MB of shared memory, with which pages crash.
            args=["--disable-dev-shm-usage"],
        )
        yield running
        running.close()


@pytest.fixture
def watch(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Opens watched windows; the arguments are those of a browser context."""
    contexts: list[BrowserContext] = []

    def make(**options: object) -> Watched:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        watched = Watched(context.new_page())

        def decide(route: Route) -> None:
            address = urlsplit(route.request.url)
            if address.scheme == "file":
                watched.files.append(Path(address.path))
            elif address.hostname is None or address.hostname not in HERE:
                watched.left.append(route.request.url)
                route.abort()
                return
            route.continue_()

        context.route("**/*", decide)
        for page in context.pages:
            page.on("pageerror", lambda error: watched.errors.append(str(error)))
            page.on(
                "console",
                lambda said: watched.errors.append(said.text) if said.type == "error" else None,
            )
        return watched

    yield make
    for context in contexts:
        context.close()
