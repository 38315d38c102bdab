"""`ModelRepository`: a TF Serving model directory that never shows a half-written version."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from components.file_lock import file_lock
from components.push import directory
from components.push.files import ModelFiles, is_saved_model, remove, sync
from components.push.ledger import NAME, Event, EventKind, Ledger
from models.errors import BadInputError, FailedRunError
from models.export.metadata import model_digest

Clock = Callable[[], float]


@dataclass(frozen=True)
class Push:
    """What came of a push.

    Attributes:
        version: The version under which the model is live; None if it was refused.
        digest: Of the model.
        copied: Whether this call made the version.
        reason: In words, for people.
    """

    version: int | None
    digest: str
    copied: bool
    reason: str


@dataclass(frozen=True)
class Rollback:
    """The version that was taken away and the one that is live now."""

    removed: int
    live: int


@dataclass(frozen=True)
class ModelRepository:
    """The directory `base`, in which a model server loads the highest `<version>/`.

    Every change happens under a lock, by renaming whole directories; whatever a killed process
    left behind has a name that a model server passes over, and the next change removes it.

    Attributes:
        base: The directory; made by the first push.
        checkpoint: Called with the name of each step that is done (tests kill the process there).
        patience: Seconds to wait for another process that is changing the directory.
    """

    base: Path
    checkpoint: Callable[[str], None] = lambda _: None
    patience: float = 60.0

    def versions(self) -> tuple[int, ...]:
        """Versions a model server can see, ascending."""
        return tuple(sorted(directory.versions(self.base)))

    def live(self) -> int | None:
        """The version a model server serves: the highest; None if there is none."""
        return max(directory.versions(self.base), default=None)

    def path(self, version: int) -> Path:
        """The directory of `version`.

        Raises:
            KeyError: If there is no such version.
        """
        return directory.versions(self.base)[version]

    def ledger(self) -> Ledger:
        """The history as it was last written down (empty if unreadable)."""
        return Ledger.load(self.base) or Ledger()

    def push(self, saved_model: Path, *, clock: Clock = time.time, force: bool = False) -> Push:
        """Makes `saved_model` the live version, unless it is live already.

        Args:
            saved_model: Folder of a SavedModel; it is copied, not moved.
            clock: Unix seconds; versions rise strictly even if it stands still or goes back.
            force: Push a model that has been rolled back before.

        Raises:
            BadInputError: If `saved_model` or `base` cannot be used.
            FailedRunError: If the copy fails (nothing of it remains), or the directory is locked.
        """
        files = ModelFiles.of(saved_model)
        digest = model_digest(saved_model)
        with self._changing(clock) as ledger:
            live = self.live()
            if live is not None and directory.digest_of(self.path(live)) == digest:
                return Push(live, digest, False, f"already live as version {live}")
            refusal = ledger.refused.get(digest)
            if refusal is not None and not force:
                return Push(
                    None,
                    digest,
                    False,
                    f"this model was version {refusal.version} and was rolled back on "
                    f"{_day(refusal.at)}; to push it again all the same, use --force",
                )
            version = self._copy(files, ledger, clock)
            sync(self.base)
            self.checkpoint("base synced")
            self._record(ledger, "pushed", version, digest, clock)
        return Push(version, digest, True, f"pushed as version {version}")

    def retire(self, keep: int, *, clock: Clock = time.time) -> tuple[int, ...]:
        """Deletes all but the newest `keep` versions, never the live one; returns those deleted.

        Rolled-back versions go once a newer version is live.

        Raises:
            BadInputError: If `keep` is below 1.
            FailedRunError: If a version cannot be deleted, or the directory is locked.
        """
        if keep < 1:
            raise BadInputError(f"keep must be at least 1 (the live version), got {keep}")
        with self._changing(clock) as ledger:
            folders = directory.versions(self.base)
            doomed = sorted(folders)[:-keep]
            away: list[Path] = []
            for version in doomed:
                digest = directory.digest_of(folders[version])
                trash = self.base / f".retired-{version}-{uuid.uuid4().hex}"
                self._rename(folders[version], trash)
                self.checkpoint("retired renamed")
                ledger = self._record(ledger, "retired", version, digest, clock)
                away.append(trash)
            live = max(folders, default=0)
            away += [p for v, p in directory.rolled_back(self.base).items() if v < live]
            sync(self.base)
            for folder in away:
                self._delete(folder)
                self.checkpoint("retired deleted")
        return tuple(doomed)

    def rollback(self, *, clock: Clock = time.time) -> Rollback:
        """Takes the live version away, so that a model server falls back to the one before.

        Raises:
            BadInputError: If there is no version before the live one, or it does not load.
            FailedRunError: If the directory is locked or cannot be changed.
        """
        with self._changing(clock) as ledger:
            folders = directory.versions(self.base)
            if len(folders) < 2:
                what = f"version {max(folders)} is the only one" if folders else "nothing is live"
                raise BadInputError(
                    f"cannot roll back in {self.base}: {what}, so there is no version to go back "
                    "to; push another model first, or stop the model server"
                )
            previous, newest = sorted(folders)[-2:]
            if not is_saved_model(folders[previous]):
                raise BadInputError(
                    f"cannot roll back from version {newest}: the one before, {folders[previous]}, "
                    "is not a SavedModel; remove it, then roll back again"
                )
            digest = directory.digest_of(folders[newest])
            self.checkpoint("rollback checked")
            self._rename(folders[newest], self.base / f".rolled-back-{newest}")
            self.checkpoint("rollback renamed")
            sync(self.base)
            self._record(ledger, "rolled_back", newest, digest, clock)
        return Rollback(removed=newest, live=previous)

    def tidy(self, *, clock: Clock = time.time) -> None:
        """Removes what a killed process left behind, as every change does before it begins."""
        with self._changing(clock):
            pass

    def rolled_back(self) -> tuple[int, ...]:
        """Rolled-back versions that are still on disk, ascending."""
        return tuple(sorted(directory.rolled_back(self.base)))

    def _copy(self, files: ModelFiles, ledger: Ledger, clock: Clock) -> int:
        staging = self.base / f".staging-{uuid.uuid4().hex}"
        content = files.content_digest()
        try:
            files.copy_to(staging, self.checkpoint)
            if ModelFiles.of(staging).content_digest() != content:
                raise FailedRunError(
                    f"{files.root} changed while it was copied; nothing was pushed: "
                    "run again when nothing else writes to it"
                )
            self.checkpoint("copy verified")
            version = max(int(clock()), ledger.last_version + 1)
            if version > directory.LARGEST:
                raise FailedRunError(f"version {version} is beyond what a model server can read")
            # Written down before it exists: a number is never given out twice, even if the
            # directory is renamed, then deleted by hand before anything else runs here.
            ledger.reserved(version).save(self.base)
            self.checkpoint("version reserved")
            staging.rename(self.base / str(version))
            self.checkpoint("renamed")
        except OSError as error:
            raise FailedRunError(
                f"the model could not be copied into {self.base}: {error.strerror or error}; "
                "nothing was pushed and the version served before is untouched. "
                "Check free space and permissions, then run again"
            ) from error
        finally:
            if staging.exists():
                remove(staging)
        return version

    @contextmanager
    def _changing(self, clock: Clock) -> Iterator[Ledger]:
        parent = self.base.parent.resolve()
        if self.base.is_symlink() and not self.base.resolve().is_relative_to(parent):
            raise BadInputError(
                f"serving directory {self.base} is a link out of its folder, to "
                f"{self.base.resolve()}; write that path into serving.directory instead"
            )
        try:
            self.base.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInputError(
                f"serving directory {self.base} cannot be made: {error.strerror or error}; "
                "give a directory that can be written to as serving.directory"
            ) from error
        with file_lock(self.base / ".lock", f"model directory {self.base}", timeout=self.patience):
            self.checkpoint("locked")
            ledger = self._recover(clock)
            self.checkpoint("recovered")
            yield ledger

    def _recover(self, clock: Clock) -> Ledger:
        """Removes what a killed process left and writes down what it could not."""
        ledger = Ledger.load(self.base)
        if ledger is None:
            (self.base / NAME).rename(self.base / f"{NAME}.unreadable-{uuid.uuid4().hex}")
            ledger = Ledger()
        ledger = ledger.reserved(directory.highest_number(self.base))
        live, rolled = directory.versions(self.base), directory.rolled_back(self.base)
        for version in sorted({*rolled, *live}):
            kind: EventKind = "rolled_back" if version in rolled else "pushed"
            if ledger.find(kind, version) is None:
                digest = directory.digest_of((rolled if version in rolled else live)[version])
                ledger = self._record(ledger, kind, version, digest, clock)
        for version in directory.retired(self.base):
            pushed = ledger.find("pushed", version)
            if ledger.find("retired", version) is None and pushed is not None:
                ledger = self._record(ledger, "retired", version, pushed.digest, clock)
        for path in directory.stale(self.base):
            self._delete(path)
        return ledger

    def _record(
        self, ledger: Ledger, kind: EventKind, version: int, digest: str, clock: Clock
    ) -> Ledger:
        ledger = ledger.with_event(Event(kind, version, digest, int(clock())))
        try:
            ledger.save(self.base)
        except OSError as error:
            raise FailedRunError(
                f"{kind.replace('_', ' ')} version {version}, but the history {self.base / NAME} "
                f"could not be written: {error.strerror or error}; the next push writes it again"
            ) from error
        self.checkpoint(f"{kind} recorded")
        return ledger

    def _rename(self, source: Path, target: Path) -> None:
        try:
            source.rename(target)
        except OSError as error:
            raise FailedRunError(
                f"{source} could not be renamed to {target.name}: {error.strerror or error}; "
                "check the permissions of the serving directory"
            ) from error

    def _delete(self, path: Path) -> None:
        try:
            remove(path)
        except OSError as error:
            raise FailedRunError(
                f"{path} could not be deleted: {error.strerror or error}; "
                "it is no longer served: check its permissions and delete it"
            ) from error


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
