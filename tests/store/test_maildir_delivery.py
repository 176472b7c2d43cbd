"""Deliveries: whole or not at all, each for itself, within its quota, and not twice."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.pop3 import content
from gatepost.store import maildir
from gatepost.store.disk import Buffer, Disk
from gatepost.store.groupsync import GroupSync
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.maildelivery import Delivered, Delivery, Form, Postman, Undelivered
from gatepost.store.storedform import StoredPieces, stored_form
from gatepost.store.usages import Usages
from gatepost.wire.dots import stuff

MESSAGE = b"Subject: x\r\n\r\nhello\r\n"


class Clock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds


def postman(disk: Disk | None = None, clock: Clock | None = None) -> Postman:
    clock = clock or Clock()
    return Postman("h", Usages(clock), disk=disk, now=clock, report=lambda event, /, **fields: None)


def files(mailbox: Path) -> list[str]:
    return [name for folder in ("new", "cur", "tmp") for name in os.listdir(mailbox / folder)]


class FullDisk(Disk):
    """Has room for a few writes; then none."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, fd: int, buffers: Sequence[Buffer]) -> int:
        self.room -= 1
        if self.room < 0:
            os.write(fd, bytes(buffers[0])[:5])
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(fd, buffers)


class BrokenSync:
    """Fails where it is told to."""

    def __init__(self, *, at_files: bool) -> None:
        self._at_files = at_files

    def files(self, files: Iterable[int]) -> None:
        if self._at_files:
            raise OSError(errno.EIO, "I/O error")

    def folders(self, folders: Iterable[str]) -> None:
        raise OSError(errno.EIO, "I/O error")


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    results = postman(FullDisk(2)).deliver([Delivery(tmp_path / "a", b"", MESSAGE) for _ in range(4)])
    assert [type(result) for result in results[:2]] == [Delivered, Delivered]
    assert results[2:] == [Undelivered.DISK_FULL] * 2
    assert len(os.listdir(tmp_path / "a" / "new")) == len(files(tmp_path / "a")) == 2


@pytest.mark.parametrize("at_files", [True, False])
def test_a_failed_sync_delivers_none_of_the_batch(tmp_path: Path, at_files: bool) -> None:
    clock = Clock()
    broken = Postman(
        "h", Usages(clock), syncs=BrokenSync(at_files=at_files), now=clock, report=lambda e, /, **f: None
    )
    batch = [Delivery(tmp_path / name, b"", MESSAGE) for name in ("a", "b", "c")]
    assert broken.deliver(batch) == [Undelivered.DISK_FAILED] * 3
    assert all(files(tmp_path / name) == [] for name in ("a", "b", "c"))


def test_one_bad_delivery_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"a file where a mailbox should be")

    def broken() -> Iterator[bytes]:
        yield MESSAGE
        raise OSError(errno.EIO, "the spool can't be read")

    results = postman().deliver(
        [
            Delivery(tmp_path / "bad", b"", MESSAGE),
            Delivery(tmp_path / "a", b"", broken()),
            Delivery(tmp_path / "a", b"", MESSAGE),
        ]
    )
    assert results[:2] == [Undelivered.DISK_FAILED] * 2
    assert isinstance(results[2], Delivered)
    assert len(files(tmp_path / "a")) == 1


def test_a_batch_does_not_pass_the_quota_together(tmp_path: Path) -> None:
    clock = Clock()
    post = postman(clock=clock)
    quota_bytes = len(MESSAGE) * 3
    batch = [Delivery(tmp_path / "a", b"", MESSAGE, quota_bytes=quota_bytes) for _ in range(5)]
    results = post.deliver(batch)
    assert results[3:] == [Undelivered.OVER_QUOTA] * 2
    assert maildir.usage(tmp_path / "a").size_bytes == quota_bytes
    pieces = Delivery(tmp_path / "a", b"", [MESSAGE], quota_bytes=quota_bytes)
    assert post.deliver([pieces]) == [Undelivered.OVER_QUOTA]
    with maildir.open_session(tmp_path / "a") as session:
        session.expunge((0,))
    clock.seconds += 60
    assert isinstance(post.deliver([batch[0]])[0], Delivered)
    assert len(files(tmp_path / "a")) == 3


