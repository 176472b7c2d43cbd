"""Acts on secrets that a setting names by a file: written once, never read back."""

from __future__ import annotations

import os
import re
from itertools import count
from pathlib import Path
from typing import Final

from gatepost.admin.certfiles import service_owner
from gatepost.admin.desk import Desk
from gatepost.config.fault import written
from gatepost.config.source import KeyPath
from gatepost.secret import Secret
from gatepost.wholefile import Owner, replace_file

FOLDER: Final = "secrets"
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9]+")
_NAME_CHARACTERS: Final = 80


class SecretActs:
    """The files of secrets beside the configuration."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._house = desk.house

    async def put(self, key: KeyPath, secret: Secret) -> str:
        """A new file in `secrets/` holds the secret for this key, readable by its owner alone.

        Nothing is in force before the file is named in the configuration, which is the answer's use: a path
        relative to it. A file that is there is never written to, so that an undo finds the old secret.

        Raises OSError.
        """
        act = "secret-put"
        self._desk.require(act)
        folder = self._house.file.parent / FOLDER
        settings = self._house.settings()
        name = await self._house.work(lambda: _put(folder, key, secret, service_owner(settings.state)))
        await self._desk.note(act, written(key), after={"file": f"{FOLDER}/{name}"})
        return f"{FOLDER}/{name}"


def _put(folder: Path, key: KeyPath, secret: Secret, owner: Owner | None) -> str:
    if not folder.exists():
        folder.mkdir(mode=0o700)
        if owner is not None:
            os.chown(folder, owner.user, owner.group)
    name = _free(folder, key)
    replace_file(folder / name, secret.reveal().encode() + b"\n", mode=0o600, owner=owner)
    return name


def _free(folder: Path, key: KeyPath) -> str:
    words = _NOT_IN_A_NAME.sub("-", written(key).lower().removesuffix("_file")).strip("-")
    plain = words[:_NAME_CHARACTERS]
    names = (plain if number == 1 else f"{plain}-{number}" for number in count(1))
    return next(name for name in names if not os.path.lexists(folder / name))
