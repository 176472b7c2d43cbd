"""Programs that people collect mail with get it whole, once, and delete it when they say so."""

from __future__ import annotations

import imaplib
import poplib
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from live.authority import Authority
from live.collecting import COLLECTORS, Collector, Errand, Imap, Pop3Gate
from live.conftest import why_missing
from live.gate import ANN, BOB, User
from live.program import ProgramFailed

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-pop3")]

LETTERS = (
    b"From: You <you@elsewhere.example>\r\nTo: ann@local.example\r\nSubject: dots\r\n"
    b"Message-ID: <one@elsewhere.example>\r\n\r\n.\tdot\r\n..\r\nend\r\n",
    b"From: You <you@elsewhere.example>\r\nTo: ann\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"Message-ID: <two@elsewhere.example>\r\n\r\nSch\xc3\xb6ne Gr\xc3\xbc\xc3\x9fe\r\n"
    + b"x" * 998
    + b"\r\n",
    b"From: You <you@elsewhere.example>\r\nTo: ann@local.example\r\nSubject: large\r\n"
    b"Message-ID: <three@elsewhere.example>\r\n\r\n" + (b".line\r\n" + b"y" * 70 + b"\r\n") * 9000,
)
WAYS = [
    pytest.param(collector, implicit, id=f"{collector.name}-{'tls' if implicit else 'stls'}")
    for collector in COLLECTORS
    for implicit in (False, True)
    if implicit or collector.name != "getmail"
]


@pytest.fixture(scope="module")
def gate(
    accounts: Path, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pop3Gate]:
    made = Pop3Gate(accounts, tmp_path_factory.mktemp("pop3") / "gate", authority)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def filled(gate: Pop3Gate) -> Pop3Gate:
    """Ann has the letters and nothing else."""
    for file in gate.stored():
        file.unlink()
    gate.deliver(*LETTERS)
    return gate


def errand(gate: Pop3Gate, folder: Path, *, implicit_tls: bool, keep: bool, user: User = ANN) -> Errand:
    folder.mkdir(exist_ok=True)
    made = Errand(gate, user, implicit_tls, keep, folder)
    made.maildir()
    return made


def need(collector: Collector) -> None:
    if shutil.which(collector.program) is None:
        pytest.skip(why_missing(collector.program))


def letter(message: bytes) -> bytes:
    """What was sent, of what was collected: below the lines that the way added."""
    return message[message.index(b"From: You") :]


@pytest.mark.parametrize(("collector", "implicit_tls"), WAYS)
def test_mail_is_collected_whole_and_stays_until_it_is_deleted(
    collector: Collector, implicit_tls: bool, filled: Pop3Gate, tmp_path: Path
) -> None:
    need(collector)
    sent = sorted(content.replace(b"\r\n", b"\n") for content in LETTERS)
    for keep in (True, False):
        outcome = collector.collect(
            errand(filled, tmp_path / str(keep), implicit_tls=implicit_tls, keep=keep)
        )
        assert outcome.well, outcome.text
        assert sorted(letter(message) for message in outcome.messages) == sent, outcome.text
        assert len(filled.stored()) == (len(LETTERS) if keep else 0), outcome.text


@pytest.mark.parametrize("collector", [pytest.param(one, id=one.name) for one in COLLECTORS])
def test_a_wrong_password_is_refused(collector: Collector, filled: Pop3Gate, tmp_path: Path) -> None:
    need(collector)
    wrong = User(ANN.name, "not-hers")
    outcome = collector.collect(errand(filled, tmp_path / "x", implicit_tls=True, keep=False, user=wrong))
    assert not outcome.well or not outcome.messages
    assert re.search(r"bad-credentials|[Ll]ogin denied|[Aa]uthorization failure", outcome.text), outcome.text
    assert len(filled.stored()) == len(LETTERS)


def test_a_second_session_is_told_that_the_mailbox_is_in_use(filled: Pop3Gate, tmp_path: Path) -> None:
    first = filled.poplib()
    with pytest.raises(poplib.error_proto, match=r"\[IN-USE\].*mailbox-in-use"):
        filled.poplib()
    first.quit()
    filled.poplib().quit()


def test_a_gate_that_stops_deletes_nothing(filled: Pop3Gate) -> None:
    client = filled.poplib()
    client.dele(1)
    assert filled.stop() == 0
    assert b"[stopping " in client.file.readline()  # type: ignore[attr-defined]
    client.close()
    assert len(filled.stored()) == len(LETTERS)
    filled.start()
    client = filled.poplib()
    assert client.stat()[0] == len(LETTERS)
    client.quit()


def test_a_killed_gate_deletes_nothing_and_keeps_its_identifiers(filled: Pop3Gate) -> None:
    client = filled.poplib()
    before = client.uidl()[1]
    client.dele(1)
    filled.kill()
    client.close()
    filled.start()
    client = filled.poplib()
    assert client.uidl()[1] == before
    client.quit()


@pytest.fixture
def imap(
    filled: Pop3Gate, require: Callable[..., None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[imaplib.IMAP4]:
    """Ann's mailbox over IMAP, by Dovecot."""
    require("dovecot")
    if not Path("/usr/lib/dovecot/imap").exists():
        pytest.skip(why_missing("dovecot-imapd"))
    try:
        server = Imap(filled, tmp_path_factory.mktemp("imap"))
    except ProgramFailed as failed:
        pytest.fail(str(failed))
    client = imaplib.IMAP4(server.host, server.PORT)
    client.login(filled.mailbox().name, "any")
    client.select("INBOX")
    yield client
    client.logout()
    server.stop()


def test_imap_and_pop3_share_a_mailbox(filled: Pop3Gate, imap: imaplib.IMAP4) -> None:
    pop3 = filled.poplib()
    before = pop3.uidl()[1]
    assert len(before) == len(LETTERS)
    # flags by IMAP rename the files under the open session
    imap.store("1:*", "+FLAGS", "(\\Seen \\Flagged)")
    assert b"\n".join(pop3.retr(1)[1]).endswith(b"end")
    pop3.dele(2)
    imap.append("INBOX", None, None, b"Subject: by imap\r\n\r\nappended\r\n")
    assert pop3.stat()[0] == len(LETTERS) - 1  # what comes during a session is seen by the next
    pop3.quit()
    pop3 = filled.poplib()
    after = pop3.uidl()[1]
    kept = [line.split()[1] for number, line in enumerate(before) if number != 1]
    assert [line.split()[1] for line in after][: len(kept)] == kept
    assert len(after) == len(kept) + 1
    assert pop3.retr(len(after))[1][-1] == b"appended"
    pop3.quit()
    imap.noop()
    assert len(imap.search(None, "ALL")[1][0].split()) == len(LETTERS)


def test_what_imap_removes_during_a_session_is_told_as_gone(filled: Pop3Gate, imap: imaplib.IMAP4) -> None:
    pop3 = filled.poplib()
    imap.store("1", "+FLAGS", "(\\Deleted)")
    imap.expunge()
    with pytest.raises(poplib.error_proto, match="no-such-message"):
        pop3.retr(1)
    pop3.retr(2)
    pop3.dele(1)
    pop3.dele(2)
    pop3.quit()
    imap.noop()
    assert len(imap.search(None, "ALL")[1][0].split()) == len(LETTERS) - 2


def test_a_user_sees_only_the_own_mail(filled: Pop3Gate) -> None:
    client = filled.poplib(BOB)
    assert client.stat()[0] == 0
    client.quit()
