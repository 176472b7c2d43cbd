"""The next hop `capture:DIR`: every message becomes a file, for demonstrations and tests.

`ID.eml` holds the content byte for byte as a mail program would get it (dots unstuffed), `ID.json`
beside it the envelope. Both are synced and appear whole: a reader never sees half a message.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from gatepost.delivery.parcel import Parcel, Problem
from gatepost.mail.envelope import Envelope, Recipient
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.failure import SpoolError
from gatepost.wire.dots import Unstuffer

_BATCH_BYTES = 1 << 20


class Settle(Protocol):
    """Hears outcomes. `more`: others follow for this parcel."""

    def __call__(self, parcel: Parcel, outcomes: list[Outcome], *, more: bool) -> None: ...


class Capture:
    """Takes the parcels of one folder."""

    def __init__(self, folder: Path, settle: Settle) -> None:
        self._folder = folder
        self._settle = settle

    async def carry(self, parcels: Sequence[Parcel]) -> None:
        """Every parcel is a file, or deferred."""
        await asyncio.gather(*(self._one(parcel) for parcel in parcels))

    async def _one(self, parcel: Parcel) -> None:
        job = parcel.job
        recipients = [job.envelope.recipients[index] for index in parcel.recipients]
        try:
            await capture(self._folder, job.id, job.envelope, recipients, job.chunks())
        except (OSError, SpoolError) as error:
            outcomes = parcel.all(Problem(451, "4.3.0", f"capture failed: {error}"))
        else:
            words = f"captured in {self._folder}"
            outcomes = [
                Outcome(index, Disposition.RELAYED, 250, "2.0.0", words) for index in parcel.recipients
            ]
        self._settle(parcel, outcomes, more=False)


async def capture(
    folder: Path,
    queue_id: str,
    envelope: Envelope,
    recipients: Sequence[Recipient],
    chunks: AsyncIterator[bytes],
) -> None:
    """The message is in `folder` and on disk. The same id again replaces the file: no duplicate.

    `chunks` is the wire form.

    Raises:
        OSError: it could not be written; nothing of it is left.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    name = queue_id if len(recipients) == len(envelope.recipients) else f"{queue_id}-{_slug(recipients)}"
    temporary = folder / f".{name}.tmp"
    descriptor = await asyncio.to_thread(os.open, temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        try:
            await _write(descriptor, chunks)
        finally:
            os.close(descriptor)
        await asyncio.to_thread(_publish, folder, name, temporary, _record(queue_id, envelope, recipients))
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


async def _write(descriptor: int, chunks: AsyncIterator[bytes]) -> None:
    unstuffer = Unstuffer()
    held: list[bytes] = []
    held_bytes = 0
    async for chunk in chunks:
        held.append(unstuffer.feed(chunk))
        held_bytes += len(held[-1])
        if held_bytes >= _BATCH_BYTES:
            await asyncio.to_thread(_write_all, descriptor, b"".join(held))
            held, held_bytes = [], 0
    held.append(unstuffer.finish())
    await asyncio.to_thread(_write_all, descriptor, b"".join(held))
    await asyncio.to_thread(os.fsync, descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _publish(folder: Path, name: str, temporary: Path, record: dict[str, Any]) -> None:
    beside = folder / f".{name}.json.tmp"
    with beside.open("w", encoding="utf-8") as file:
        json.dump(record, file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    # the envelope first: who sees the .eml finds its .json
    beside.replace(folder / f"{name}.json")
    temporary.replace(folder / f"{name}.eml")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _record(queue_id: str, envelope: Envelope, recipients: Sequence[Recipient]) -> dict[str, Any]:
    return {
        "queue_id": queue_id,
        "sender": "" if envelope.sender is None else str(envelope.sender),
        "recipients": [str(recipient.address) for recipient in recipients],
        "user": envelope.origin.user,
        "peer": envelope.origin.peer,
        "virtual_server": envelope.origin.virtual_server,
        "received_at": envelope.origin.received_at.isoformat(),
        "body": envelope.body.value,
        "smtputf8": envelope.smtputf8,
    }


def _slug(recipients: Sequence[Recipient]) -> str:
    """Told apart: two next hops of one message may be captured in the same folder."""
    address = recipients[0].address
    return "".join(c if c.isalnum() or c in "._-@" else "_" for c in f"{address.local}@{address.domain}")[:80]
