"""Mail that comes in, end to end: a running Gatepost, and what lies in the mailboxes afterwards."""

from __future__ import annotations

import os
import random
import re
import signal
import smtplib
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gatepost.admin.link import ask_daemon
from gatepost.pop3 import content
from gatepost.store import mbox
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.place import Place
from live import loopback
from live.gate import ANN, BOB, HOSTNAME, INTERNET, SUBMISSION, TRUSTED, Gate, done, route
from live.neighbours import GTUBE, LMTP, PORT, DovecotLmtp, Rspamd
from live.program import descendants
from live.sink import Sink
from patience import PATIENCE_SECONDS, until
from sessions import Smtp
from store.test_mbox_large import letter

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-inbound")]

LETTER = b"From: you@outside.example\r\nSubject: letter\r\nX-Number: %d\r\n\r\n.dot\r\nend\r\n"
NUMBER = re.compile(rb"^X-Number: (\d+)\r?$", re.MULTILINE)


def boxes(gate: Gate) -> Mailboxes:
    return Mailboxes(Place(gate.folder / "state").mailboxes, HOSTNAME)


def lying(gate: Gate, account: str) -> list[bytes]:
    """All messages of a mailbox, with CRLF."""
    with boxes(gate).open(account) as session:
        return [content.crlf(session.content(index)) for index in range(len(session))]


def numbers(messages: list[bytes]) -> list[int]:
    return [int(found[1]) for message in messages if (found := NUMBER.search(message))]


def queued(gate: Gate) -> list[str]:
    """The queue ids of what waits."""
    control = Place(gate.folder / "state").control
    return [row["id"] for row in ask_daemon(control, "queue-list", filter={}, ids=[], limit=1_000)]


def settled(gate: Gate) -> None:
    """Nothing waits in the queue any more."""
    until(lambda: not queued(gate), seconds=2 * PATIENCE_SECONDS, why=lambda: gate.log)


def outside(gate: Gate, port: int = INTERNET) -> smtplib.SMTP:
    return Smtp(gate.host, port, "mx.outside.example")


def send(
    gate: Gate, *recipients: str, number: int = 0, port: int = INTERNET, sender: str = "you@outside.example"
) -> dict[str, tuple[int, bytes]]:
    """The message is taken for the recipients that are not in the answer, which holds the refusals."""
    with outside(gate, port) as client:
        try:
            return client.sendmail(sender, recipients, LETTER % number)
        except smtplib.SMTPRecipientsRefused as refused:
            return refused.recipients


@pytest.fixture(scope="module")
def sink(make_sink: Callable[..., Sink]) -> Sink:
    """Where everything goes that is not for a mailbox here."""
    return make_sink({"nobody@kept.example": "550 5.1.1 no such user"})


@pytest.fixture(scope="module")
def gate(make_gate: Callable[..., Gate], sink: Sink) -> Gate:
    other = f"smtp://{sink.host}:{sink.port}"
    made = make_gate(
        route(other)
        + f"""
[domains."caught.example"]
catch_all = "bob@local.example"
[domains."moving.example"]
unknown = "{other}"
[domains."kept.example"]
deliver = "{other}"
call_ahead = false
[guard.harvest]
slow_after = 1_000_000
refuse_after = 1_000_000
[domains."plain.example"]
plus_addressing = false
postmaster = "ann@local.example"
"""
    )
    for address, *targets in (
        ("staff@local.example", "ann@local.example", "bob@local.example"),
        ("list@local.example", "staff@local.example", "friend@far.example", "--outside"),
        ("old@moving.example", "ann@local.example"),
    ):
        done(made.command("alias", "add", address, *targets))
    refused = made.command("alias", "add", "leak@local.example", "friend@far.example")
    assert refused.returncode
    settled(made)  # a running one knows every change within a second
    until(lambda: not send(made, "staff@local.example", number=1))
    return made


