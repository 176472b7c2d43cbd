"""Reloads while sessions send and workers are killed: nobody else notices, no acknowledged message is lost.

For some seconds, or as many reloads as GATEPOST_RELOADS says.
"""

from __future__ import annotations

import json
import os
import re
import signal
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.house import EXTRA, House, internet, pop3, send
from gatepost.admin.link import Refused

_RELOADS = int(os.environ.get("GATEPOST_RELOADS", "1000"))
_SECONDS = None if "GATEPOST_RELOADS" in os.environ else 10.0
_AT_LEAST = 13
_SESSIONS = 8
_PAUSE_SECONDS = 0.02
_SESSION = re.compile(r"\[bad-sequence (\w+)\]")
_MARKER = re.compile(rb"marker-\d+-\d+\.")


class Sender:
    """Sends one message after another over a session that it keeps until its worker is killed."""

    def __init__(self, house: House, number: int, over: threading.Event) -> None:
        self._house, self._number, self._over = house, number, over
        self._tried = 0
        self.accepted: list[str] = []
        self.broken: list[str] = []  # ids of sessions that ended in the middle
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        session_id = ""
        while not self._over.is_set():
            try:
                with self._house.smtp() as session:
                    session.ehlo()
                    found = _SESSION.search(session.docmd("DATA")[1].decode())
                    assert found is not None
                    session_id = found[1]
                    self._send(session)
            except (OSError, smtplib.SMTPException):
                if session_id:
                    self.broken.append(session_id)
                session_id = ""

    def _send(self, session: smtplib.SMTP) -> None:
        while not self._over.is_set():
            self._tried += 1
            marker = f"marker-{self._number}-{self._tried}."
            send(session, marker)
            self.accepted.append(marker)
            self._over.wait(_PAUSE_SECONDS)


def number_of(pid: int) -> int | None:
    """The number of the worker with this process id."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return int(json.loads(arguments[-2])["index"])
    except (OSError, ValueError, IndexError):
        return None


def kill(house: House, number: int) -> bool:
    """The worker with this number is gone by SIGKILL; False when it is not there."""
    for pid in house.worker_pids():
        if number_of(pid) == number:
            os.kill(pid, signal.SIGKILL)
            return True
    return False


def reload(house: House, *texts: str, at_once: int) -> list[str]:
    """So many ask for it at the same time; each has an answer. What was refused, and why."""
    house.write(*texts)
    answers: list[str] = []

    def ask() -> None:
        try:
            house.ask("reload", by="test")
            answers.append("")
        except Refused as refusal:
            answers.append(str(refusal))

    threads = [threading.Thread(target=ask) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == at_once
    return [answer for answer in answers if answer]


@pytest.mark.slow
@pytest.mark.timeout(0 if _SECONDS is None else 600)
def test_killed_workers_drop_nobody_elses_session(make_house: Callable[..., House]) -> None:
    house = make_house(workers=2)
    texts = (internet(), pop3()), (internet(), internet(EXTRA, name="extra"), pop3())
    house.write(*texts[0])
    house.start()
    over, kills = threading.Event(), 0
    senders = [Sender(house, number, over) for number in range(_SESSIONS)]
    until, done, refused = time.monotonic() + (_SECONDS or 1e9), 0, list[str]()
    while done < _RELOADS and (done < _AT_LEAST or time.monotonic() < until):
        done += 1
        kills += done % 8 == 4 and kill(house, 0)
        refused += reload(house, *texts[done % 2], at_once=1 + (done % 5 == 0))
    over.set()
    for sender in senders:
        sender.thread.join()
    house.wait_for_workers(2)
    broken = {session for sender in senders for session in sender.broken}
    print(f"{done} reloads, {len(refused)} refused, {kills} workers killed, {len(broken)} sessions with them")
    assert kills
    survivors = set(re.findall(r" refused worker=1 .*?session=(\w+)", house.running.output))
    assert survivors
    assert not broken & survivors, "a session of a worker that lived was dropped"
    assert len(refused) <= kills, refused  # only a worker that dies under it can stop one
    accepted = [marker for sender in senders for marker in sender.accepted]
    house.wait_for_mail(len(accepted))
    there = Counter(found[0].decode() for text in house.mail() if (found := _MARKER.search(text)))
    assert set(accepted) <= there.keys(), "an acknowledged message is lost"
    assert max(there.values()) == 1
    # one that came back in the middle of a reload starts once more
    assert house.status()["restarts"] >= kills
