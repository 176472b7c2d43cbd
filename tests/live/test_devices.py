"""What old devices can do, done by swaks and openssl: AUTH LOGIN, TLS 1.0, or nothing but their address."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from live.gate import ANN, HOSTNAME, SUBMISSION, Gate, done
from live.program import run
from patience import until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-devices")]

OLD, PRINTERS = 5871, 2527
DEVICE, STRANGER = "127.0.5.17", "127.0.6.17"
SERVERS = f"""
[certificates.rsa]
chain = "{{folder}}/rsa.pem"
key = "{{folder}}/rsa.key"

[smtp.old-devices]
listen = ["{{host}}:{OLD}"]
tls = "require"
tls_min = "1.0"
certificate = ["default", "rsa"]
auth = ["PLAIN", "LOGIN"]
access = [
  {{ allow = ["connect"], to = "net:127.0.5.0/24" }},
  {{ allow = ["submit", "relay"], to = "group:POP3 Relay", from = ["127.0.5.0/24"] }},
]

[smtp.printers]
listen = ["{{host}}:{PRINTERS}"]
tls = "offer"
tls_min = "1.0"
auth = []
access = [ {{ allow = ["connect", "submit", "relay"], to = "net:127.0.5.0/24" }} ]

[routes."*"]
via = "capture:outbox"
"""


def rsa_pair(folder: Path) -> None:
    """`rsa.pem` and `rsa.key`, as old devices need them."""
    key = rsa.generate_private_key(65_537, 2_048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOSTNAME)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    names = x509.SubjectAlternativeName([x509.DNSName(one) for one in (HOSTNAME, "localhost")])
    made = made.not_valid_before(now).not_valid_after(now + timedelta(days=9))
    signed = made.add_extension(names, critical=False).sign(key, hashes.SHA256())
    (folder / "rsa.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "rsa.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    (folder / "rsa.key").chmod(0o600)


@pytest.fixture(scope="module")
def gate(
    make_gate: Callable[..., Gate], tmp_path_factory: pytest.TempPathFactory, require: Callable[..., None]
) -> Gate:
    require("swaks", "openssl")
    folder = tmp_path_factory.mktemp("rsa")
    rsa_pair(folder)
    return make_gate(SERVERS.replace("{folder}", str(folder)), workers=2)


@pytest.fixture(scope="module")
def secret(gate: Gate) -> str:
    """Of the device at DEVICE."""
    made = gate.command(
        "user", "app-password", ANN.name, "--label", "Scanner", "--from", "127.0.5.0/24", "--json"
    )
    return str(json.loads(done(made).stdout)["secret"])


def swaks(gate: Gate, port: int, *more: str, source: str = DEVICE) -> str:
    return run(
        "swaks", "--server", f"{gate.host}:{port}", "--local-interface", source, "--from", ANN.name,
        "--to", "x@else.example", "--h-From", ANN.name, *more,
    ).stdout  # fmt: skip


@pytest.mark.parametrize("mechanism", ["LOGIN", "PLAIN"])
@pytest.mark.parametrize("port", [OLD, SUBMISSION])
def test_an_app_password_sends(gate: Gate, secret: str, mechanism: str, port: int) -> None:
    login = ("--auth", mechanism, "--auth-user", "ann", "--auth-password")
    assert "queued as" in swaks(gate, port, "--tls", *login, secret)
    assert "535 5.7.8" in swaks(gate, port, "--tls", *login, secret[:-1] + "x")
    assert "device=Scanner" in gate.wait_for_log("device=Scanner")


def test_it_sends_from_its_own_network_alone(gate: Gate, secret: str) -> None:
    login = ("--tls", "--auth", "LOGIN", "--auth-user", "ann", "--auth-password", secret)
    assert "535 5.7.8" in swaks(gate, SUBMISSION, *login, source=STRANGER)
    assert gate.wait_for_log("app-password-elsewhere")


def test_an_address_is_enough_where_the_file_says_so(gate: Gate) -> None:
    assert "queued as" in swaks(gate, PRINTERS)
    assert "554 5.7.1" in swaks(gate, PRINTERS, source=STRANGER)


@pytest.mark.parametrize(
    ("port", "version", "cipher"),
    [
        (OLD, "tls1", "DEFAULT"),
        (OLD, "tls1", "AES128-SHA"),
        (OLD, "tls1", "ECDHE-RSA-AES256-SHA"),
        (OLD, "tls1", "ECDHE-ECDSA-AES128-SHA"),
        (OLD, "tls1_1", "AES256-SHA"),
        (OLD, "tls1_2", "DEFAULT"),
        (PRINTERS, "tls1", "DEFAULT"),
    ],
)
def test_old_tls_is_spoken_there(gate: Gate, port: int, version: str, cipher: str) -> None:
    said = handshake(gate, port, version, cipher)
    assert "Cipher is (NONE)" not in said
    assert f"Protocol  : {version.replace('tls', 'TLSv').replace('_', '.')}" in said
    assert "250 " in said


@pytest.mark.parametrize("version", ["tls1", "tls1_1"])
def test_and_nowhere_else(gate: Gate, version: str) -> None:
    assert "Cipher is (NONE)" in handshake(gate, SUBMISSION, version, "DEFAULT")


def handshake(gate: Gate, port: int, version: str, cipher: str) -> str:
    return run(
        "openssl", "s_client", "-connect", f"{gate.host}:{port}", "-bind", f"{DEVICE}:0", "-starttls", "smtp",
        f"-{version}", "-cipher", f"{cipher}@SECLEVEL=0", "-ign_eof", given="QUIT\r\n",
    ).stdout  # fmt: skip


def test_what_sent_is_listed(gate: Gate, secret: str) -> None:
    login = ("--tls", "--auth", "LOGIN", "--auth-user", "ann", "--auth-password", secret)
    swaks(gate, OLD, *login)
    swaks(gate, PRINTERS)

    def listed() -> set[str]:
        rows = json.loads(done(gate.command("devices", "--json")).stdout)
        return {row["name"] for row in rows if row["last_sent"]}

    assert until(lambda: {DEVICE, f"{ANN.name}/Scanner"} <= listed(), why=listed)


def test_after_the_secret_was_revoked_nobody_gets_in_with_it(gate: Gate, secret: str) -> None:
    done(gate.command("user", "app-password", "ann", "--revoke", "scanner"))
    login = ("--tls", "--auth", "LOGIN", "--auth-user", "ann", "--auth-password", secret)
    assert "535 5.7.8" in swaks(gate, OLD, *login)
    assert gate.wait_for_log("app-password-revoked")
