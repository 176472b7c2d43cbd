"""Prometheus' own checker reads the page of a running Gatepost."""

from __future__ import annotations

import smtplib
import urllib.request
from collections.abc import Callable

import pytest

from live import loopback
from live.gate import INTERNET, Gate, route
from live.program import run
from sessions import Smtp

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-metrics")]
PORT = 9425


def numbers(host: str) -> str:
    with urllib.request.urlopen(f"http://{host}:{PORT}/metrics", timeout=60) as answer:
        return str(answer.read().decode())


def test_promtool_has_nothing_to_say(require: Callable[..., None], make_gate: Callable[..., Gate]) -> None:
    require("promtool")
    host = loopback.address(PORT)
    gate = make_gate(route("capture:out") + f'[metrics]\nlisten = "{host}:{PORT}"\n')
    with Smtp(gate.host, INTERNET) as client:
        client.sendmail("a@else.example", ["ann@local.example"], "Subject: one\r\n\r\nHello\r\n")
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("a@else.example", ["b@elsewhere.example"], "Subject: two\r\n\r\nHello\r\n")
    text = numbers(host)
    checked = run("promtool", "check", "metrics", given=text)
    assert (checked.returncode, checked.stdout) == (0, "")
    assert 'gatepost_messages_accepted_total{virtual_server="internet"} 1' in text
    assert 'gatepost_refusals_total{virtual_server="internet",reason="relay-denied"} 1' in text
    assert 'gatepost_certificate_remaining_seconds{certificate="default"}' in text