_next = iter(range(1_000, 1_000_000))


def delivered(gate: Gate, *recipients: str, **how: object) -> dict[str, int]:
    """Whose mailbox has a message to these recipients, and how often."""
    number = next(_next)
    refused = send(gate, *recipients, number=number, **how)  # type: ignore[arg-type]
    assert not refused
    settled(gate)
    counted = {account: numbers(lying(gate, account)).count(number) for account in boxes(gate).names()}
    return {account: count for account, count in counted.items() if count}


def test_an_unknown_user_is_refused_at_rcpt(gate: Gate, sink: Sink) -> None:
    refused = send(gate, "nobody@local.example")
    code, text = refused["nobody@local.example"]
    assert code == 550
    assert text.startswith(b"5.1.1 No such mailbox here: nobody@local.example [unknown-recipient ")


def test_mail_goes_where_it_is_addressed_once(gate: Gate) -> None:
    assert delivered(gate, ANN.name) == {ANN.name: 1}
    assert delivered(gate, "ANN@Local.Example") == {ANN.name: 1}
    assert delivered(gate, ANN.name, BOB.name, "staff@local.example") == {ANN.name: 1, BOB.name: 1}


def test_an_alias_goes_to_several_and_outside_only_when_it_says_so(gate: Gate, sink: Sink) -> None:
    before = len(sink.messages)
    assert delivered(gate, "staff@local.example") == {ANN.name: 1, BOB.name: 1}
    assert len(sink.messages) == before
    assert delivered(gate, "list@local.example") == {ANN.name: 1, BOB.name: 1}
    assert sink.wait_for_count(before + 1)[before].recipients == ("friend@far.example",)
    assert "leak@local.example" in send(gate, "leak@local.example")


def test_a_tag_leads_to_the_mailbox_where_the_domain_has_tags(gate: Gate) -> None:
    assert delivered(gate, "ann+news@local.example") == {ANN.name: 1}
    assert "ann+news@plain.example" in send(gate, "ann+news@plain.example")


def test_a_catch_all_has_what_nobody_has(gate: Gate) -> None:
    assert delivered(gate, "whoever@caught.example") == {BOB.name: 1}


@pytest.mark.parametrize(
    "address", ["postmaster", "Postmaster", "postmaster@local.example", "POSTMASTER@caught.example"]
)
def test_the_postmaster_is_always_there(gate: Gate, address: str) -> None:
    assert sum(delivered(gate, address).values()) == 1


def test_the_postmaster_may_be_named(gate: Gate) -> None:
    assert delivered(gate, "postmaster@plain.example") == {ANN.name: 1}


def test_unresolved_recipients_are_forwarded_and_resolved_ones_are_not(gate: Gate, sink: Sink) -> None:
    before = len(sink.messages)
    assert delivered(gate, "old@moving.example", "new@moving.example") == {ANN.name: 1}
    (forwarded,) = sink.wait_for_count(before + 1)[before:]
    assert forwarded.recipients == ("new@moving.example",)
    assert forwarded.sender == "you@outside.example"


def test_a_domain_kept_elsewhere_is_handed_on(gate: Gate, sink: Sink) -> None:
    before = len(sink.messages)
    assert delivered(gate, "whoever@kept.example") == {}
    assert sink.wait_for_count(before + 1)[before].recipients == ("whoever@kept.example",)


@pytest.mark.parametrize("domain", ["local.example", "caught.example", "moving.example", "kept.example"])
@pytest.mark.parametrize(
    "local", ["user%far.example", '"user@far.example"', "far.example!user", "ann%local.example"]
)
@pytest.mark.parametrize("port", [INTERNET, TRUSTED])
def test_a_routed_local_part_is_never_relayed(
    gate: Gate, sink: Sink, domain: str, local: str, port: int
) -> None:
    before = len(sink.messages)
    with outside(gate, port) as client:
        client.ehlo()
        client.mail("you@outside.example")
        code, text = client.rcpt(f"{local}@{domain}")
        assert code in (550, 553), text
        code, text = client.docmd(f"RCPT TO:<@far.example:{local}@{domain}>")
        assert code in (550, 553), text
        assert client.docmd("DATA")[0] in (503, 554)
    settled(gate)
    assert len(sink.messages) == before


