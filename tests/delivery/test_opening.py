"""TLS and login towards a next hop."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from delivery.peer import GREETING, TAKES_ALL, ScriptedPeer, scripted_peer
from delivery.rig import rig
from gatepost.mail.outcome import Disposition, Outcome

RELAYED, DEFERRED = Disposition.RELAYED, Disposition.DEFERRED
AFTER_EHLO = TAKES_ALL.removeprefix("S: 220 peer.test ESMTP\n")
OFFERED = GREETING + "S: 250-peer.test\nS: 250-PIPELINING\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n"
SECURED = OFFERED + "STARTTLS\n" + AFTER_EHLO


@dataclass(frozen=True, slots=True)
class Pair:
    """A server's TLS context for 127.0.0.1 and the file of what it trusts in."""

    context: ssl.SSLContext
    file: Path


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer.test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain = folder / "chain.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file = folder / "key.pem"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key_file)
    return Pair(context, chain)


def deliver(
    tmp_path: Path,
    *scripts: str,
    route: Mapping[str, object],
    pair: Pair | None = None,
    implicit: bool = False,
) -> tuple[Outcome, ScriptedPeer]:
    async def main() -> tuple[Outcome, ScriptedPeer]:
        context = None if pair is None else pair.context
        async with scripted_peer(*scripts, context=context, implicit=implicit) as peer:
            scheme = "smtps" if implicit else "smtp"
            via = {"via": f"{scheme}://127.0.0.1:{peer.port}", **route}
            async with rig(tmp_path, {"*": via}) as made:
                await made.put("you@there.test")
                return await made.outcome(), peer

    outcome, peer = asyncio.run(main())
    assert peer.faults == []
    return outcome, peer


@pytest.mark.parametrize("tls", ["may", "require"])
def test_starttls_is_used_where_it_is_offered_without_a_check(tmp_path: Path, pair: Pair, tls: str) -> None:
    outcome, peer = deliver(tmp_path, SECURED, route={"tls": tls}, pair=pair)
    assert outcome.disposition is RELAYED
    assert [line.split()[0] for line in peer.heard[:4]] == ["EHLO", "STARTTLS", "EHLO", "MAIL"]


def test_verify_takes_a_certificate_of_the_routes_ca_and_name(tmp_path: Path, pair: Pair) -> None:
    route = {"tls": "verify", "ca_file": str(pair.file)}
    assert deliver(tmp_path, SECURED, route=route, pair=pair)[0].disposition is RELAYED


def test_verify_refuses_a_certificate_nobody_vouches_for(tmp_path: Path, pair: Pair) -> None:
    outcome, peer = deliver(tmp_path, SECURED, route={"tls": "verify"}, pair=pair)
    assert (outcome.disposition, outcome.enhanced) == (DEFERRED, "4.7.5")
    assert "certificate not accepted" in outcome.text
    assert peer.connections == 1


def test_tls_off_never_says_starttls(tmp_path: Path) -> None:
    script = TAKES_ALL.replace("S: 250 8BITMIME", "S: 250 STARTTLS")
    outcome, peer = deliver(tmp_path, script, route={"tls": "off"})
    assert outcome.disposition is RELAYED
    assert "STARTTLS" not in peer.heard


@pytest.mark.parametrize("tls", ["require", "verify"])
def test_required_tls_that_is_not_offered_defers(tmp_path: Path, tls: str) -> None:
    outcome, peer = deliver(tmp_path, TAKES_ALL, route={"tls": tls})
    assert (outcome.disposition, outcome.enhanced) == (DEFERRED, "4.7.4")
    assert peer.contents == []


def test_a_refused_starttls_goes_on_in_clear_only_with_may(tmp_path: Path) -> None:
    refused = OFFERED.replace("S: 220 go", "S: 454 not now") + TAKES_ALL[TAKES_ALL.index("AGAIN") :]
    assert deliver(tmp_path, refused, route={"tls": "may"})[0].disposition is RELAYED
    (tmp_path / "b").mkdir()
    assert deliver(tmp_path / "b", refused, route={"tls": "require"})[0].enhanced == "4.7.4"


def test_a_failed_handshake_is_followed_by_clear_text_only_with_may(tmp_path: Path) -> None:
    broken = OFFERED + "READ\nS: this is no handshake\nSILENCE"
    outcome, peer = deliver(tmp_path, broken, TAKES_ALL, route={"tls": "may"})
    assert outcome.disposition is RELAYED
    assert peer.connections == 2
    (tmp_path / "b").mkdir()
    outcome, peer = deliver(tmp_path / "b", broken, TAKES_ALL, route={"tls": "require"})
    assert outcome.disposition is DEFERRED
    assert peer.contents == []


