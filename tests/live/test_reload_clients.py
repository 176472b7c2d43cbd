"""Postfix, swaks, curl and Python send through reload after reload: nothing is refused, lost or doubled.

A few reloads; with GATEPOST_RELOADS=1000 so many, and the clients send until all are done.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from gatepost.admin.link import ask_daemon
from gatepost.store.mailboxname import folder_name
from gatepost.store.place import Place
from live.gate import ANN, INTERNET, Gate
from live.postfix import Postfix
from live.program import run
from sessions import Smtp

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-reload")]

_RELOADS = int(os.environ.get("GATEPOST_RELOADS", "4"))
_EACH = 4
_BY_POSTFIX = 20
_EXTRA = """
[smtp.extra]
listen = ["{host}:2599"]
tls = "off"
access = [ { allow = ["connect"], to = "anyone" } ]
"""
_MARKER = re.compile(rb"^Subject: (marker-\S+)", re.MULTILINE)


def letter(marker: str) -> str:
    return f"From: you@outside.example\r\nTo: {ANN.name}\r\nSubject: {marker}\r\n\r\nbody\r\n"


class Reloads:
    """One reload after the other, of two files in turn, until told to stop."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._over = threading.Event()
        self.count = 0
        self.problems: list[str] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        file, control = self._gate.folder / "gatepost.toml", Place(self._gate.folder / "state").control
        texts = file.read_text(), file.read_text() + _EXTRA.replace("{host}", self._gate.host)
        while not self._over.is_set():
            self.count += 1
            file.write_text(texts[self.count % 2])
            try:
                ask_daemon(control, "reload", by="test")
            except Exception as problem:
                self.problems.append(str(problem))


def by_swaks(gate: Gate, turn: int) -> list[str]:
    markers = [f"marker-swaks-{turn}-{number}" for number in range(_EACH)]
    for marker in markers:
        done = run("swaks", "--server", gate.host, "--port", str(INTERNET), "--helo", "mx.outside.example",
                   "--from", "you@outside.example", "--to", ANN.name, "--header", f"Subject: {marker}",
                   "--body", "body", "--tls-optional")  # fmt: skip
        assert done.returncode == 0, done.stdout
    return markers


def by_curl(gate: Gate, folder: Path, turn: int) -> list[str]:
    markers = [f"marker-curl-{turn}-{number}" for number in range(_EACH)]
    for marker in markers:
        (folder / marker).write_text(letter(marker))
        done = run("curl", "--silent", "--show-error", f"smtp://{gate.host}:{INTERNET}/mx.outside.example",
                   "--mail-from", "you@outside.example", "--mail-rcpt", ANN.name,
                   "--upload-file", folder / marker)  # fmt: skip
        assert done.returncode == 0, done.stdout
    return markers


def by_postfix(postfix: Postfix, turn: int) -> list[str]:
    """Handed to Postfix, which relays to the gate."""
    markers = [f"marker-postfix-{turn}-{number}" for number in range(_BY_POSTFIX)]
    with Smtp(postfix.host, postfix.port) as client:
        for marker in markers:
            client.sendmail("you@outside.example", [ANN.name], letter(marker))
    return markers


def relaying_to(gate: Gate, postfix: Postfix) -> None:
    """All that it takes goes to the gate from now on."""
    etc = postfix.folder / "etc"
    settings = (
        "virtual_mailbox_domains=",
        f"relayhost=[{gate.host}]:{INTERNET}",
        "smtp_destination_recipient_limit=1",
        "disable_dns_lookups=yes",
    )
    assert run("postconf", "-c", etc, "-e", *settings).returncode == 0
    assert run("/usr/sbin/postfix", "-c", etc, "reload").returncode == 0


def wait_for(gate: Gate, postfix: Postfix, sent: list[str]) -> Counter[str]:
    """What lies in the mailbox once all that was sent does, by its marker."""
    mailbox = Place(gate.folder / "state").mailboxes / folder_name(ANN.name)
    until = time.monotonic() + 90
    found: Counter[str] = Counter()
    while set(sent) - found.keys():
        assert time.monotonic() < until, f"{set(sent) - found.keys()}\n{postfix.log[-2000:]}"
        time.sleep(0.1)
        files = [file.read_bytes() for file in mailbox.glob("new/*")]
        found = Counter(match[1].decode() for text in files if (match := _MARKER.search(text)))
    return found


@pytest.mark.timeout(120 if _RELOADS < 100 else 3_600)
def test_clients_notice_nothing_of_reloads(
    make_gate: Callable[..., Gate], make_postfix: Callable[..., Postfix], require: Callable[..., None],
    tmp_path: Path,
) -> None:  # fmt: skip
    require("swaks", "curl", "postconf")
    gate, postfix = make_gate("", workers=2), make_postfix()
    relaying_to(gate, postfix)
    reloads = Reloads(gate)
    sent: list[str] = []
    try:
        with Smtp(gate.host, INTERNET, timeout=60) as session:  # one through all of them
            while not sent or reloads.count < _RELOADS:
                turn = len(sent)
                sent += by_postfix(postfix, turn) + by_swaks(gate, turn) + by_curl(gate, tmp_path, turn)
                sent.append(f"marker-python-{turn}")
                session.sendmail("you@outside.example", [ANN.name], letter(sent[-1]))
        found = wait_for(gate, postfix, sent)
    finally:
        reloads.stop()
    assert reloads.problems == []
    print(f"{reloads.count} reloads, {len(sent)} messages")
    assert reloads.count >= _RELOADS
    assert found == Counter(sent)
    assert "status=deferred" not in postfix.log
    assert gate.stop() == 0