def test_nothing_is_bounced_to_strangers(gate: Gate, sink: Sink) -> None:
    before = len(sink.messages)
    number = next(_next)
    refused = send(
        gate,
        "nobody@local.example",
        ANN.name,
        "x@elsewhere.example",
        "no@caught.example%",
        BOB.name,
        number=number,
    )
    assert set(refused) == {"nobody@local.example", "x@elsewhere.example", "no@caught.example%"}
    settled(gate)
    assert numbers(lying(gate, ANN.name)).count(number) == 1
    assert numbers(lying(gate, BOB.name)).count(number) == 1
    assert len(sink.messages) == before
    assert "bounce" not in gate.log


def submitted(gate: Gate, authority_file: Path, user: object, recipient: str, number: int) -> None:
    """Handed in over TLS, logged in."""
    assert user in (ANN, BOB)
    login = ANN if user is ANN else BOB
    with Smtp(gate.host, SUBMISSION) as client:
        client.starttls(context=ssl.create_default_context(cafile=str(authority_file)))
        client.login(login.name, login.password)
        letter = (LETTER % number).replace(b"you@outside.example", login.name.encode())
        assert not client.sendmail(login.name, [recipient], letter)


def test_ann_and_bob_write_to_each_other(gate: Gate, sink: Sink) -> None:
    before = len(sink.messages)
    for sender, recipient in ((ANN, BOB), (BOB, ANN)):
        number = next(_next)
        submitted(gate, gate.authority.ca_file, sender, recipient.name, number)
        settled(gate)
        (letter,) = [one for one in lying(gate, recipient.name) if numbers([one]) == [number]]
        assert letter.startswith(
            f"Return-Path: <{sender.name}>\r\nDelivered-To: {recipient.name}\r\n".encode()
        )
        assert letter.endswith(b"\r\n\r\n.dot\r\nend\r\n")
        assert number not in numbers(lying(gate, sender.name))
    assert len(sink.messages) == before


def test_a_bounce_comes_back_to_a_sender_here(gate: Gate) -> None:
    before = len(lying(gate, ANN.name))
    submitted(gate, gate.authority.ca_file, ANN, "nobody@kept.example", next(_next))
    settled(gate)
    (report,) = lying(gate, ANN.name)[before:]
    assert report.startswith(b"Return-Path: <>\r\n")
    assert b"Final-Recipient: rfc822; nobody@kept.example" in report
    assert b"550 5.1.1 no such user" in report


def test_a_full_mailbox_is_refused_before_the_mail_comes(gate: Gate) -> None:
    full, secret = "full@local.example", "a very long secret 3"
    added = gate.command("user", "add", full, "--quota-bytes", "5000", "--password-stdin", given=secret)
    done(added)
    deadline = time.monotonic() + PATIENCE_SECONDS
    answers = [send(gate, full)]
    # Unknown at first, then there, then full.
    while not (answers[-1] and answers[-1][full][0] == 452):
        answers.append(send(gate, full))
        assert time.monotonic() < deadline, gate.log
    assert {} in answers
    assert answers[-1][full][1].startswith(
        b"4.2.2 Mailbox of full@local.example is full, try later [mailbox-full "
    )
    for late in queued(gate):
        # what came before it was known to be full; 3: it has just been delivered
        assert gate.command("queue", "delete", late).returncode in (0, 3)


@pytest.fixture(scope="module")
def dovecot(require: Callable[..., None]) -> Iterator[DovecotLmtp]:
    require("dovecot")
    if os.geteuid() != 0:
        pytest.skip("Dovecot can only be started by root")
    started = DovecotLmtp(loopback.address(LMTP))
    yield started
    started.stop()


