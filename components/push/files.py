"""The files of a SavedModel: what is there, what it is worth (a digest), and a durable copy."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.errors import BadInputError


@dataclass(frozen=True)
class ModelFiles:
    """The contents of a folder, in a fixed order.

    Attributes:
        root: The folder.
        folders: Paths below `root` of every folder, parents first.
        files: Paths below `root` of every file.
    """

    root: Path
    folders: tuple[str, ...]
    files: tuple[str, ...]

    @classmethod
    def of(cls, root: Path) -> ModelFiles:
        """Lists `root`, refusing whatever cannot be copied as a plain file or folder.

        A link to a file inside the model counts as that file.

        Raises:
            BadInputError: If `root` is no SavedModel, or holds a link out of the model, a link to
                a folder, a broken link, a socket, a pipe or a device.
        """
        if not is_saved_model(root):
            raise BadInputError(
                f"{root} is not a SavedModel: expected a folder with saved_model.pb; "
                "give the folder that tf.saved_model.save or model.export wrote"
            )
        inside = root.resolve()
        folders: list[str] = []
        files: list[str] = []
        for here, below, names in os.walk(root):
            below.sort()
            for name in below:
                folder = Path(here, name)
                if folder.is_symlink():
                    raise BadInputError(
                        f"{folder} is a link to a folder; a pushed model holds plain files and "
                        "folders only: replace the link by what it points to"
                    )
                folders.append(folder.relative_to(root).as_posix())
            for name in names:
                file = Path(here, name)
                target = file.resolve()
                if file.is_symlink() and not target.is_relative_to(inside):
                    raise BadInputError(
                        f"{file} is a link out of the model, to {target}; "
                        "replace it by a copy of the file"
                    )
                if not target.is_file():
                    raise BadInputError(
                        f"{file} is neither a file nor a folder (a broken link, a socket, a pipe "
                        "or a device); remove it from the model"
                    )
                files.append(file.relative_to(root).as_posix())
        return cls(root, tuple(sorted(folders)), tuple(sorted(files)))

    def content_digest(self) -> str:
        """SHA-256 over the names and contents of all files, 64 hexadecimal digits.

        For comparing copies; `models.export.metadata.model_digest` says whether two exports are
        the same model.
        """
        total = hashlib.sha256()
        for name in self.files:
            with (self.root / name).open("rb") as file:
                content = hashlib.file_digest(file, "sha256").digest()
            total.update(name.encode("utf-8", "surrogateescape") + b"\0" + content)
        return total.hexdigest()

    def copy_to(self, destination: Path, checkpoint: Callable[[str], None]) -> None:
        """Copies everything into the new folder `destination` and waits until it is on disk.

        Modes are those of newly made files, not those of the source: a model server may run as
        another user than the pipeline.

        Args:
            destination: A folder that does not exist yet.
            checkpoint: Called with the name of each step that is done.

        Raises:
            OSError: If the copy fails, for example on a full disk.
        """
        destination.mkdir()
        checkpoint("staging made")
        for folder in self.folders:
            (destination / folder).mkdir()
        for name in self.files:
            shutil.copyfile(self.root / name, destination / name)
            sync(destination / name)
            checkpoint("file copied")
        for folder in reversed(self.folders):
            sync(destination / folder)
        sync(destination)
        checkpoint("copy synced")


def is_saved_model(folder: Path) -> bool:
    """Whether `folder` looks like a SavedModel to a model server."""
    return (folder / "saved_model.pb").is_file()


def sync(path: Path) -> None:
    """Waits until the file or folder at `path` is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Deletes a folder and all below it, or a link (never what it points to)."""
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
    elif path.exists():
        shutil.rmtree(path)
