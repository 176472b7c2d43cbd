"""Mail comes in and is collected while the processes are killed at random points, again and again.

After each death: every acknowledged message is there exactly once and whole, of the deletions of a session
all are done or none, what was deleted stays away, and identifiers are what they were. `GATEPOST_CRASH_ROUNDS`
sets how many deaths there are.
"""

from __future__ import annotations

import contextlib
import json
import os
import poplib
import random
import re
import signal
import smtplib
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from live.authority import Authority
from live.collecting import POP3_TLS, Pop3Gate
from live.gate import ANN, BOB, INTERNET, User
from live.program import descendants
from sessions import Smtp

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-pop3-crash")]

ROUNDS = int(os.environ.get("GATEPOST_CRASH_ROUNDS", "3"))
PEOPLE = (ANN, BOB)
SENDERS = 2
PATIENCE_SECONDS = 90.0
BROKEN = (OSError, EOFError, poplib.error_proto)
TOKEN = re.compile(rb"^Subject: (\S+)\r?$", re.MULTILINE)


def letter(token: str) -> bytes:
    body = (token * 9 + "\r\n") * random.Random(token).randrange(1, 300)
    return f"Subject: {token}\r\nX-Sum: {sha256(body.encode()).hexdigest()}\r\n\r\n{body}".encode()


def token_of(message: bytes) -> str:
    """The token of a message that is whole."""
    found = TOKEN.search(message)
    assert found is not None, message
    token = found[1].decode()
    assert message.endswith(letter(token)), f"{token} is not whole"
    return token


class Mailbox:
    """What is known of one person's mail. Only its own collector and, after the death, the judge touch it."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.acknowledged: set[str] = set()
        self.known: dict[str, str] = {}  # token by identifier, of all that were ever seen
        self.deleted: set[str] = set()  # identifiers
        self.asked: set[str] = set()  # to be deleted by a QUIT that was not answered

    def read(self, client: poplib.POP3_SSL) -> dict[str, int]:
        """Message numbers by identifier; every message seen for the first time is read and checked."""
        lines = [line.split() for line in client.uidl()[1]]
        numbers = {uidl.decode(): int(number) for number, uidl in lines}
        for uidl, number in numbers.items():
            if uidl not in self.known:
                self.known[uidl] = token_of(b"\r\n".join(client.retr(number)[1]) + b"\r\n")
        return numbers

    def judge(self, there: set[str]) -> None:
        """Whatever was lost, halved or came twice is a failure. `there`: identifiers."""
        tokens = [self.known[uidl] for uidl in there]
        assert len(set(tokens)) == len(tokens), "a message is there twice"
        assert not there & self.deleted, "a deleted message is there again"
        assert not self.asked & there or self.asked <= there, "half of a deletion"
        if not self.asked & there:
            self.deleted |= self.asked
        self.asked = set()
        gone = {self.known[uidl] for uidl in self.deleted}
        assert not gone & set(tokens), "what was deleted came again"
        lost = self.known.keys() - there - self.deleted
        assert not lost, f"{[self.known[uidl] for uidl in lost]} vanished, or have other identifiers"

    def missing(self, there: set[str]) -> set[str]:
        """What was acknowledged and is not there yet."""
        return self.acknowledged - {self.known[uidl] for uidl in there | self.deleted}


class Traffic:
    """Senders and collectors at work until the connection breaks. `chance` is all that is random."""

    def __init__(self, gate: Pop3Gate, boxes: list[Mailbox], name: str, chance: random.Random) -> None:
        self._gate, self._boxes, self._name, self._chance = gate, boxes, name, chance
        self._lock = threading.Condition()
        self._events = 0
        self._over = False
        works: list[Callable[[], None]] = [lambda n=n: self._send(n) for n in range(SENDERS)]  # type: ignore[misc]
        works += [lambda box=box: self._collect(box) for box in boxes]  # type: ignore[misc]
        self._threads = [threading.Thread(target=self._until_it_breaks, args=(work,)) for work in works]
        for thread in self._threads:
            thread.start()

    def wait_for(self, events: int) -> None:
        """So many things were said by the server, or asked of it."""
        with self._lock:
            assert self._lock.wait_for(lambda: self._events >= events, PATIENCE_SECONDS), self._gate.log

    def end(self) -> None:
        """The server is dead, or a part of it: everybody stops."""
        self._over = True
        for thread in self._threads:
            thread.join()

    def _count(self) -> None:
        with self._lock:
            self._events += 1
            self._lock.notify_all()

    def _until_it_breaks(self, work: Callable[[], None]) -> None:
        # it was killed, or is busy with coming back
        with contextlib.suppress(*BROKEN, smtplib.SMTPException):
            work()

    def _send(self, sender: int) -> None:
        with Smtp(self._gate.host, INTERNET) as client:
            for number in range(1_000_000):
                if self._over:
                    return
                box = self._boxes[number % len(self._boxes)]
                token = f"{self._name}s{sender}n{number}"
                client.sendmail("you@client.example", [box.user.address], letter(token))
                box.acknowledged.add(token)
                self._count()

    def _collect(self, box: Mailbox) -> None:
        while not self._over:
            with contextlib.closing(self._gate.poplib(box.user)) as client:
                self._visit(box, client)

    def _visit(self, box: Mailbox, client: poplib.POP3_SSL) -> None:
        numbers = box.read(client)
        chosen = self._chance.sample(sorted(numbers), self._chance.randrange(len(numbers) + 1))
        for uidl in chosen:
            client.dele(numbers[uidl])
        box.asked = set(chosen)
        self._count()
        client.quit()
        box.deleted |= box.asked
        box.asked = set()
        self._count()


def _die(gate: Pop3Gate, traffic: Traffic, *, whole: bool) -> None:
    """Daemon and workers, or the workers alone, are gone; the server is there again."""
    assert gate.program is not None
    workers = descendants(gate.program.pid)
    if whole:
        gate.kill()
        traffic.end()
        gate.start()
        return
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    traffic.end()
    gate.program.wait_for_port(gate.host, POP3_TLS)


def _settled(gate: Pop3Gate, box: Mailbox) -> None:
    """All that was acknowledged is there; what is there is judged."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    missing = {"everything"}
    while missing:
        assert time.monotonic() < deadline, f"{missing} never came: {gate.log[-2000:]}"
        with contextlib.suppress(*BROKEN):
            missing = _looked(gate, box)
        if missing:
            time.sleep(0.05)