def test_a_domain_kept_in_dovecot_gets_its_mail_by_lmtp(
    make_gate: Callable[..., Gate], make_sink: Callable[..., Sink], dovecot: DovecotLmtp
) -> None:
    other = make_sink()
    gate = make_gate(
        route(f"smtp://{other.host}:{other.port}")
        + f'[domains."kept.example"]\ndeliver = "{dovecot.via}"\ncall_ahead = false\n'
    )
    assert not send(gate, "alice@kept.example", "bob@kept.example", "ann@local.example", number=7)
    settled(gate)
    for user in ("alice", "bob"):
        (message,) = dovecot.mail(user)
        assert numbers([message]) == [7]
        assert message.replace(b"\r\n", b"\n").endswith(b"\n\n.dot\nend\n")
    assert numbers(lying(gate, ANN.name)) == [7]
    # One of two is not known there: the other has it, and the sender, one of ours, is told.
    assert not send(gate, "alice@kept.example", "carl@kept.example", number=8, sender=ANN.name)
    settled(gate)
    assert sorted(number for message in dovecot.mail("alice") for number in numbers([message])) == [7, 8]
    assert b"carl@kept.example" in lying(gate, ANN.name)[1]
    gate.stop()


@pytest.fixture(scope="module")
def rspamd(require: Callable[..., None]) -> Iterator[Rspamd]:
    require("rspamd")
    if os.geteuid() != 0:
        pytest.skip("rspamd can only be started by root")
    started = Rspamd(loopback.address(PORT))
    yield started
    started.stop()


def _with_attachment(text: bytes) -> bytes:
    header = b"From: you@outside.example\r\nSubject: large\r\nMIME-Version: 1.0\r\n"
    kind = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n'
    data = b"\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n" + b"and so on\r\n" * 100_000
    return header + kind + text + data + b"--b--\r\n"


@pytest.mark.slow
def test_rspamd_refuses_marks_and_falls_silent(make_gate: Callable[..., Gate], rspamd: Rspamd) -> None:
    gate = make_gate(
        f'[smtp.internet.scan]\nurl = "{rspamd.url}"\nwhen_silent = "defer"\non_add_header = "mark"\n'
    )
    forged = b"Authentication-Results: %b; spf=pass\r\n" % HOSTNAME.encode()
    with outside(gate) as client:
        letter = (
            forged + b"From: You <you@outside.example>\r\nTo: ann@local.example\r\nSubject: hello\r\n"
            b"Date: Mon, 02 Nov 2026 10:00:00 +0100\r\nMessage-ID: <1@outside.example>\r\n\r\nHello Ann.\r\n"
        )
        client.sendmail("you@outside.example", [ANN.name], letter)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail("you@outside.example", [ANN.name], letter + GTUBE + b"\r\n")
        assert refused.value.smtp_code == 554
        assert b"[scan-rejected " in refused.value.smtp_error
        # Larger than memory is given, so it goes in pieces. (rspamd looks for its test in small parts.)
        client.sendmail("you@outside.example", [BOB.name], _with_attachment(b"Hello."))
        with pytest.raises(smtplib.SMTPDataError):
            client.sendmail("you@outside.example", [BOB.name], _with_attachment(GTUBE))
    settled(gate)
    (message,) = lying(gate, ANN.name)
    header = message.partition(b"\r\n\r\n")[0]
    assert forged.strip() not in header
    assert header.count(b"Authentication-Results: %b;" % HOSTNAME.encode()) == 1
    assert b"X-Spamd-Bar: " in header
    assert len(lying(gate, BOB.name)) == 1
    rspamd.program.kill()
    with outside(gate) as client, pytest.raises(smtplib.SMTPDataError) as unheard:
        client.sendmail("you@outside.example", [ANN.name], letter)
    assert unheard.value.smtp_code == 451
    assert b"[scan-unavailable " in unheard.value.smtp_error
    gate.stop()


