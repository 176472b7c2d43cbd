"""Acts on secrets that a setting names by a file: written once, never read back."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Final

from gatepost.admin.certfiles import service_owner
from gatepost.admin.desk import Desk
from gatepost.admin.generation import Generations
from gatepost.config.fault import written
from gatepost.config.source import KeyPath
from gatepost.secret import Secret
from gatepost.wholefile import Owner, replace_file

FOLDER: Final = "secrets"
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9]+")
_NAME_CHARACTERS: Final = 80
_REMEMBERED: Final = 1_000


class SecretActs:
    """The files of secrets beside the configuration."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._house = desk.house

    async def put(self, key: KeyPath, secret: Secret) -> str:
        """As `put_file`, for a secret of one line."""
        return await self.put_file(key, secret.reveal().encode() + b"\n")

    async def put_file(self, key: KeyPath, content: bytes) -> str:
        """A new file in `secrets/` holds the content for this key, readable by its owner alone.

        Nothing is in force before the file is named in the configuration, which is the answer's use: a path
        relative to it. A file that is there is never written to, so that an undo finds the old secret.

        Raises OSError.
        """
        act = "secret-put"
        self._desk.require(act)
        folder = self._house.file.parent / FOLDER
        settings = self._house.settings()
        name = await self._house.work(lambda: _put(folder, key, content, service_owner(settings.state)))
        await self._desk.note(act, written(key), after={"file": f"{FOLDER}/{name}"})
        return f"{FOLDER}/{name}"

    async def forget(self, drafts: Sequence[str]) -> list[str]:
        """Files that he had put and that nothing names are gone: what he would have applied is discarded.

        Neither the configuration nor a kept generation names them, nor one of `drafts`, the texts that are
        being changed. Raises OSError.
        """
        act = "secret-forget"
        self._desk.require(act)
        gone = await self._house.work(lambda: self._unnamed(drafts))
        for file in gone:
            await self._desk.note(act, file)
        return gone

    def _unnamed(self, drafts: Sequence[str]) -> list[str]:
        folder, texts = self._house.file.parent, [*drafts, self._house.file.read_text("utf-8")]
        kept = Generations(self._house.place.generations)
        gone = []
        for file in self._put_by_him():
            if not (folder / file).is_file() or any(_names(text, file) for text in texts):
                continue
            if any(_names(kept.text(one.number), file) for one in kept.history()):
                continue
            (folder / file).unlink()
            gone.append(file)
        return gone

    def _put_by_him(self) -> list[str]:
        audit = self._house.accounts.audit
        changes = audit.changes(who=self._desk.by, what="secret-put", limit=_REMEMBERED)
        return sorted({str((one.after or {}).get("file", "")) for one in changes} - {""})


def _names(text: str, file: str) -> bool:
    """Whether the text may name it; a longer name counts, too: better a file too many than one too few."""
    return file.rpartition("/")[2] in text


def _put(folder: Path, key: KeyPath, content: bytes, owner: Owner | None) -> str:
    if not folder.exists():
        folder.mkdir(mode=0o700)
        if owner is not None:
            os.chown(folder, owner.user, owner.group)
    name = _free(folder, key)
    replace_file(folder / name, content, mode=0o600, owner=owner)
    return name


def _free(folder: Path, key: KeyPath) -> str:
    words = _NOT_IN_A_NAME.sub("-", written(key).lower().removesuffix("_file")).strip("-")
    plain = words[:_NAME_CHARACTERS]
    names = (plain if number == 1 else f"{plain}-{number}" for number in count(1))
    return next(name for name in names if not os.path.lexists(folder / name))