def test_bytes_in_clear_behind_the_220_never_count_as_answers(tmp_path: Path, pair: Pair) -> None:
    injected = OFFERED.removesuffix("S: 220 go\n") + "S: 220 go\nS: 250 injected\nSILENCE"
    outcome, peer = deliver(tmp_path, injected, route={"tls": "require"}, pair=pair)
    assert outcome.disposition is DEFERRED
    assert peer.contents == []


def test_implicit_tls_speaks_tls_from_the_first_byte(tmp_path: Path, pair: Pair) -> None:
    outcome, _ = deliver(tmp_path, TAKES_ALL, route={"tls": "require"}, pair=pair, implicit=True)
    assert outcome.disposition is RELAYED


def test_a_message_of_many_records_goes_through_tls_whole(tmp_path: Path, pair: Pair) -> None:
    content = b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 100_000

    async def main() -> None:
        async with (
            scripted_peer(SECURED.replace("SIZE 1000000", "SIZE 9000000"), context=pair.context) as peer,
            rig(tmp_path, {"*": f"smtp://127.0.0.1:{peer.port}"}) as made,
        ):
            await made.put("you@there.test", content=content)
            await made.outcome()
            assert peer.contents == [content]

    asyncio.run(main())


def login(tmp_path: Path) -> dict[str, object]:
    (tmp_path / "secret").write_text("pass word\n")
    return {"user": "relay", "password_file": str(tmp_path / "secret")}


def with_auth(mechanisms: str, exchange: str) -> str:
    offered = AFTER_EHLO.replace("S: 250 8BITMIME", f"S: 250 AUTH {mechanisms}\n{exchange}")
    return OFFERED + "STARTTLS\n" + offered


def test_plain_logs_in_inside_tls(tmp_path: Path, pair: Pair) -> None:
    token = base64.b64encode(b"\0relay\0pass word").decode()
    script = with_auth("LOGIN PLAIN", f"C: AUTH PLAIN {token}\nS: 235 2.7.0 welcome")
    outcome, _ = deliver(tmp_path, script, route={"login": login(tmp_path)}, pair=pair)
    assert outcome.disposition is RELAYED


def test_login_answers_two_prompts(tmp_path: Path, pair: Pair) -> None:
    name, password = base64.b64encode(b"relay").decode(), base64.b64encode(b"pass word").decode()
    exchange = f"C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: {name}\nS: 334 UGFzc3dvcmQ6\nC: {password}\nS: 235 ok"
    outcome, _ = deliver(tmp_path, with_auth("LOGIN", exchange), route={"login": login(tmp_path)}, pair=pair)
    assert outcome.disposition is RELAYED


def test_a_refused_login_defers_and_tells_no_secret(tmp_path: Path, pair: Pair) -> None:
    script = with_auth("PLAIN", "C: AUTH PLAIN\nS: 535 5.7.8 no")
    outcome, _ = deliver(tmp_path, script, route={"login": login(tmp_path)}, pair=pair)
    assert (outcome.disposition, outcome.enhanced) == (DEFERRED, "4.7.8")
    assert "535 5.7.8 no" in outcome.text
    assert "pass word" not in outcome.text


def test_the_password_is_not_sent_in_clear_unless_the_route_forbids_tls(tmp_path: Path) -> None:
    script = TAKES_ALL.replace("S: 250 8BITMIME", "S: 250 AUTH PLAIN\nC: AUTH PLAIN\nS: 235 ok")
    outcome, peer = deliver(tmp_path, script, route={"login": login(tmp_path)})
    assert (outcome.disposition, outcome.enhanced) == (DEFERRED, "4.7.8")
    assert not any("AUTH" in line for line in peer.heard)
    (tmp_path / "b").mkdir()
    outcome, _ = deliver(tmp_path / "b", script, route={"tls": "off", "login": login(tmp_path)})
    assert outcome.disposition is RELAYED


def test_a_password_file_that_is_not_there_defers(tmp_path: Path) -> None:
    missing = {"user": "relay", "password_file": str(tmp_path / "gone")}
    outcome, _ = deliver(tmp_path, TAKES_ALL, route={"tls": "off", "login": missing})
    assert (outcome.disposition, outcome.enhanced) == (DEFERRED, "4.3.5")
