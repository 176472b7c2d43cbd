"""Thunderbird collects mail, over TLS and STLS, leaves it on the server and deletes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from live.authority import Authority
from live.collecting import POP3, POP3_TLS, Pop3Gate
from live.gate import ANN
from live.thunderbird import PROGRAMS, Thunderbird

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-thunderbird")]

LETTERS = (
    b"From: You <you@elsewhere.example>\r\nTo: ann@local.example\r\nSubject: dots\r\n"
    b"Message-ID: <one@elsewhere.example>\r\n\r\n..\r\n.\tdot\r\nend\r\n",
    b"From: You <you@elsewhere.example>\r\nTo: ann\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"Message-ID: <two@elsewhere.example>\r\n\r\nSch\xc3\xb6ne Gr\xc3\xbc\xc3\x9fe\r\n",
    b"From: You <you@elsewhere.example>\r\nTo: ann@local.example\r\nSubject: large\r\n"
    b"Message-ID: <three@elsewhere.example>\r\n\r\n" + (b".line\r\n" + b"y" * 70 + b"\r\n") * 9000,
)
SUBJECTS = ["Grüße", "dots", "large"]


def test_thunderbird_collects_and_deletes(
    accounts: Path, authority: Authority, tmp_path: Path, require: Callable[..., None]
) -> None:
    require(*PROGRAMS)
    gate = Pop3Gate(accounts, tmp_path / "gate", authority)
    gate.start()
    try:
        gate.deliver(*LETTERS)
        with Thunderbird(tmp_path / "thunderbird", gate.ca_file) as program:
            ann = (ANN.name, ANN.password)
            status, subjects = program.collect(gate.host, POP3_TLS, *ann, implicit_tls=True, keep=True)
            assert (status, sorted(subjects)) == (0, SUBJECTS), gate.log
            assert len(gate.stored()) == len(LETTERS)
            # nothing comes twice, and what it has now goes from the server
            status, subjects = program.collect(gate.host, POP3, *ann, implicit_tls=False, keep=False)
            assert (status, sorted(subjects)) == (0, SUBJECTS), gate.log
            assert gate.stored() == [], gate.log
    finally:
        gate.stop()
