"""A mailbox: what is delivered is there, stays, and goes in one step."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.pop3 import content
from gatepost.store import expunge, maildir, mailindex
from gatepost.store.disk import Buffer, Disk
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.maildelivery import Delivered, Delivery
from gatepost.store.maildir import MailboxFailed, MailboxInUse, MessageGone

MESSAGE = b"Subject: x\r\n\r\nhello\r\n..dot\r\n"  # wire form


@pytest.fixture
def boxes(tmp_path: Path) -> Mailboxes:
    return Mailboxes(tmp_path / "mailboxes", "mail.example.org")


def put(boxes: Mailboxes, account: str, *messages: bytes) -> list[str]:
    results = boxes.deliver([Delivery(boxes.folder(account), b"", message) for message in messages])
    assert all(isinstance(result, Delivered) for result in results)
    return [result.uidl for result in results if isinstance(result, Delivered)]


def all_uidls(session: maildir.Session) -> list[str]:
    return [session.uidls[index] for index in range(len(session))]


def read_flag(mailbox: Path, place: int = 0) -> Path:
    """What Dovecot does when a message was read."""
    file = sorted((mailbox / "new").iterdir())[place]
    return file.rename(mailbox / "cur" / (file.name + ":2,S"))


def test_a_mailbox_that_is_not_there_is_made_and_empty(boxes: Mailboxes) -> None:
    with boxes.open("ann") as session:
        assert len(session) == 0
    assert boxes.names() == ["ann"]


def test_messages_come_back_byte_for_byte_in_order(boxes: Mailboxes) -> None:
    uidls = put(boxes, "ann", MESSAGE, b"Subject: two\r\n\r\nsecond\r\n")
    with boxes.open("ann") as session:
        assert content.wire(session.content(0)) == MESSAGE + b".\r\n"
        assert session.content(1) == b"Subject: two\n\nsecond\n"
        assert list(session.sizes) == [len(MESSAGE) - 1, 24]
        assert all_uidls(session) == uidls
        assert session.usage.size_bytes == sum(session.sizes)


def test_one_session_a_mailbox(boxes: Mailboxes) -> None:
    with boxes.open("ann"):
        with pytest.raises(MailboxInUse):
            boxes.open("ann")
        boxes.open("bob").close()
    boxes.open("ann").close()


def test_names_are_those_of_maildir(boxes: Mailboxes) -> None:
    put(boxes, "ann", MESSAGE)
    (name,) = os.listdir(boxes.folder("ann") / "new")
    seconds, middle, rest = name.split(".", 2)
    assert abs(int(seconds) - time.time()) < 60
    assert middle.startswith("M")
    assert rest.endswith(f",S={len(MESSAGE) - 5},W={len(MESSAGE) - 1}")
    assert os.listdir(boxes.folder("ann") / "tmp") == []


def test_flags_do_not_change_identifiers(boxes: Mailboxes) -> None:
    uidls = put(boxes, "ann", MESSAGE, MESSAGE)
    read_flag(boxes.folder("ann"))
    with boxes.open("ann") as session:
        assert all_uidls(session) == uidls
        cur = boxes.folder("ann") / "cur"
        for file in cur.iterdir():
            # Dovecot also takes sizes out of a name that it finds wrong.
            file.rename(cur / (file.name.partition(",")[0] + ":2,FS"))
        assert session.content(0) == session.content(1)
    with boxes.open("ann") as session:
        assert all_uidls(session) == uidls
        assert list(session.sizes) == [len(MESSAGE) - 1] * 2


def test_expunge_gives_what_was_removed(boxes: Mailboxes) -> None:
    uidls = put(boxes, "ann", *[MESSAGE] * 5)
    mailbox = boxes.folder("ann")
    with boxes.open("ann") as session:
        read_flag(mailbox, 1)
        os.unlink(sorted((mailbox / "new").iterdir())[1])  # the third, by somebody else
        removed = session.expunge((0, 1, 2, 4))
    assert [message.uidl for message in removed] == [uidls[0], uidls[1], uidls[4]]
    assert all(message.size_bytes == len(MESSAGE) - 1 for message in removed)
    with boxes.open("ann") as session:
        assert all_uidls(session) == [uidls[3]]
    assert not (mailbox / expunge.JOURNAL).exists()


def test_a_message_removed_by_others_is_gone_and_the_session_lives(boxes: Mailboxes) -> None:
    put(boxes, "ann", MESSAGE, MESSAGE)
    with boxes.open("ann") as session:
        os.unlink(sorted((boxes.folder("ann") / "new").iterdir())[0])
        with pytest.raises(MessageGone):
            session.content(0)
        assert session.content(1)
        assert session.expunge((0,)) == ()


def test_a_list_left_behind_is_completed(boxes: Mailboxes) -> None:
    uidls = put(boxes, "ann", *[MESSAGE] * 3)
    mailbox = boxes.folder("ann")

    class Dying(Disk):
        def sync_folder(self, folder: Path) -> None:
            raise KeyboardInterrupt

    session = maildir.open_session(mailbox, disk=Dying())
    with pytest.raises(KeyboardInterrupt):
        session.expunge((0, 2))
    session.close()
    assert len(os.listdir(mailbox / "new")) == 3
    with boxes.open("ann") as session:
        assert all_uidls(session) == [uidls[1]]


def test_a_garbled_list_deletes_nothing(boxes: Mailboxes) -> None:
    uidls = put(boxes, "ann", MESSAGE)
    journal = boxes.folder("ann") / expunge.JOURNAL
    journal.write_bytes(b"gatepost-expunge 1 12345\n" + uidls[0].encode())
    with boxes.open("ann") as session:
        assert all_uidls(session) == uidls
    assert not journal.exists()


def test_a_failing_disk_at_quit_deletes_nothing(boxes: Mailboxes) -> None:
    uidls = put(boxes, "ann", MESSAGE)

    class Failing(Disk):
        def sync(self, fd: int) -> None:
            raise OSError(5, "I/O error")

    with maildir.open_session(boxes.folder("ann"), disk=Failing()) as session, pytest.raises(MailboxFailed):
        session.expunge((0,))
    with boxes.open("ann") as session:
        assert all_uidls(session) == uidls


def test_deleting_works_on_a_full_disk(boxes: Mailboxes) -> None:
    put(boxes, "ann", MESSAGE, MESSAGE)

    class Full(Disk):
        """Room comes when the index goes."""

        def write(self, fd: int, buffers: Sequence[Buffer]) -> int:
            if (boxes.folder("ann") / mailindex.INDEX).exists():
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(fd, buffers)

    with maildir.open_session(boxes.folder("ann"), disk=Full()) as session:
        assert len(session.expunge((0,))) == 1
    with boxes.open("ann") as session:
        assert len(session) == 1


def test_foreign_things_are_left_alone_and_counted(boxes: Mailboxes, tmp_path: Path) -> None:
    put(boxes, "ann", MESSAGE)
    new = boxes.folder("ann") / "new"
    (new / ".hidden").write_bytes(b"x")
    (new / "folder").mkdir()
    os.mkfifo(new / "pipe")
    (tmp_path / "secret").write_bytes(b"not mail")
    (new / "link").symlink_to(tmp_path / "secret")
    (new / "with\nline end").write_bytes(b"x")
    (new / "zz foreign name").write_bytes(b"Subject: foreign\n\nno end")
    (boxes.folder("ann") / "dovecot-uidlist").write_bytes(b"3 V1 N1\n")
    with boxes.open("ann") as session:
        assert session.foreign == 5
        assert list(session.sizes) == [len(MESSAGE) - 1, 28]
        assert session.uidls[1].startswith("h")
        assert content.crlf(session.content(1)) == b"Subject: foreign\r\n\r\nno end\r\n"


def test_a_folder_that_bears_a_message_name_is_gone_not_a_crash(boxes: Mailboxes) -> None:
    (boxes.create("ann") / "new" / "1.M1P1Q1.h,S=1,W=1").mkdir()
    with boxes.open("ann") as session:
        assert len(session) == 1
        with pytest.raises((MailboxFailed, MessageGone)):
            session.content(0)
        assert session.expunge((0,)) == ()
    boxes.open("ann").close()


def test_two_files_of_one_key_become_two_messages(boxes: Mailboxes) -> None:
    (uidl,) = put(boxes, "ann", MESSAGE)
    mailbox = boxes.folder("ann")
    (name,) = os.listdir(mailbox / "new")
    (mailbox / "cur" / (name + ":2,S")).write_bytes(b"Subject: other\n\n")
    for _open in range(2):
        with boxes.open("ann") as session:
            found = all_uidls(session)
            assert len(session) == len(set(found)) == 2
            assert uidl in found


def test_two_links_to_one_file_are_one_message(boxes: Mailboxes) -> None:
    put(boxes, "ann", MESSAGE)
    mailbox = boxes.folder("ann")
    (name,) = os.listdir(mailbox / "new")
    os.link(mailbox / "new" / name, mailbox / "cur" / (name + ":2,S"))
    with boxes.open("ann") as session:
        assert len(session) == 1
        session.expunge((0,))
    with boxes.open("ann") as session:
        assert len(session) == 0


@pytest.mark.parametrize("damage", ["cut", "lost", "garbled", "stale", "empty", "other"])
def test_the_index_is_only_a_cache(boxes: Mailboxes, damage: str) -> None:
    uidls = put(boxes, "ann", *[MESSAGE] * 4)
    mailbox = boxes.folder("ann")
    (mailbox / "new" / "foreign").write_bytes(b"Subject: y\n\nbody\n")
    settle(mailbox)
    boxes.open("ann").close()
    index = mailbox / mailindex.INDEX
    whole = index.read_bytes()
    match damage:
        case "cut":
            index.write_bytes(whole[:-7])
        case "lost":
            index.unlink()
        case "garbled":
            index.write_bytes(whole[:200] + b"\xff" + whole[201:])
        case "stale":
            uidls += put(boxes, "ann", MESSAGE)
        case "empty":
            index.write_bytes(b"")
        case _:
            index.write_bytes(b"gatepost-index 1 little 1 2 3 4 5 6 7 8\nxxxx")
    with boxes.open("ann") as session:
        assert sorted(all_uidls(session)) == sorted([*uidls, "foreign"])
        assert session.usage.size_bytes == (len(MESSAGE) - 1) * len(uidls) + 20


def settle(mailbox: Path) -> None:
    """As if nothing had happened here for a while."""
    for folder in ("new", "cur"):
        os.utime(mailbox / folder, (1_600_000_000, 1_600_000_000))


def test_a_settled_index_is_used(boxes: Mailboxes) -> None:
    put(boxes, "ann", *[MESSAGE] * 3)
    mailbox = boxes.folder("ann")
    settle(mailbox)
    boxes.open("ann").close()
    os.unlink(sorted((mailbox / "new").iterdir())[0])
    settle(mailbox)  # the folder's time tells nothing, so the index is believed
    assert maildir.usage(mailbox).messages == 3
    with boxes.open("ann") as session:
        assert len(session) == 3
        with pytest.raises(MessageGone):
            session.content(0)


def test_a_fresh_change_is_never_missed(boxes: Mailboxes) -> None:
    for count in range(1, 20):
        put(boxes, "ann", MESSAGE)
        assert maildir.usage(boxes.folder("ann")).messages == count
        with boxes.open("ann") as session:
            assert len(session) == count


def test_dead_deliveries_are_swept_after_36_hours(boxes: Mailboxes) -> None:
    tmp = boxes.create("ann") / "tmp"
    (tmp / "old").write_bytes(b"x")
    boxes.open("ann").close()
    assert os.listdir(tmp) == ["old"]
    maildir.open_session(boxes.folder("ann"), now=lambda: time.time() + 37 * 3600).close()
    assert os.listdir(tmp) == []


def test_a_deleted_mailbox_is_gone(boxes: Mailboxes) -> None:
    put(boxes, "ann", MESSAGE)
    with boxes.open("ann"), pytest.raises(MailboxInUse):
        boxes.delete("ann")
    boxes.delete("ann")
    boxes.delete("ann")
    assert boxes.names() == []
    assert boxes.usage("ann").messages in (0, 1)


def test_a_large_message_comes_in_pieces(boxes: Mailboxes) -> None:
    line = b"y" * 1_000_000 + b"\r\n"
    boxes.deliver(
        [Delivery(boxes.folder("ann"), b"Subject: x\r\n\r\n", [line[:7], line[7:], line, b".", b".end"])]
    )
    with boxes.open("ann") as session:
        stream = content.Wire()
        wire = b"".join([*map(stream.stuff, session.pieces(0, 4096)), stream.close()])
        assert wire == b"Subject: x\r\n\r\n" + line * 2 + b"..end\r\n.\r\n"
        assert session.sizes[0] == len(wire) - 4


KINDS = ("add", "remove", "read", "foreign", "twin", "dot")
CHANGES = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 9)), max_size=12)


@given(st.lists(CHANGES, min_size=2, max_size=3))
@settings(max_examples=30, deadline=None)
def test_a_listing_brought_up_to_date_is_one_read_anew(days: list[list[tuple[str, int]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        boxes = Mailboxes(Path(folder), "h")
        mailbox = boxes.create("ann")
        for number, changes in enumerate(days):
            for change, place in changes:
                alter(mailbox, change, f"{number}{place}")
            with boxes.open("ann") as session:
                updated = (all_uidls(session), list(session.sizes), session.foreign)
            (mailbox / mailindex.INDEX).unlink()
            with boxes.open("ann") as session:
                assert (all_uidls(session), list(session.sizes), session.foreign) == updated


def alter(mailbox: Path, change: str, name: str) -> None:
    new, cur = mailbox / "new", mailbox / "cur"
    lying = sorted(file for file in [*new.iterdir(), *cur.iterdir()] if not file.name.startswith("."))
    match change:
        case "add":
            (new / f"1{name}.h,S=4,W=5").write_bytes(b"A:b\n")
        case "foreign":
            (cur / f"1{name}.h").write_bytes(b"A:b\nC:d\n")
        case "dot":
            (cur / f".{name}").write_bytes(b"")
        case "remove" if lying:
            lying[int(name) % len(lying)].unlink()
        case "read" if lying:
            file = lying[int(name) % len(lying)]
            file.rename(cur / (file.name.partition(":")[0] + ":2,S"))
        case "twin" if lying:
            file = lying[int(name) % len(lying)]
            (cur / (file.name.partition(":")[0] + ":2,TX")).write_bytes(file.read_bytes())
