"""A mailbox and its messages on the spot: the same as by the long way, or None."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gatepost.store import expunge, maildir
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.maildelivery import Delivered, Delivery


@pytest.fixture
def boxes(tmp_path: Path) -> Mailboxes:
    """Ann has two messages, and her mailbox was opened since they came."""
    made = Mailboxes(tmp_path / "mail", "mail.example")
    mailbox = made.folder("ann")
    results = made.deliver(
        [Delivery(mailbox, b"", body, token=body.decode()[:3]) for body in (b"one\r\n", b"two\r\n")]
    )
    assert all(isinstance(result, Delivered) for result in results)
    settle(mailbox)
    made.open("ann").close()
    return made


def settle(mailbox: Path) -> None:
    """The folders last changed long ago."""
    for name in ("new", "cur"):
        os.utime(mailbox / name, (1_000_000_000, 1_000_000_000))


def test_a_settled_mailbox_is_at_hand(boxes: Mailboxes) -> None:
    with boxes.open("ann") as long_way:
        wanted = [(long_way.uidls[i], long_way.sizes[i], long_way.content(i)) for i in range(2)]
    session = boxes.open_at_hand("ann")
    assert session is not None
    with session:
        assert [(session.uidls[i], session.sizes[i], session.content_at_hand(i)) for i in range(2)] == wanted
        with pytest.raises(maildir.MailboxInUse):
            boxes.open_at_hand("ann")
    boxes.open("ann").close()


def test_a_change_is_not_missed(boxes: Mailboxes) -> None:
    boxes.deliver([Delivery(boxes.folder("ann"), b"", b"three\r\n", token="3")])
    assert boxes.open_at_hand("ann") is None
    with boxes.open("ann") as session:  # nothing was left locked
        assert len(session) == 3


def test_what_needs_more_is_left_to_the_long_way(boxes: Mailboxes) -> None:
    mailbox = boxes.folder("ann")
    assert boxes.open_at_hand("nobody") is None
    (mailbox / expunge.JOURNAL).write_bytes(b"")
    assert boxes.open_at_hand("ann") is None
    (mailbox / expunge.JOURNAL).unlink()
    (mailbox / "gatepost-index").unlink()
    assert boxes.open_at_hand("ann") is None
    boxes.open("ann").close()


def test_a_message_that_is_not_as_told_is_left_to_the_long_way(boxes: Mailboxes, tmp_path: Path) -> None:
    session = boxes.open_at_hand("ann")
    assert session is not None
    with session:
        first, second = (boxes.folder("ann") / "new" / os.fsdecode(session.name(i)) for i in range(2))
        first.write_bytes(b"longer than it says\r\n" * 10)
        second.unlink()
        second.symlink_to(tmp_path)
        assert session.content_at_hand(0) is None
        assert session.content_at_hand(1) is None
        assert session.content(0) == b"longer than it says\r\n" * 10
        with pytest.raises(maildir.MailboxError):
            session.content(1)
