"""Configuration files for tests: whole ones, with certificates that can be served."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)

HEAD = 'hostname = "mail.example.org"\nstate = "state"\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "gatepost.toml"
    file.write_text(text, encoding="utf-8")
    return file


def smtp(access: str, more: str = 'tls = "off"') -> str:
    """One virtual server `a` with the access list."""
    return f'{HEAD}[smtp.a]\nlisten = ["127.0.0.1:25"]\n{more}\naccess = [\n{access}\n]\n'


def make_certificate(
    folder: Path, *, host: str = "mail.example.org", days: int = 90
) -> ec.EllipticCurvePrivateKey:
    """`cert.pem` and `cert.key` (0600) in the folder, valid for `days` from NOW."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    leaf = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=400))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
    secret(folder / "cert.key", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    bundle = pkcs12.serialize_key_and_certificates(
        b"mail", key, leaf, None, BestAvailableEncryption(b"open sesame")
    )
    secret(folder / "cert.pfx", bundle)
    return key


def secret(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    file.chmod(0o600)
