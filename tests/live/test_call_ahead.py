"""Recipients of a domain kept elsewhere are asked for there: by LMTP of a Dovecot, by SMTP of a Postfix."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from live import loopback
from live.gate import ANN, INTERNET, Gate, done
from live.neighbours import LMTP, DovecotLmtp
from live.postfix import Postfix
from sessions import Smtp

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-inbound")]


def said(gate: Gate, recipient: str) -> str:
    """The reply to RCPT of somebody outside."""
    with Smtp(gate.host, INTERNET, "mx.outside.example") as client:
        client.ehlo()
        assert client.mail("you@outside.example")[0] == 250
        code, text = client.rcpt(recipient)
        return f"{code} {text.decode()}"


def test_nothing_is_taken_that_the_next_server_would_refuse(
    make_gate: Callable[..., Gate], make_postfix: Callable[..., Postfix], require: Callable[..., None]
) -> None:
    require("dovecot")
    if os.geteuid() != 0:
        pytest.skip("Dovecot can only be started by root")
    postfix, dovecot = make_postfix(), DovecotLmtp(loopback.address(LMTP))
    try:
        gate = make_gate(f"""
[domains."kept.example"]
deliver = "{dovecot.via}"
[domains."backup.example"]
deliver = "{dovecot.via}"
when_silent = "accept"
[domains."blind.example"]
deliver = "{dovecot.via}"
call_ahead = false
[domains."refused.example"]
unknown = "smtp://{postfix.host}:{postfix.port}"
""")
        done(gate.command("alias", "add", "here@refused.example", ANN.name))
        assert said(gate, "alice@kept.example").startswith("250 ")
        assert said(gate, "carl@kept.example").startswith("550 5.1.1 No such mailbox here: carl@kept.example")
        assert said(gate, "carl@backup.example").startswith("550 5.1.1 ")
        assert said(gate, "carl@blind.example").startswith("250 ")
        assert said(gate, "new@refused.example").startswith("250 ")
        assert said(gate, "here@refused.example").startswith("250 ")
        assert said(gate, "refused@refused.example").startswith("550 5.1.1 ")
    finally:
        dovecot.stop()
    assert said(gate, "alice@kept.example").startswith("250 ")  # it was asked a moment ago
    silent = said(gate, "bob@kept.example")
    assert silent.startswith("451 4.4.1 The server of bob@kept.example does not answer, try later")
    assert "[next-server-silent " in silent
    assert said(gate, "bob@backup.example").startswith("250 ")
    assert gate.wait_for_log("next-server-silent")
    gate.stop()