def _looked(gate: Pop3Gate, box: Mailbox) -> set[str]:
    """What was acknowledged and is not there yet."""
    with contextlib.closing(gate.poplib(box.user)) as client:
        there = set(box.read(client))
        client.quit()
    box.judge(there)
    return box.missing(there)


@pytest.mark.slow
@pytest.mark.timeout(600 + 40 * ROUNDS)
def test_mail_survives_death_at_random_points(
    accounts: Path, authority: Authority, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    seed = int(os.environ.get("GATEPOST_CRASH_SEED", random.SystemRandom().randrange(1 << 30)))
    record_property("seed", seed)
    print(f"GATEPOST_CRASH_SEED={seed}")
    chance = random.Random(seed)
    boxes = [Mailbox(user) for user in PEOPLE]
    gate = Pop3Gate(accounts, tmp_path / "gate", authority)
    gate.start()
    try:
        for number in range(ROUNDS):
            traffic = Traffic(gate, boxes, f"r{number}", random.Random(chance.random()))
            try:
                traffic.wait_for(chance.randrange(1, 80))
                threading.Event().wait(chance.random() * 0.01)  # not always just behind a reply
            finally:
                _die(gate, traffic, whole=number % 5 == 0)
            for box in boxes:
                _settled(gate, box)
            print(
                f"round {number}: {[(len(box.acknowledged), len(box.deleted)) for box in boxes]}", flush=True
            )
        _nothing_comes_again(gate, boxes)
    finally:
        gate.stop()


def _nothing_comes_again(gate: Pop3Gate, boxes: list[Mailbox]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while json.loads(gate.command("queue", "list", "--json").stdout):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for box in boxes:
        _settled(gate, box)
