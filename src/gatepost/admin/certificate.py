"""Certificates as an operator handles them: made, shown."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gatepost.config.certificates import dns_names, leaf_of
from gatepost.config.schema import Certificate, Settings
from gatepost.server.certificate import KeyPair

_LIFETIME = timedelta(days=825)


def self_signed(names: Sequence[str], *, now: datetime | None = None) -> KeyPair:
    """A certificate for the names, ECDSA P-256: its handshake costs the server half of RSA's."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = now or datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return KeyPair(certificate.public_bytes(Encoding.PEM), pem)


def write_pair(pair: KeyPair, chain: Path, key: Path) -> None:
    """Both files are there, the key readable by its owner alone. Raises FileExistsError, OSError."""
    for path, content, mode in ((key, pair.key, 0o600), (chain, pair.chain, 0o644)):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "wb") as file:
            file.write(content)


def certificate_rows(settings: Settings, *, now: datetime | None = None) -> list[dict[str, object]]:
    """Each certificate of the file: names, issuer, end, days left, fingerprint, who uses it."""
    at = now or datetime.now(UTC)
    return [_row(name, one, settings, at) for name, one in settings.certificates.items()]


def _row(name: str, certificate: Certificate, settings: Settings, now: datetime) -> dict[str, object]:
    servers = [*settings.smtp.values(), *settings.pop3.values()]
    users = [server.name for server in servers if name in server.certificate and server.tls.value != "off"]
    file = str(certificate.chain or certificate.pfx)
    row: dict[str, object] = {"name": name, "used_by": users, "file": file}
    leaf = leaf_of(certificate)
    if leaf is None:
        return row | {"problem": "cannot be read"}
    return row | {
        "names": dns_names(leaf),
        "subject": leaf.subject.rfc4514_string(),
        "issuer": leaf.issuer.rfc4514_string(),
        "self_signed": leaf.subject == leaf.issuer,
        "not_before": leaf.not_valid_before_utc.isoformat(),
        "not_after": leaf.not_valid_after_utc.isoformat(),
        "days_left": (leaf.not_valid_after_utc - now).days,
        "sha256": leaf.fingerprint(hashes.SHA256()).hex(":"),
    }
