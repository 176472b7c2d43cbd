"""What an attacker's tools see of the Internet virtual server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from live.gate import INTERNET, Gate, route
from live.postfix import Postfix
from live.program import run
from live.sink import Sink

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-scanners")]


def _nmap(host: str, port: int, script: str) -> str:
    scanned = run(
        "nmap", "-Pn", "-n", "-p", str(port), "--script", f"+{script}",
        "--script-args", f"{script}.domain=relay.elsewhere.example",
        host,
    )  # fmt: skip
    assert scanned.returncode == 0, scanned.stdout
    return scanned.stdout


@pytest.fixture(scope="module")
def sink(make_sink: Callable[..., Sink]) -> Sink:
    return make_sink()


@pytest.fixture(scope="module")
def gate(make_gate: Callable[..., Gate], sink: Sink, require: Callable[..., None]) -> Gate:
    require("nmap")
    return make_gate(route(f"smtp://{sink.host}:{sink.port}"))


def test_nmap_finds_no_open_relay(gate: Gate, sink: Sink) -> None:
    said = _nmap(gate.host, INTERNET, "smtp-open-relay")
    assert "doesn't seem to be an open relay, all tests failed" in said
    assert sink.messages == []


def test_nmap_finds_an_open_relay_where_there_is_one(
    make_postfix: Callable[..., Postfix], require: Callable[..., None]
) -> None:
    require("nmap")
    postfix = make_postfix()  # it takes mail to anywhere from this machine
    assert "Server is an open relay" in _nmap(postfix.host, postfix.port, "smtp-open-relay")


def test_nmap_reads_what_is_offered(gate: Gate) -> None:
    said = _nmap(gate.host, INTERNET, "smtp-commands")
    (answered,) = [line for line in said.splitlines() if "smtp-commands:" in line]
    offered = "PIPELINING,SIZE 52428800,8BITMIME,SMTPUTF8,CHUNKING,DSN,ENHANCEDSTATUSCODES,STARTTLS"
    for word in offered.split(","):
        assert word in answered
    assert "AUTH" not in answered, "the Internet virtual server offers no login"
