"""Any sequence of changes to a folder, against a model of what must be served after each look."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from serving.engine.manager import ModelManager
from serving.engine.settings import ServedModel, VersionPolicy
from serving.engine.version_status import State
from serving.status import ServingError
from tests.serving.engine.fake_versions import (
    BROKEN,
    Loads,
    as_fake,
    complete,
    write_half,
    write_version,
)

VERSIONS = st.integers(1, 4)
LOOK = st.sampled_from([True, True, False])
POLICIES = st.sampled_from(
    [VersionPolicy(), VersionPolicy.newest(2), VersionPolicy.all(), VersionPolicy.only(2, 3)]
)


class Folder(RuleBasedStateMachine):
    """What is on disk is read from the disk; what should be served is worked out from that."""

    @initialize(policy=POLICIES)
    def start(self, policy: VersionPolicy) -> None:
        self.base = Path(tempfile.mkdtemp())
        self.policy = policy
        self.loop = asyncio.new_event_loop()
        self.loads = Loads()
        self.manager = ModelManager(
            [ServedModel("m", self.base, policy)], load=self.loads, poll_seconds=0
        )
        self.served: set[int] = set()
        self.run(self.manager.start())

    def run(self, work: Any) -> None:
        self.loop.run_until_complete(asyncio.wait_for(work, 60))

    @rule(version=VERSIONS, broken=st.booleans(), look=LOOK)
    def push(self, version: int, broken: bool, look: bool) -> None:
        """Takes away what has the number, if there is something."""
        shutil.rmtree(self.base / str(version), ignore_errors=True)
        if version in self.served:
            self.look()  # else it would not be noticed: a version that is loaded is not looked at
        write_version(self.base, version, broken=broken)
        self.look(look)

    @rule(version=VERSIONS, broken=st.booleans(), done=st.booleans(), look=LOOK)
    def copy(self, version: int, broken: bool, done: bool, look: bool) -> None:
        """Begins to write a version, or ends it."""
        folder = self.base / str(version)
        if not folder.exists():
            write_half(self.base, version)
            self.look(look)
        if done and not (folder / "saved_model.pb").exists():
            complete(folder, broken=broken)
        self.look(look)

    @rule(version=VERSIONS, look=LOOK)
    def mend(self, version: int, look: bool) -> None:
        (self.base / str(version) / BROKEN).unlink(missing_ok=True)
        self.look(look)

    @rule(version=VERSIONS, back=st.booleans(), look=LOOK)
    def rename(self, version: int, back: bool, look: bool) -> None:
        names = (f".rolled-back-{version}", str(version))
        source, target = (self.base / name for name in (names if back else names[::-1]))
        if source.exists() and not target.exists():
            source.rename(target)
        self.look(look)

    @rule(version=VERSIONS, look=LOOK)
    def delete(self, version: int, look: bool) -> None:
        shutil.rmtree(self.base / str(version), ignore_errors=True)
        self.look(look)

    def look(self, really: bool = True) -> None:
        """Two looks, for what was broken is tried again when it was the same at two."""
        if not really:
            return
        self.run(self.manager.poll())
        self.run(self.manager.poll())
        candidates = self.on_disk()
        if self.policy.specific is not None:
            candidates &= self.policy.specific
        # What is loaded stays good, whatever becomes of its folder, as long as that is there.
        good = candidates & ((self.whole() - self.broken()) | self.served)
        chosen = set(sorted(good, reverse=True)[: self.policy.latest])
        if not chosen and candidates:
            chosen = {max(self.served)} if self.served else set()
        self.served = chosen
        assert set(self.available()) == self.served

    @precondition(lambda self: hasattr(self, "manager"))
    @invariant()
    def the_newest_that_is_available_answers(self) -> None:
        """At any time, and it is not broken and not closed."""
        if not self.served:
            return
        with self.manager.use("m") as servable:
            assert servable.version == max(self.served)
            assert not as_fake(servable).closed
        for version in self.served:
            with self.manager.use("m", version) as servable:
                assert servable.version == version

    @precondition(lambda self: hasattr(self, "manager"))
    @invariant()
    def nothing_else_stays_in_memory(self) -> None:
        async def dropped() -> None:
            while self.loads.open() != sorted(self.served):
                await asyncio.sleep(0.001)

        self.run(dropped())

    def available(self) -> Iterable[int]:
        try:
            found = self.manager.status("m")
        except ServingError:
            return []
        return [each.version for each in found if each.state is State.AVAILABLE]

    def on_disk(self) -> set[int]:
        return {int(p.name) for p in self.base.iterdir() if p.name.isdecimal()}

    def whole(self) -> set[int]:
        return {v for v in self.on_disk() if (self.base / str(v) / "saved_model.pb").exists()}

    def broken(self) -> set[int]:
        return {v for v in self.on_disk() if (self.base / str(v) / BROKEN).exists()}

    def teardown(self) -> None:
        if hasattr(self, "manager"):
            self.run(self.manager.stop())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()
            shutil.rmtree(self.base)


TestFolder = Folder.TestCase
TestFolder.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
