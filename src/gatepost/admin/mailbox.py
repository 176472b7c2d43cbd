"""Mailboxes as an operator handles them: what is in them, and old mail in and out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from gatepost.admin.accounts import whole_name
from gatepost.config.schema import Settings
from gatepost.store import mailscan
from gatepost.store.account_error import NotFound
from gatepost.store.accounts import Accounts
from gatepost.store.disk import Disk
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.mailimport import Importer, Progress, export_mbox
from gatepost.store.mailindex import Listing
from gatepost.store.place import Place

Row = dict[str, Any]


class NotImportable(Exception):
    """What was named holds no mail that could be read; the text says why and what would."""


def mailboxes(settings: Settings) -> Mailboxes:
    """All mailboxes. What fails is told to who asked, once, and not logged for each message."""
    return Mailboxes(Place(settings.state).mailboxes, settings.hostname, report=_unheard)


def _unheard(event: str, /, **fields: object) -> None:
    """Nothing is done."""


def account_of(settings: Settings, accounts: Accounts, boxes: Mailboxes, name: str) -> str:
    """The account whose mailbox is meant: a user's, or one that is there without a user.

    Raises: NotFound.
    """
    user = accounts.users.find(name, tuple(settings.domains))
    if user is not None:
        return user.name
    whole = whole_name(settings, name.strip()).lower()
    if boxes.exists(whole):
        return whole
    raise NotFound(f"{name} has no mailbox", "`gatepost mailbox list` shows those there are")


def rows(settings: Settings, accounts: Accounts, boxes: Mailboxes) -> list[Row]:
    """Every mailbox, sorted by account."""
    quotas = {user.name: user.quota_bytes for user in accounts.users.all()}
    return [_row(settings, boxes, account, quotas) for account in boxes.names()]


def listed(settings: Settings, accounts: Accounts, boxes: Mailboxes, account: str) -> Row:
    """One mailbox as it stands in the list."""
    user = accounts.users.find(account)
    return _row(settings, boxes, account, {} if user is None else {user.name: user.quota_bytes})


def row(settings: Settings, accounts: Accounts, boxes: Mailboxes, account: str) -> Row:
    """One mailbox, also with where it lies and from when its mail is. Raises: OSError."""
    folder = boxes.folder(account)
    found = mailscan.listing(folder, locked=False) if boxes.exists(account) else None
    times = _times(folder, found) if found is not None else []
    return listed(settings, accounts, boxes, account) | {
        "folder": str(folder),
        "oldest": min(times, default=None),
        "newest": max(times, default=None),
        "no_messages": found.foreign if found is not None else 0,
        "subfolders": subfolders(folder),
    }


def _row(settings: Settings, boxes: Mailboxes, account: str, quotas: dict[str, int | None]) -> Row:
    usage = boxes.usage(account)
    own = quotas.get(account)
    return {
        "account": account,
        "messages": usage.messages,
        "size_bytes": usage.size_bytes,
        "quota_bytes": settings.mailboxes.quota_bytes if own is None else own,
        "has_user": account in quotas,
    }


def _times(folder: Path, found: Listing) -> list[str]:
    """When each message came, as ISO times: in an imported mailbox the last is not always the newest."""
    times = []
    for entry in found.entries:
        try:
            came_at = os.stat(mailscan.path(folder, entry)).st_mtime
        except FileNotFoundError:
            continue  # somebody has just collected it
        times.append(datetime.fromtimestamp(came_at, UTC).isoformat(timespec="seconds"))
    return times


def subfolders(folder: Path) -> list[str]:
    """The Maildir++ folders below: of no concern to POP3, and neither ex- nor imported."""
    try:
        return sorted(entry.name[1:] for entry in os.scandir(folder) if _is_subfolder(entry))
    except FileNotFoundError:
        return []


def _is_subfolder(entry: os.DirEntry[str]) -> bool:
    return entry.name.startswith(".") and (Path(entry.path) / "cur").is_dir()


def import_from(boxes: Mailboxes, account: str, source: Path) -> Iterator[Progress]:
    """All mail of an mbox file or a Maildir is in the mailbox; what was there already is not added again.

    Raises:
        NotImportable: it is neither.
        MboxError, ImportRunning, ImportStopped, OSError: it could not begin, or not go on.
    """
    importer = boxes.importer(account)
    if source.is_dir():
        if not ((source / "cur").is_dir() and (source / "new").is_dir()):
            raise NotImportable(f"{source} holds no cur and new; name a Maildir or an mbox file")
        yield from importer.from_maildir(source)
        return
    if not source.is_file():
        raise NotImportable(f"{source} is not there; name a Maildir or an mbox file")
    with source.open("rb") as file:
        yield from importer.from_mbox(file)


def export_to_mbox(boxes: Mailboxes, account: str, file: BinaryIO) -> Iterator[Progress]:
    """All messages stand in the file. Raises: MailboxInUse, MailboxFailed, OSError."""
    with boxes.open(account) as session:
        yield from export_mbox(session, file)


def export_to_maildir(settings: Settings, boxes: Mailboxes, account: str, target: Path) -> Iterator[Progress]:
    """All messages are in that Maildir, with their flags and times. Raises: ImportStopped, OSError."""
    yield from Importer.into(target, settings.hostname).from_maildir(boxes.folder(account))


@contextmanager
def written_whole(target: Path) -> Iterator[BinaryIO]:
    """The file at `target` is there whole when the block ends well, else not at all. Raises: OSError."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        Disk().sync_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)
