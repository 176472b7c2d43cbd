"""Reloads while ten sessions send: none is dropped, no message is lost.

Reloads until the time is up, or 1,000 when GATEPOST_RELOADS says so.
"""

from __future__ import annotations

import os
import re
import smtplib
import threading
import time
from collections.abc import Callable

import pytest

from daemon.house import EXTRA, House, internet, pop3, send

_RELOADS = int(os.environ.get("GATEPOST_RELOADS", "1000"))
_SECONDS = None if "GATEPOST_RELOADS" in os.environ else 10.0
_AT_LEAST = 8
_SESSIONS = 10
_MESSAGES_A_CONNECTION = 200
_PAUSE_SECONDS = 0.05


class Sender:
    """Sends one message after another, now and then over a new connection."""

    def __init__(self, house: House, number: int, over: threading.Event) -> None:
        self._house, self._number, self._over = house, number, over
        self.accepted: list[str] = []
        self.problems: list[str] = []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                with self._house.smtp() as session:
                    self._send(session)
            except (OSError, smtplib.SMTPException) as problem:
                self.problems.append(f"{type(problem).__name__}: {problem}")
                return

    def _send(self, session: smtplib.SMTP) -> None:
        for _ in range(_MESSAGES_A_CONNECTION):
            if self._over.is_set():
                return
            marker = f"marker-{self._number}-{len(self.accepted)}."
            send(session, marker)
            self.accepted.append(marker)
            self._over.wait(_PAUSE_SECONDS)


@pytest.mark.slow
@pytest.mark.timeout(0 if _SECONDS is None else 600)
def test_reloads_under_load_drop_no_session_and_lose_no_message(make_house: Callable[..., House]) -> None:
    house = make_house(workers=2)
    texts = (internet(), pop3()), (internet(), internet(EXTRA, name="extra"), pop3())
    house.write(*texts[0])
    house.start()
    over = threading.Event()
    senders = [Sender(house, number, over) for number in range(_SESSIONS)]
    until = time.monotonic() + (_SECONDS or 1e9)
    done = 0
    while done < _RELOADS and (done < _AT_LEAST or time.monotonic() < until):
        done += 1
        assert house.reload(*texts[done % 2]) == done + 1
    over.set()
    for sender in senders:
        sender.thread.join()
    accepted = {marker for sender in senders for marker in sender.accepted}
    print(f"{done} reloads, {len(accepted)} messages")
    assert [problem for sender in senders for problem in sender.problems] == []
    assert all(sender.accepted for sender in senders)
    house.wait_for_mail(len(accepted))
    there = [re.search(rb"marker-\d+-\d+\.", content) for content in house.mail()]
    assert sorted(found[0].decode() for found in there if found) == sorted(accepted)
    said = house.status()
    assert said["restarts"] == 0
    assert {worker["generation"] for worker in said["workers"]} == {done + 1}
