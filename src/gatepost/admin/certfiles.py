"""The files of a certificate: written whole, the pair before kept, named in the configuration."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gatepost.admin.certimport import CannotImport
from gatepost.config.edit import Draft
from gatepost.server.certificate import KeyPair
from gatepost.wholefile import Owner, draft_file, sync_folder

_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the certificate NAME lies: `certs/NAME.pem` and `certs/NAME.key` beside the configuration."""

    chain: Path
    key: Path


def places(folder: Path, name: str) -> Places:
    """Raises CannotImport for a name that is no file name."""
    if not _NAME.fullmatch(name):
        raise CannotImport(f"{name!r} does not serve as a name: use letters, digits, '.', '-' and '_'")
    return Places(folder / "certs" / f"{name}.pem", folder / "certs" / f"{name}.key")


def put(pair: KeyPair, where: Places, owner: Owner | None = None) -> list[Path]:
    """The pair lies there, whole, the key readable by its owner alone; what lay there before is `.old`.

    `owner` gets both when they are written for another. The old files are the answer.
    Raises OSError.
    """
    folder = where.chain.parent
    if not folder.exists():
        folder.mkdir(parents=True, mode=0o700)
        if owner is not None:
            os.chown(folder, owner.user, owner.group)
    drafts = [
        (draft_file(where.key, pair.key, mode=0o600, owner=owner), where.key),
        (draft_file(where.chain, pair.chain, mode=0o644, owner=owner), where.chain),
    ]
    kept = []
    for _, place in drafts:
        if place.exists():
            old = place.with_name(place.name + ".old")
            old.unlink(missing_ok=True)
            os.link(place, old)
            kept.append(old)
    for draft, place in drafts:
        os.replace(draft, place)
    sync_folder(where.chain.parent)
    return kept


def service_owner(state: Path) -> Owner | None:
    """Whose the service's files are: the state folder's owner, when root writes for somebody else."""
    try:
        status = state.stat()
    except OSError:
        return None
    return Owner(status.st_uid, status.st_gid) if os.geteuid() == 0 and status.st_uid else None


def named_in(file: Path, name: str, where: Places) -> bool:
    """The configuration names the pair as `[certificates.NAME]`, its comments as before.

    Whether it had to be changed. Raises OSError, EditError.
    """
    draft = Draft(file)
    wanted = {"chain": _from(file.parent, where.chain), "key": _from(file.parent, where.key)}
    if draft.value(("certificates", name)) == wanted:
        return False
    for key in ("pfx", "pfx_password_file"):
        if draft.value(("certificates", name, key)) is not None:
            draft.delete(("certificates", name, key))
    for key, value in wanted.items():
        draft.set(("certificates", name, key), value)
    draft.save()
    return True


def _from(folder: Path, file: Path) -> str:
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)
