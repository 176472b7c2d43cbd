"""A process that delivers and deletes is killed at a random line, again and again.

After each death: every acknowledged message is there exactly once and whole, every deletion is done or not
done, and identifiers are what they were. `GATEPOST_CRASH_ROUNDS` sets how many deaths there are.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from gatepost.pop3 import content
from gatepost.store import maildir, mbox
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.maildelivery import Delivered, Delivery, Postman
from gatepost.store.mailimport import Importer
from gatepost.store.usages import Usages

ROUNDS = int(os.environ.get("GATEPOST_CRASH_ROUNDS", "80"))
ACCOUNT = "ann"


def message(token: str) -> bytes:
    body = (token * 9 + "\r\n") * random.Random(token).randrange(1, 200)
    return f"Subject: {token}\r\nX-Sum: {sha256(body.encode()).hexdigest()}\r\n\r\n{body}".encode()


def die_at_line(number: int) -> None:
    """SIGKILL when so many more lines of the store have run."""
    left = number

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        if "gatepost/store" not in frame.f_code.co_filename:
            return None
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def dying(work: Callable[[Callable[[str], None]], None], at_line: int) -> list[str]:
    """Runs the work in a child that dies there; gives what it said before."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            die_at_line(at_line)
            work(lambda line: write_line(writing, line))
        except BaseException:
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        lines = said.read().splitlines()
    _pid, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), "it failed before it died"
    return lines


def write_line(pipe: int, line: str) -> None:
    os.write(pipe, line.encode() + b"\n")


def contents(boxes: Mailboxes) -> dict[str, str]:
    """Token by identifier; every message is checked to be whole."""
    found: dict[str, str] = {}
    with boxes.open(ACCOUNT) as session:
        for index in range(len(session)):
            whole = content.crlf(session.content(index))
            head, _empty, body = whole.partition(b"\r\n\r\n")
            subject, checksum = head.split(b"\r\n")
            assert checksum == b"X-Sum: " + sha256(body).hexdigest().encode()
            assert session.sizes[index] == len(whole)
            found[session.uidls[index]] = subject.removeprefix(b"Subject: ").decode()
        assert session.foreign == 0
    return found


def tokens(round_number: int) -> Iterator[str]:
    return (f"{round_number:06d}x{count}" for count in range(1_000_000))


def day(boxes: Mailboxes, round_number: int, chance: random.Random, say: Callable[[str], None]) -> None:
    """Delivers, reads and deletes until it dies."""
    names, mailbox = tokens(round_number), boxes.folder(ACCOUNT)
    for _turn in range(20):
        batch = [next(names) for _ in range(chance.randrange(1, 6))]
        say("try " + " ".join(batch))
        results = boxes.deliver([Delivery(mailbox, b"", message(token), token=token) for token in batch])
        for token, result in zip(batch, results, strict=True):
            assert isinstance(result, Delivered)
            say(f"there {token} {result.uidl}")
        for file in list((mailbox / "new").iterdir())[:2]:
            file.rename(mailbox / "cur" / (file.name + ":2,S"))
        with boxes.open(ACCOUNT) as session:
            chosen = chance.sample(range(len(session)), chance.randrange(min(len(session), 6) + 1))
            say("delete " + " ".join(session.uidls[index] for index in chosen))
            session.expunge(chosen)
            say("deleted")


class Model:
    """What must be there: token by identifier."""

    def __init__(self) -> None:
        self.there: dict[str, str] = {}

    def judge(self, said: list[str], found: dict[str, str]) -> list[str]:
        """Checks what was found after what was said; gives the tokens that were tried and never answered."""
        tried: set[str] = set()
        doomed: set[str] = set()
        for line in said:
            verb, *words = line.split(" ")
            words = [word for word in words if word]
            if verb == "try":
                tried |= set(words)
            elif verb == "there":
                self.there[words[1]] = words[0]
                tried.discard(words[0])
            elif verb == "delete":
                doomed = set(words)
            elif verb == "deleted":
                self.there = {uidl: token for uidl, token in self.there.items() if uidl not in doomed}
                doomed = set()
        assert len(set(found.values())) == len(found), "a message is there twice"
        assert not (doomed & found.keys()) or doomed <= found.keys(), "half of a deletion"
        if not doomed & found.keys():
            self.there = {uidl: token for uidl, token in self.there.items() if uidl not in doomed}
        assert self.there.items() <= found.items(), "an acknowledged message is lost"
        assert {token for uidl, token in found.items() if uidl not in self.there} <= tried
        return sorted(tried)


@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_doubled_or_halved(tmp_path: Path) -> None:
    boxes, model = Mailboxes(tmp_path, "mail.example.org"), Model()
    boxes.create(ACCOUNT)
    for round_number in range(ROUNDS):
        chance = random.Random(round_number)
        said = dying(lambda say, n=round_number, c=chance: day(boxes, n, c, say), chance.randrange(1, 3000))  # type: ignore[misc]
        # Recovery itself may die, too.
        dying(lambda say: boxes.open(ACCOUNT).close(), chance.randrange(1, 200))
        unanswered = model.judge(said, contents(boxes))
        # What was not answered is tried again, as after a restart.
        mailbox = boxes.folder(ACCOUNT)
        again = [
            Delivery(mailbox, b"", message(token), token=token, perhaps_there=True) for token in unanswered
        ]
        for token, result in zip(unanswered, boxes.deliver(again), strict=True):
            assert isinstance(result, Delivered)
            model.there[result.uidl] = token
        assert contents(boxes) == model.there


@pytest.mark.timeout(600)
def test_an_import_killed_and_run_again_brings_each_message_once(tmp_path: Path) -> None:
    source, target = tmp_path / "old.mbox", tmp_path / "box"
    messages = [b"Subject: %d\n\nbody\n" % (number // 2) for number in range(300)]
    source.write_bytes(b"".join(mbox.record(one, 1.0) for one in messages))

    def work(say: Callable[[str], None]) -> None:
        postman = Postman("h", Usages(lambda: 0.0))
        with source.open("rb") as file:
            for _progress in Importer(target, postman).from_mbox(file):
                pass
        say("done")

    rounds, said = 0, list[str]()
    while "done" not in said:
        rounds += 1
        said = dying(work, random.Random(rounds).randrange(1, 9_000) if rounds < 40 else 1 << 40)
    assert rounds > 3
    with maildir.open_session(target) as session:
        assert sorted(session.content(index) for index in range(len(session))) == sorted(messages)
