"""A client sees the certificate of the name it asks for, of a key type it can; changed files are taken up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from gatepost.admin.certificate import self_signed
from gatepost.config.schema import Certificate, SmtpServer
from gatepost.log import Log, LogWriter
from gatepost.server.certificate import KeyPair
from gatepost.server.face import Faces
from gatepost.server.renewal import Renewal
from gatepost.server.tls import TlsChannel, TlsServer

A, B = "a.example", "b.example"


@cache
def pair(kind: str, *names: str) -> KeyPair:
    key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    made = self_signed(names)
    base = x509.load_pem_x509_certificate(made.chain)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{kind} {names[0]}")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(base.not_valid_before_utc)
        .not_valid_after(base.not_valid_after_utc)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return KeyPair(certificate.public_bytes(Encoding.PEM), pem)


def seen(server: TlsServer, name: str | None, ciphers: str = "") -> tuple[str, dict[str, bytes]]:
    """The common name of what a client is shown, and the server's channel bindings then."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if ciphers:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    channel = TlsChannel(server)
    for _ in range(6):
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()
        if outgoing.pending:
            channel.receive(outgoing.read())
        incoming.write(channel.take_output())
        if channel.established:
            break
    client.do_handshake()
    der = client.getpeercert(binary_form=True)
    assert der is not None
    subject = x509.load_der_x509_certificate(der).subject
    shown = subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    assert isinstance(shown, str)
    return shown, channel.channel_bindings()


def serving(folder: Path, *pairs: KeyPair) -> TlsServer:
    certificates = []
    for number, one in enumerate(pairs):
        chain, key = folder / f"{number}.pem", folder / f"{number}.key"
        chain.write_bytes(one.chain)
        key.write_bytes(one.key)
        certificates.append(Certificate(chain=chain, key=key))
    settings = SmtpServer.model_validate(
        {"listen": ["127.0.0.1:0"], "auth": ["SCRAM-SHA-256-PLUS"], "access": []}
    )
    return TlsServer(settings, certificates)


def test_a_name_sees_its_certificate_and_any_other_the_first(tmp_path: Path) -> None:
    server = serving(tmp_path, pair("ecdsa", A), pair("ecdsa", B), pair("ecdsa", "*.w.example"))
    for name, shown in ((A, A), (B, B), ("B.Example", B), ("x.w.example", "*.w.example"), (None, A)):
        assert seen(server, name)[0] == f"ecdsa {shown}"
    for name in ("w.example", "x.y.w.example", "other.example"):
        assert seen(server, name)[0] == f"ecdsa {A}"


def test_one_name_has_both_key_types(tmp_path: Path) -> None:
    server = serving(tmp_path, pair("ecdsa", A), pair("rsa", A), pair("rsa", B))
    assert seen(server, A, "ECDHE+aRSA")[0] == f"rsa {A}"
    assert seen(server, A, "ECDHE+aECDSA")[0] == f"ecdsa {A}"
    assert seen(server, None, "ECDHE+aRSA")[0] == f"rsa {A}"
    assert seen(server, B)[0] == f"rsa {B}"


def test_channels_are_bound_to_what_was_shown(tmp_path: Path) -> None:
    server = serving(tmp_path, pair("ecdsa", A), pair("ecdsa", B))
    first, second = seen(server, A)[1], seen(server, B)[1]
    assert first["tls-server-end-point"] != second["tls-server-end-point"]
    assert len(first["tls-exporter"]) == len(second["tls-exporter"]) == 32


def test_an_end_point_that_cannot_be_told_is_not_given(tmp_path: Path) -> None:
    server = serving(tmp_path, pair("ecdsa", A), pair("rsa", A))
    assert set(seen(server, A)[1]) == {"tls-exporter"}
    by_rsa, by_ecdsa = (seen(server, A, f"ECDHE+a{kind}")[1] for kind in ("RSA", "ECDSA"))
    assert by_rsa["tls-server-end-point"] != by_ecdsa["tls-server-end-point"]


@given(st.text(max_size=80) | st.from_regex(r"[a-z.*]{0,20}", fullmatch=True) | st.none())
def test_any_name_gets_a_face(name: str | None) -> None:
    faces = Faces([pair("ecdsa", A), pair("ecdsa", "*.w.example"), pair("rsa", A)], tls_min="1.2")
    assert faces.chosen(name).certificates


def log_to(file: Path) -> Log:
    return Log(LogWriter(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)))


def test_changed_files_are_taken_up_and_broken_ones_are_not(tmp_path: Path) -> None:
    server = serving(tmp_path, pair("ecdsa", A))
    renewal = Renewal(lambda: [server], log_to(tmp_path / "log"))
    assert asyncio.run(renewal.look()) == []
    (tmp_path / "0.pem").write_bytes(pair("ecdsa", B).chain)  # its key has not come yet
    assert len(asyncio.run(renewal.look())) == 1
    assert seen(server, None)[0] == f"ecdsa {A}"
    assert asyncio.run(renewal.look()) == []  # told once
    (tmp_path / "0.key").write_bytes(pair("ecdsa", B).key)
    assert len(asyncio.run(renewal.look())) == 1
    assert seen(server, None)[0] == f"ecdsa {B}"
    (tmp_path / "0.key").unlink()
    asyncio.run(renewal.look())
    assert seen(server, None)[0] == f"ecdsa {B}"
    said = (tmp_path / "log").read_text()
    assert said.count("certificate-unusable") == 2
    assert said.count("certificate-taken-up") == 1


def test_a_pair_that_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLError):
        serving(tmp_path, KeyPair(pair("ecdsa", A).chain, pair("ecdsa", B).key))


def test_settings_take_one_name_or_several() -> None:
    for given_value, wanted in (("a", ("a",)), (["a", "b"], ("a", "b"))):
        server = SmtpServer.model_validate(
            {"listen": ["127.0.0.1:0"], "access": [], "certificate": given_value}
        )
        assert server.certificate == wanted
    for wrong in ([], ["a", "a"], 7, [1]):
        with pytest.raises(ValueError):
            SmtpServer.model_validate({"listen": ["127.0.0.1:0"], "access": [], "certificate": wrong})