class Flood:
    """Sessions that send numbered messages to ann and bob until told to stop; who was acknowledged."""

    def __init__(self, gate: Gate, sessions: int) -> None:
        self._gate = gate
        self._numbers = iter(range(1, 10_000_000))
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.acknowledged: set[int] = set()
        self._threads = [threading.Thread(target=self._run) for _ in range(sessions)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> set[int]:
        self._over.set()
        for thread in self._threads:
            thread.join()
        return self.acknowledged

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                with outside(self._gate) as client:
                    while not self._over.is_set():
                        with self._lock:
                            number = next(self._numbers)
                        client.sendmail("you@outside.example", [ANN.name, BOB.name], LETTER % number)
                        self.acknowledged.add(number)
            except (OSError, smtplib.SMTPException):
                self._over.wait(0.05)  # killed: it comes back


@pytest.mark.slow
def test_an_old_mbox_of_many_messages_is_imported_whole(
    make_gate: Callable[..., Gate], tmp_path: Path
) -> None:
    count = int(os.environ.get("GATEPOST_MBOX_MESSAGES", "50000"))
    gate = make_gate("")
    old, chance = tmp_path / "old.mbox", random.Random(7)
    kinds = [letter(chance, number) for number in range(500)]
    brought: Counter[bytes] = Counter()
    with old.open("wb") as file:
        for number in range(count):
            message = kinds[number % len(kinds)].replace(b"<%d@" % (number % len(kinds)), b"<%d@" % number)
            brought[message_id(message)] += 1
            file.write(mbox.record(message, 1_000_000_000.0 + number))
    lines = done(gate.command("mailbox", "import", ANN.name, str(old))).stdout.splitlines()
    assert lines[-1] == f"{ANN.name}: {count} messages imported"
    assert [line for line in lines if f"{ANN.name}: 50 %, " in line]
    assert not send(gate, ANN.name, number=1)  # mail goes on coming meanwhile and after
    settled(gate)
    found = Counter(message_id(message) for message in lying(gate, ANN.name))
    assert found - brought == Counter({b"": 1})
    assert not brought - found
    again = done(gate.command("mailbox", "import", ANN.name, str(old))).stdout.splitlines()
    assert again[-1] == f"{ANN.name}: 0 messages imported, {count} were there already"
    assert gate.stop() == 0


def message_id(message: bytes) -> bytes:
    found = re.search(rb"^Message-ID: (\S+)", message, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else b""


@pytest.mark.slow
def test_killed_workers_deliver_each_acknowledged_message_exactly_once(
    make_gate: Callable[..., Gate],
) -> None:
    gate = make_gate("", workers=2)
    assert gate.program is not None
    seconds = float(os.environ.get("GATEPOST_CRASH_SECONDS", "15"))
    flood = Flood(gate, sessions=6)
    ends, kills, seen = time.monotonic() + seconds, 0, 0
    while kills < 2 or time.monotonic() < ends:
        until(
            lambda wanted=seen + 20 + kills * 7 % 90: len(flood.acknowledged) >= wanted,
            why=lambda: gate.log,
        )
        for worker in descendants(gate.program.pid):
            os.kill(worker, signal.SIGKILL)
        kills += 1
        seen = len(flood.acknowledged)
    acknowledged = flood.stop()
    gate.kill()
    gate.start()
    settled(gate)
    for account in (ANN.name, BOB.name):
        counts = Counter(numbers(lying(gate, account)))
        assert acknowledged <= counts.keys(), (
            f"{len(acknowledged - counts.keys())} of {len(acknowledged)} lost"
        )
        assert not [number for number, count in counts.items() if count > 1]
        assert boxes(gate).usage(account).messages == len(counts)
    assert gate.stop() == 0
