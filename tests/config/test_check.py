"""An open file does not run, and traps are told."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.files import HEAD, NOW, make_certificate, smtp
from gatepost.config.check import Findings, check
from gatepost.config.coverage import covers, may_meet
from gatepost.config.gateway import container_gateway
from gatepost.config.load import load_text
from gatepost.config.stranger import PRIVATE, public_peers
from gatepost.policy.access import Answer, Entry, Right, Table, matches, may
from gatepost.policy.facts import UNKNOWN, Facts
from policy.strategies import entries, facts

_CONNECT = '{ allow = ["connect", "submit"], to = "anyone" },\n'


def _check(text: str, folder: Path = Path("/nonexistent")) -> Findings:
    return check(load_text(text, folder / "x.toml"), now=NOW)


@pytest.mark.parametrize(
    ("rows", "peer"),
    [
        ('{ allow = ["relay"], to = "anyone" }', "198.51.100.7"),
        ('{ allow = ["relay"], to = "anonymous" }', "198.51.100.7"),
        (
            '{ allow = ["relay"], to = "anyone" }, { deny = ["relay"], to = "net:10.0.5.0/24" }',
            "198.51.100.7",
        ),
        ('{ allow = ["relay"], to = "net:8.8.8.0/24" }', "8.8.8.0"),
        ('{ allow = ["relay"], to = "net:8.8.8.8" }', "8.8.8.8"),
        ('{ allow = ["relay"], to = "anyone", from = ["2000::/3"] }', "2001:db8::7"),
        ('{ allow = ["relay"], to = "net:172.0.0.0/8" }', "172.0.0.0"),
        (
            '{ allow = ["relay"], to = "anyone", from = ["100.0.0.0/8"] },\n'
            '{ deny = ["relay"], to = "net:100.0.0.0/10" }',
            "100.128.0.0",
        ),
        (
            '{ allow = ["relay"], to = "anyone" }, { deny = ["relay"], to = "net:::/0" },\n'
            '{ deny = ["relay"], to = "anyone", from = ["0.0.0.0/1", "192.0.0.0/2", "128.0.0.0/3"] }',
            "160.0.0.0",
        ),
    ],
)
def test_an_open_relay_is_an_error_with_its_line_and_its_stranger(rows: str, peer: str) -> None:
    text = smtp(_CONNECT + rows)
    found = _check(text)
    assert not found.is_safe
    error = found.errors[0]
    assert error.line == text[: text.index('allow = ["relay"]')].count("\n") + 1
    assert error.stranger is not None
    assert error.stranger.peer == ip_address(peer)
    assert error.stranger.recipient.domain == "else.example"
    assert f"{peer} in clear could send from <stranger@sender.example> to <victim@else.example>" in error.text


@pytest.mark.parametrize(
    "rows",
    [
        "",
        '{ allow = ["relay"], to = "net:10.0.5.0/24" }',
        '{ allow = ["relay"], to = "anyone", from = ["10.0.0.0/8", "192.168.0.0/16", "fd00::/8"] }',
        '{ allow = ["relay"], to = "authenticated" }, { allow = ["relay"], to = "group:POP3 Relay" }',
        '{ allow = ["relay"], to = "host:scanner.example.org" }',
        '{ allow = ["relay"], to = "anyone" }, { deny = ["relay"], to = "anonymous" }',
        '{ allow = ["relay"], to = "anyone" }, { deny = ["connect"], to = "net:0.0.0.0/0" },\n'
        '{ deny = ["submit"], to = "net:::/0" }',
        '{ allow = ["relay"], to = "anyone", tls = true }',
        '{ allow = ["relay"], to = "net:100.64.0.0/10" }',
        '{ allow = ["relay"], to = "anyone", from = [] }',
    ],
)
def test_a_closed_file_is_safe(rows: str) -> None:
    assert _check(smtp(_CONNECT + rows)).is_safe


def test_a_stranger_over_tls_is_asked_where_tls_is_there(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    certificate = '[certificates.default]\nchain = "cert.pem"\nkey = "cert.key"\n'
    rows = _CONNECT + '{ allow = ["relay"], to = "anyone", tls = true }'
    found = _check(smtp(rows, 'tls = "require"') + certificate, tmp_path)
    assert "over TLS could send" in found.errors[0].text
    in_clear = rows + ', { deny = ["connect"], to = "anyone", tls = true }'
    assert _check(smtp(in_clear, 'tls = "implicit"') + certificate, tmp_path).is_safe


def test_the_victim_is_never_in_a_local_domain() -> None:
    rows = _CONNECT + '{ allow = ["relay"], to = "anyone" }'
    found = _check(smtp(rows) + '[domains."else.example"]\n[domains."else1.example"]\n')
    assert "victim@else2.example" in found.errors[0].text


def test_each_entry_that_opens_is_told_once() -> None:
    rows = (
        _CONNECT
        + '{ allow = ["relay"], to = "net:8.8.8.0/24" },\n{ allow = ["relay"], to = "net:9.9.9.0/24" }'
    )
    assert [error.line for error in _check(smtp(rows)).errors] == [8, 9]


_nets = st.sampled_from(
    [
        ip_network(n)
        for n in ("10.0.0.0/7", "8.8.8.0/24", "0.0.0.0/0", "192.0.0.0/4", "2000::/3", "fc00::/6", "::/1")
    ]
)


@given(st.lists(_nets, max_size=5), st.ip_addresses())
def test_every_public_address_has_one_like_it_among_those_asked(named: list, address) -> None:  # type: ignore[no-untyped-def, type-arg]
    asked = public_peers(named)
    assert not any(peer in network for peer in asked for network in PRIVATE)
    if address.version == 6 and (address.ipv4_mapped or address.is_multicast or int(address) == 0):
        return
    if address.version == 4 and (int(address) >= 224 << 24 or int(address) < 1 << 24):
        return
    if not any(address in network for network in PRIVATE):
        assert any(
            peer.version == address.version and all((peer in net) == (address in net) for net in named)
            for peer in asked
        )


def _warnings(text: str, **exists: object) -> list[str]:
    findings = check(load_text(text, Path("/nonexistent/x.toml")), now=NOW, **exists)  # type: ignore[arg-type]
    assert findings.is_safe
    return [f"{warning.line}: {warning.text}" for warning in findings.warnings]


_CLEAR_LOGIN = 'tls = "off"\nauth = ["PLAIN"]\nauth_in_clear = true'
_INSIDE = '{ allow = ["connect", "submit"], to = "net:10.0.0.0/8" },\n'


@pytest.mark.parametrize(
    ("rows", "more", "said"),
    [
        (
            _INSIDE
            + '{ allow = ["submit", "relay"], to = "group:POP3 Relay" },\n'
            + '{ deny = ["relay"], to = "authenticated" }',
            _CLEAR_LOGIN,
            "11: a: denying relay to authenticated also takes it from group:POP3 Relay (line 10)",
        ),
        (
            _CONNECT
            + '{ allow = ["relay"], to = "net:10.0.5.0/24" },\n{ deny = ["relay"], to = "net:10.0.0.0/8" }',
            'tls = "off"',
            "9: a: denying relay to net:10.0.0.0/8 also takes it from net:10.0.5.0/24",
        ),
        (_CONNECT + '{ allow = ["relay"], to = "authenticated" }', 'tls = "off"', "nobody can log in here"),
        (_CONNECT + '{ allow = ["relay"], to = "anyone", tls = true }', 'tls = "off"', "TLS, which is off"),
        (_CONNECT + '{ allow = ["relay"], to = "anyone", from = [] }', 'tls = "off"', "its `from` is empty"),
        (
            _CONNECT + '{ allow = ["relay"], to = "net:10.0.0.0/8", from = ["192.168.0.0/16"] }',
            'tls = "off"',
            "share no address",
        ),
        ('{ allow = ["connect", "relay"], to = "net:10.0.0.0/8" }', 'tls = "off"', "may not submit"),
        ('{ allow = ["submit", "relay"], to = "net:10.0.0.0/8" }', 'tls = "off"', "may not connect"),
        (
            '{ allow = ["connect", "submit"], to = "net:10.0.0.0/8" },\n'
            '{ allow = ["connect"], to = "user:bob", from = ["10.0.0.0/8"] }',
            _CLEAR_LOGIN,
            "`connect` is asked before anybody is logged in",
        ),
        (_CONNECT, 'tls = "off"\nauth = ["PLAIN"]', "8: a: AUTH is not offered in clear and TLS is off"),
        (_INSIDE, _CLEAR_LOGIN, "a: passwords may come in clear"),
        (_INSIDE, 'tls = "off"\ntls_min = "1.0"', "a: TLS 1.0 is broken"),
        (
            _INSIDE + '{ allow = ["submit", "relay"], to = "user:Root@example.org" }',
            _CLEAR_LOGIN,
            "its name is one that attackers try",
        ),
    ],
)
def test_a_trap_is_told(rows: str, more: str, said: str) -> None:
    if said.startswith("8: a: AUTH"):
        said = "6" + said[1:]
    assert [warning for warning in _warnings(smtp(rows, more)) if said in warning]


def test_an_ordinary_file_gives_no_warning(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    text = smtp(
        '{ allow = ["connect"], to = "anyone" },\n'
        '{ allow = ["submit"], to = "authenticated" },\n'
        '{ allow = ["submit", "relay"], to = "group:POP3 Relay" },\n'
        '{ deny = ["relay"], to = "user:intern@example.org" }',
        'tls = "require"\nauth = ["PLAIN"]',
    )
    text += '[certificates.default]\nchain = "cert.pem"\nkey = "cert.key"\n'
    text += '[pop3.b]\nlisten = ["127.0.0.1:110"]\ntls = "require"\n'
    text += 'access = [ { allow = ["connect", "collect"], to = "anyone" } ]\n'
    assert _check(text, tmp_path).items == ()


def test_names_that_are_not_there_are_told() -> None:
    rows = _INSIDE + '{ allow = ["relay"], to = "group:POP3 Relay" },\n{ allow = ["relay"], to = "user:bob" }'
    asked: list[str] = []

    def exists(name: str) -> bool:
        asked.append(name)
        return False

    warnings = _warnings(smtp(rows, _CLEAR_LOGIN), group_exists=exists, user_exists=exists)
    assert asked == ["pop3 relay", "bob"]
    assert "10: a: there is no group:POP3 Relay" in warnings
    assert "11: a: there is no user:bob" in warnings


def test_a_pop3_server_where_nobody_can_log_in_is_told() -> None:
    text = HEAD + '[pop3.b]\nlisten = ["127.0.0.1:110"]\ntls = "off"\nauth = []\naccess = []\n'
    assert "3: b: nobody can log in here" in _warnings(text)


def test_a_login_for_a_next_hop_without_tls_is_told(tmp_path: Path) -> None:
    from config.files import secret

    secret(tmp_path / "password", b"x")
    route = '[routes."*"]\nvia = "{}"\nlogin = {{ user = "a", password_file = "password" }}\n'
    said = [str(one) for one in _check(HEAD + route.format("smtp://smart.example:587"), tmp_path).warnings]
    assert any("may be asked for where there is no TLS" in one for one in said)
    said = [str(one) for one in _check(HEAD + route.format("smtps://smart.example"), tmp_path).warnings]
    assert not any("no TLS" in one for one in said)


def test_a_file_without_virtual_servers_is_told() -> None:
    assert _warnings(HEAD) == ["1: there is no virtual server"]


@pytest.mark.parametrize(
    ("days", "host", "said"),
    [
        (-1, "mail.example.org", "the certificate default ended on"),
        (29, "mail.example.org", "the certificate default ends on"),
        (90, "other.example.org", "does not name mail.example.org"),
        (90, "*.example.org", None),
        (90, "mail.example.org", None),
    ],
)
def test_a_certificate_that_will_not_serve_is_told(
    tmp_path: Path, days: int, host: str, said: str | None
) -> None:
    make_certificate(tmp_path, host=host, days=days)
    text = smtp(_CONNECT) + '[certificates.default]\nchain = "cert.pem"\nkey = "cert.key"\n'
    warnings = [warning.text for warning in _check(text, tmp_path).warnings]
    assert [bool(said) and said in warning for warning in warnings] == ([True] if said else [])


def test_a_certificate_from_the_future_is_told(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    text = smtp(_CONNECT) + '[certificates.default]\nchain = "cert.pem"\nkey = "cert.key"\n'
    settings = load_text(text, tmp_path / "x.toml")
    assert "begins on" in check(settings, now=NOW - timedelta(days=500)).warnings[0].text


@given(entries, entries, facts)
def test_what_is_covered_is_always_covered(outer: Entry, inner: Entry, client: Facts) -> None:
    holds = {
        match.entry: match.holds for right in Right for match in matches(right, client, Table((outer, inner)))
    }
    if UNKNOWN in (client.hostnames, getattr(client.identity, "groups", None)):
        return
    if holds[inner] is Answer.YES and covers(outer, inner):
        assert holds[outer] is Answer.YES
    if holds[inner] is Answer.YES and holds[outer] is Answer.YES:
        assert may_meet(outer, inner)


@given(st.lists(entries, max_size=5), st.ip_addresses(), st.booleans())
def test_a_file_that_is_called_closed_is_closed(rows: list[Entry], address, tls: bool) -> None:  # type: ignore[no-untyped-def]
    table = Table(tuple(rows))
    networks = [
        n for row in rows for n in (*(row.networks or ()), *([row.to.network] if row.to.network else []))
    ]

    def through(peer: object) -> bool:
        client = Facts(peer, tls=tls, hostnames=frozenset())  # type: ignore[arg-type]
        return all(may(right, client, table).allowed for right in (Right.CONNECT, Right.SUBMIT, Right.RELAY))

    if through(address) and address.is_global and not address.is_multicast:
        assert any(through(peer) for peer in public_peers(networks))


def test_the_gateway_of_a_container_is_warned_of_where_ports_are_published(tmp_path: Path) -> None:
    gateway = ip_address("172.17.0.1")
    assert isinstance(gateway, IPv4Address)
    rows = '{ allow = ["connect", "submit", "relay"], to = "net:172.16.0.0/12" }'
    text = smtp(rows).replace("127.0.0.1:25", "0.0.0.0:25")
    assert '"0.0.0.0:25"' in text
    first, second = check(load_text(text, tmp_path / "x.toml"), now=NOW, gateway=gateway).warnings
    assert {first.line, second.line} == {1, text[: text.index("allow")].count("\n") + 1}
    assert all("172.17.0.1" in one.text for one in (first, second))
    for mended in (
        text.replace("172.16.0.0/12", "10.0.0.0/8") + '[guard]\ntrusted = ["172.17.0.1"]\n',
        text.replace("listen =", 'proxies = ["172.17.0.2"]\nlisten ='),
        smtp(rows),
    ):
        assert not check(load_text(mended, tmp_path / "x.toml"), now=NOW, gateway=gateway).warnings


def test_a_container_and_its_gateway_are_recognised(tmp_path: Path) -> None:
    (tmp_path / "proc/net").mkdir(parents=True)
    head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
    route = "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    default = "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\n"
    (tmp_path / "proc/net/route").write_text(head + route + default)
    assert container_gateway(tmp_path) is None
    (tmp_path / ".dockerenv").touch()
    assert container_gateway(tmp_path) == IPv4Address("172.17.0.1")
    (tmp_path / "proc/net/route").write_text(head + route)
    assert container_gateway(tmp_path) is None


def test_the_usual_gateways_of_containers_are_known_from_outside(tmp_path: Path) -> None:
    text = smtp('{ allow = ["connect", "submit", "relay"], to = "net:172.17.0.1" }').replace(
        "127.0.0.1", "0.0.0.0"
    )
    (only,) = check(load_text(text, tmp_path / "x.toml"), now=NOW).warnings
    assert "the gateway of Docker's bridge by default" in only.text
    assert only.line == text[: text.index("allow")].count("\n") + 1
    for harmless in (text.replace("172.17.0.1", "172.17.0.0/16"), text.replace("172.17.0.1", "10.0.5.7")):
        assert not check(load_text(harmless, tmp_path / "x.toml"), now=NOW).warnings
