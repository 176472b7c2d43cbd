"""When a certificate is due, and what a visitor sees who comes to look for a name."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gatepost.admin.acme import due
from gatepost.admin.acme_door import ALPN, HttpDoor, TlsAlpnDoor
from gatepost.admin.certificate import self_signed
from gatepost.config.acme import Acme

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ACME = Acme.model_validate({"email": "a@example.org", "names": ["a.example", "b.example"]})


def leaf(*names: str, days: float) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in ("it", "above"))
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        (None, "none that can be read"),
        (x509.load_pem_x509_certificate(self_signed(["a.example", "b.example"]).chain), "self-signed"),
        (leaf("a.example", days=90), "does not name b.example"),
        (leaf("a.example", "b.example", days=29), "ends in 29 days"),
        (leaf("A.example", "b.example", "c.example", days=31), None),
    ],
)
def test_a_certificate_is_due(certificate: x509.Certificate | None, words: str | None) -> None:
    found = due(certificate, ACME, NOW)
    assert found is None if words is None else words in str(found)


@pytest.fixture
def end() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def ask(place: tuple[str, int], said: bytes) -> bytes:
    with socket.create_connection(place, timeout=60) as visitor:
        visitor.sendall(said)
        got = b""
        while data := visitor.recv(4096):
            got += data
    return got


def test_http_shows_each_token_its_authorization(end: socket.socket) -> None:
    place = end.getsockname()
    door = HttpDoor(end)
    door.prove("a.example", "token1", "token1.thumb")
    good = ask(place, b"GET /.well-known/acme-challenge/token1 HTTP/1.1\r\nHost: a.example\r\n\r\n")
    assert good.startswith(b"HTTP/1.1 200 ")
    assert good.endswith(b"\r\n\r\ntoken1.thumb")
    for said in (b"GET /.well-known/acme-challenge/token2 HTTP/1.1", b"POST / HTTP/1.1", b"\xff", b"GET /"):
        assert ask(place, said + b"\r\n\r\n").startswith(b"HTTP/1.1 404 ")
    door.close()
    with pytest.raises(OSError):
        ask(place, b"GET / HTTP/1.1\r\n\r\n")


def test_alpn_shows_the_digest_for_the_name_and_nothing_for_others(end: socket.socket) -> None:
    place = end.getsockname()
    door = TlsAlpnDoor(end)
    door.prove("a.example", "token", "token.thumb")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([ALPN])
    with (
        socket.create_connection(place, timeout=60) as visitor,
        context.wrap_socket(visitor, server_hostname="a.example") as tls,
    ):
        assert tls.selected_alpn_protocol() == ALPN
        der = tls.getpeercert(binary_form=True)
    assert der is not None
    shown = x509.load_der_x509_certificate(der).extensions
    extension = shown.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31"))
    assert extension.critical
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(b"token.thumb")
    assert extension.value.value == b"\x04\x20" + digest.finalize()
    with socket.create_connection(place, timeout=60) as visitor, pytest.raises(ssl.SSLError):
        context.wrap_socket(visitor, server_hostname="b.example")
    door.close()