def test_what_a_crash_left_unrecorded_is_not_delivered_twice(tmp_path: Path) -> None:
    first = postman().deliver([Delivery(tmp_path / "a", b"", MESSAGE, token="00A1N0")])
    again = Delivery(tmp_path / "a", b"", MESSAGE, token="00A1N0", perhaps_there=True)
    other = Delivery(tmp_path / "a", b"", MESSAGE, token="00A1N1", perhaps_there=True)
    fresh = Delivery(tmp_path / "never", b"", MESSAGE, token="00A1N0", perhaps_there=True)
    results = postman().deliver([again, other, fresh])
    assert results[0] == first[0]
    assert len(files(tmp_path / "a")) == 2
    assert len(files(tmp_path / "never")) == 1


def test_more_messages_than_files_may_be_open(tmp_path: Path) -> None:
    batch = [Delivery(tmp_path / f"box{n % 7}", b"X: y\r\n", MESSAGE) for n in range(300)]
    results = postman().deliver(batch)
    assert len({result.uidl for result in results if isinstance(result, Delivered)}) == 300


def test_flags_and_times_come_along(tmp_path: Path) -> None:
    postman().deliver(
        [Delivery(tmp_path / "a", b"", MESSAGE, Form.PLAIN, flags="SF", came_at=1_000_000_000.0)]
    )
    (file,) = (tmp_path / "a" / "cur").iterdir()
    assert file.name.endswith(":2,FS")
    assert file.stat().st_mtime == 1_000_000_000.0


def test_each_way_to_sync_says_when_it_fails(tmp_path: Path) -> None:
    sync = GroupSync(Disk())
    with pytest.raises(OSError):
        sync.files([9999, 9998, 9997])
    with pytest.raises(OSError):
        sync.folders([f"{tmp_path}/none", f"{tmp_path}/nor", f"{tmp_path}/neither"])
    sync.files([])
    sync.folders([])


LINES = st.lists(st.sampled_from([b"a", b".", b"..", b"", b"From x", b"\xff"]), max_size=12)


@given(LINES, st.lists(st.integers(0, 60), max_size=5))
@settings(deadline=None)
def test_what_came_over_smtp_goes_out_over_pop3(lines: list[bytes], cuts: list[int]) -> None:
    plain = b"".join(line + b"\r\n" for line in lines)
    wire = stuff(plain)
    cuts = sorted({min(cut, len(wire)) for cut in cuts})
    header = b"Received: x\r\n"
    pieces = StoredPieces(header, [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)])
    stored = b"".join(pieces)
    whole = stored_form(header + plain)
    assert stored == whole.message
    assert content.wire(stored) == stuff(header + plain) + b".\r\n"
    assert pieces.virtual_bytes == whole.virtual_bytes == len(header + plain)
    assert pieces.stored_bytes == len(stored)


@given(st.lists(st.sampled_from([b"\r\n", b"\r", b"a", b"."]), max_size=12).map(b"".join))
def test_a_lone_cr_comes_back(message: bytes) -> None:
    form = stored_form(message)
    assert content.crlf(form.message) == content.crlf(message)
    assert form.virtual_bytes == content.size_bytes(form.message)


def test_what_was_collected_and_deleted_is_not_delivered_again(tmp_path: Path) -> None:
    """The queue did not come to record the delivery before it was killed."""
    boxes = Mailboxes(tmp_path, "mail.example")
    mailbox = boxes.folder("ann")
    first, second = (Delivery(mailbox, b"", b"Subject: x\r\n\r\nx\r\n", token=f"T{n}") for n in (1, 2))
    assert all(isinstance(result, Delivered) for result in boxes.deliver([first, second]))
    for _session in range(2):  # what an earlier session deleted is remembered too
        with boxes.open("ann") as session:
            session.expunge([0])
    assert (mailbox / "gatepost-gone").exists()
    again = boxes.deliver([replace(first, perhaps_there=True), replace(second, perhaps_there=True)])
    assert all(isinstance(result, Delivered) for result in again)
    with boxes.open("ann") as session:
        assert len(session) == 0
    boxes.deliver([replace(first, token="T3", perhaps_there=True)])
    with boxes.open("ann") as session:
        assert len(session) == 1


def test_old_mail_that_is_deleted_leaves_nothing_behind(tmp_path: Path) -> None:
    boxes = Mailboxes(tmp_path, "mail.example")
    mailbox = boxes.create("ann")
    (mailbox / "new" / "1700000000.M1P1RT1.host").write_bytes(b"Subject: x\n\nx\n")
    (mailbox / "gatepost-gone").write_bytes(b"rubbish")
    with boxes.open("ann") as session:
        session.expunge([0])
    assert sorted(path.name for path in mailbox.iterdir() if path.name.startswith("gatepost")) == [
        "gatepost-index",
        "gatepost-lock",
    ]
