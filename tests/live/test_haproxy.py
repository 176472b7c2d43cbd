"""Behind a real load balancer, which speaks both versions of the PROXY protocol."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from live import loopback
from live.gate import ANN, Gate, route
from live.program import Program, run
from live.sink import Sink
from sessions import Smtp, SmtpTls

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-haproxy")]

_BALANCER, _INSIDE, _OUTSIDE = "127.33.0.7", "127.33.1.5", "127.33.2.5"
_SMTP, _SMTPS, _POP3 = 2600, 2601, 2602
_SERVERS = f"""
[smtp.balanced]
listen = ["{{host}}:{_SMTP}"]
tls = "offer"
proxies = ["{_BALANCER}"]
access = [
  {{ allow = ["connect", "submit"], to = "anyone" }},
  {{ allow = ["relay"], to = "net:127.33.1.0/24" }},
]
[smtp.balanced-tls]
listen = ["{{host}}:{_SMTPS}"]
tls = "implicit"
proxies = ["{_BALANCER}"]
access = [ {{ allow = ["connect", "submit"], to = "anyone" }} ]
[pop3.balanced]
listen = ["{{host}}:{_POP3}"]
tls = "off"
auth_in_clear = true
proxies = ["{_BALANCER}"]
access = [
  {{ allow = ["connect"], to = "net:127.33.0.0/16" }},
  {{ allow = ["collect"], to = "authenticated", from = ["127.33.1.0/24"] }},
]
"""
_HAPROXY = """\
global
    log stdout format raw daemon
defaults
    mode tcp
    timeout connect 10s
    timeout client 60s
    timeout server 60s
"""


@pytest.fixture(scope="module")
def gate(make_gate: Callable[..., Gate], make_sink: Callable[..., Sink]) -> Gate:
    sink = make_sink()
    return make_gate(route(f"smtp://{sink.host}:{sink.port}") + _SERVERS)


@pytest.fixture(params=["send-proxy", "send-proxy-v2"])
def balancer(
    gate: Gate, require: Callable[..., None], request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """Where haproxy listens on the same ports. It looks every moment whether Gatepost lives."""
    require("haproxy")
    host = loopback.address(_SMTP, _SMTPS, _POP3)
    parts = [
        f"listen p{port}\n    bind {host}:{port}\n"
        f"    server gate {gate.host}:{port} {request.param} source {_BALANCER} check inter 50ms\n"
        for port in (_SMTP, _SMTPS, _POP3)
    ]
    (tmp_path / "haproxy.cfg").write_text(_HAPROXY + "".join(parts))
    program = Program(["haproxy", "-db", "-f", tmp_path / "haproxy.cfg"], folder=tmp_path)
    program.wait_for_port(host, _POP3)
    yield host
    program.kill()


@contextmanager
def smtp(host: str, source: str) -> Iterator[smtplib.SMTP]:
    with Smtp(host, _SMTP, source_address=(source, 0)) as session:
        yield session


def test_the_client_is_who_is_behind_the_balancer(gate: Gate, balancer: str) -> None:
    with smtp(balancer, _INSIDE) as session:
        session.starttls(context=ssl._create_unverified_context())
        session.sendmail("x@else.example", "y@far.example", f"Subject: {balancer}\r\n\r\nx\r\n")
    with (
        smtp(balancer, _OUTSIDE) as session,
        pytest.raises(smtplib.SMTPRecipientsRefused, match="relay-denied"),
    ):
        session.sendmail("x@else.example", "y@far.example", "Subject: x\r\n\r\nx\r\n")
    gate.wait_for_log(f"peer={_INSIDE} ")
    gate.wait_for_log(f"peer={_OUTSIDE} ")
    assert "proxy-header-missing" not in gate.log  # its health checks are not taken for somebody's
    assert "stage=connect reason=guard-refused" not in gate.log


def test_implicit_tls_and_pop3_through_it(gate: Gate, balancer: str) -> None:
    context = ssl._create_unverified_context()
    with SmtpTls(balancer, _SMTPS, context=context) as session:
        assert session.ehlo()[0] == 250
    for source, answer in ((_INSIDE, b"+OK"), (_OUTSIDE, b"-ERR")):
        end = socket.create_connection((balancer, _POP3), timeout=30, source_address=(source, 0))
        with end, end.makefile("rb") as lines:
            assert lines.readline().startswith(b"+OK")
            end.sendall(f"USER {ANN.name}\r\nPASS {ANN.password}\r\n".encode())
            assert lines.readline().startswith(b"+OK")
            assert lines.readline().startswith(answer)


def test_curl_speaks_it_and_is_believed_only_where_it_is_named(
    gate: Gate, require: Callable[..., None]
) -> None:
    require("curl")
    curl = ("curl", "--silent", "--show-error", "--haproxy-protocol", "--max-time", "120")
    url = f"pop3://{gate.host}:{_POP3}"
    known = run(
        *curl, "--interface", _BALANCER, "--request", "CAPA", url, "--user", f"{ANN.name}:{ANN.password}"
    )
    assert known.returncode
    gate.wait_for_log("reason=collect-denied")  # it is believed, and may not collect from there
    forged = run(*curl, "--interface", "127.33.0.8", "--request", "CAPA", url)
    assert forged.returncode
    gate.wait_for_log("reason=proxy-not-believed")
