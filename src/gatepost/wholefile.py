"""Files that hold all of what was written or what they held before, also after a power cut.

A draft beside the file is written and synced, then takes its name. (The spool has its own way, through
`store/disk.py`, where a test can let the disk fail.)
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Owner:
    """User and group by number."""

    user: int
    group: int


def replace_file(path: Path, content: bytes, *, mode: int | None = None, owner: Owner | None = None) -> None:
    """The file holds the content. A link stays a link.

    Without `mode` and `owner` one that is there keeps its own, as far as we may give it; a new one is 0600
    and ours. Raises OSError; the old file stands untouched then.
    """
    path = path.resolve()
    draft = draft_file(path, content, mode=mode, owner=owner)
    try:
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def draft_file(path: Path, content: bytes, *, mode: int | None = None, owner: Owner | None = None) -> Path:
    """A synced file beside `path` that may take its name by `os.replace`. Raises OSError, and leaves none."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            _keep_rights(path, descriptor, mode, owner)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        os.unlink(name)
        raise
    return Path(name)


def _keep_rights(path: Path, descriptor: int, mode: int | None, owner: Owner | None) -> None:
    there = path.stat() if path.exists() else None
    if mode is not None:
        os.fchmod(descriptor, mode)
    elif there is not None:
        os.fchmod(descriptor, there.st_mode & 0o7777)
    if owner is not None:
        os.fchown(descriptor, owner.user, owner.group)
    elif there is not None and (there.st_uid, there.st_gid) != (os.geteuid(), os.getegid()):
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, there.st_uid, there.st_gid)


def sync_folder(folder: Path) -> None:
    """Names made in the folder are on the disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
