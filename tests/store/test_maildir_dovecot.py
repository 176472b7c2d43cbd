"""A real Dovecot has the same Maildir open: IMAP and POP3 there, sessions and deliveries here."""

from __future__ import annotations

import imaplib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.pop3 import content
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.maildelivery import Delivered, Delivery
from patience import PATIENCE_SECONDS
from sessions import Pop3

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(shutil.which("dovecot") is None or os.geteuid() != 0, reason="needs dovecot and root"),
]

CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap pop3
listen = {address}
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mailboxes/%u
mail_uid = dovecot
mail_gid = dovecot
first_valid_uid = 1
default_internal_user = dovecot
default_login_user = dovenull
passdb {{
  driver = static
  args = password=pw
}}
userdb {{
  driver = static
  args = uid=dovecot gid=dovecot home={folder}/home/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
"""
ADDRESS, IMAP, POP3 = f"127.77.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}", 1430, 1100


@pytest.fixture
def folder() -> Iterator[Path]:
    """Readable by Dovecot's own user, which pytest's folders are not."""
    with tempfile.TemporaryDirectory(prefix="gatepost-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture
def boxes(folder: Path) -> Iterator[Mailboxes]:
    (folder / "run").mkdir()
    (folder / "home").mkdir()
    (folder / "mailboxes").mkdir()
    text = CONFIGURATION.format(folder=folder, address=ADDRESS, imap=IMAP, pop3=POP3)
    (folder / "dovecot.conf").write_text(text)
    command = ["setpriv", "--pdeathsig", "KILL", "dovecot", "-F", "-c", str(folder / "dovecot.conf")]
    with subprocess.Popen(command) as server:
        ready(server)
        yield Mailboxes(folder / "mailboxes", "mail.example.org")
        server.terminate()
        server.wait()


def ready(server: subprocess.Popen[bytes]) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        assert server.poll() is None
        try:
            socket.create_connection((ADDRESS, IMAP), 1).close()
            return
        except OSError:
            continue
    raise AssertionError("Dovecot does not answer")


def give_to_dovecot(folder: Path) -> None:
    subprocess.run(
        ["chown", "-R", "dovecot:dovecot", str(folder / "mailboxes"), str(folder / "home")], check=True
    )


def put(boxes: Mailboxes, count: int) -> list[str]:
    messages = [b"Subject: %d\r\n\r\n..dot\r\n" % number + b"line\r\n" * number for number in range(count)]
    results = boxes.deliver([Delivery(boxes.folder("ann"), b"", message) for message in messages])
    return [result.uidl for result in results if isinstance(result, Delivered)]


def imap() -> imaplib.IMAP4:
    client = imaplib.IMAP4(ADDRESS, IMAP)
    client.login("ann", "pw")
    client.select()
    return client


def here(boxes: Mailboxes) -> dict[str, bytes]:
    with boxes.open("ann") as session:
        assert session.foreign == 0
        return {session.uidls[index]: content.crlf(session.content(index)) for index in range(len(session))}


def test_both_see_the_same_and_identifiers_stay(boxes: Mailboxes, folder: Path) -> None:
    uidls = put(boxes, 6)
    give_to_dovecot(folder)
    before = here(boxes)
    give_to_dovecot(folder)
    client = imap()
    for number, uidl in enumerate(uidls, 1):
        fetched = client.fetch(str(number), "(RFC822.SIZE BODY.PEEK[])")[1][0]
        assert isinstance(fetched, tuple)
        assert fetched[1] == before[uidl]
        assert b"RFC822.SIZE %d" % len(before[uidl]) in fetched[0]
    with boxes.open("ann") as session:
        # Renamed and removed under an open session.
        client.store("1:3", "+FLAGS", "(\\Seen \\Flagged)")
        client.store("2", "+FLAGS", "(\\Deleted)")
        client.expunge()
        assert content.crlf(session.content(0)) == before[uidls[0]]
        removed = session.expunge((1, 2, 5))
        assert [message.uidl for message in removed] == [uidls[2], uidls[5]]
    assert list(here(boxes)) == [uidls[0], uidls[3], uidls[4]]
    more = put(boxes, 1)
    give_to_dovecot(folder)
    client.noop()
    assert client.search(None, "ALL")[1] == [b"1 2 3 4"]
    client.logout()
    assert list(here(boxes)) == [uidls[0], uidls[3], uidls[4], *more]
    log = (folder / "log").read_text()
    assert "Error" not in log
    assert "Warning" not in log


def test_dovecots_pop3_tells_the_same_sizes_and_content(boxes: Mailboxes, folder: Path) -> None:
    uidls = put(boxes, 4)
    before = here(boxes)
    give_to_dovecot(folder)
    client = Pop3(ADDRESS, POP3)
    client.user("ann")
    client.pass_("pw")
    sizes = [int(line.split()[1]) for line in client.list()[1]]
    assert sizes == [len(before[uidl]) for uidl in uidls]
    assert [b"\r\n".join(client.retr(n)[1]) + b"\r\n" for n in range(1, 5)] == list(before.values())
    # A Dovecot session does not keep ours out, nor ours Dovecot's.
    assert list(here(boxes)) == uidls
    client.dele(1)
    client.quit()
    assert list(here(boxes)) == uidls[1:]
