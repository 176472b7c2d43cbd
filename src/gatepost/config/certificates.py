"""How long the certificates last and whom they name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from gatepost.config.finding import Doubt
from gatepost.config.schema import Certificate, Settings

_WARNED_BEFORE = timedelta(days=30)


def certificate_doubts(settings: Settings, now: datetime) -> Iterator[Doubt]:
    """Certificates that have ended, are about to, or do not name this host. They are readable."""
    for name, certificate in settings.certificates.items():
        leaf = leaf_of(certificate)
        if leaf is None:
            continue
        path = ("certificates", name)
        yield from _lifetime(path, leaf, now.astimezone(UTC))
        names = dns_names(leaf)
        if not any(names_host(pattern, settings.hostname) for pattern in names):
            text = f"the certificate {name} does not name {settings.hostname}"
            yield Doubt(path, text, "have it made for " + settings.hostname)


def leaf_of(certificate: Certificate) -> x509.Certificate | None:
    """The server's own certificate; None where the file holds none any more."""
    try:
        if certificate.chain is not None:
            return x509.load_pem_x509_certificate(certificate.chain.read_bytes())
        if certificate.pfx is not None:
            password = _password(certificate.pfx_password_file)
            return pkcs12.load_key_and_certificates(certificate.pfx.read_bytes(), password)[1]
    except (OSError, ValueError):
        return None
    return None


def dns_names(leaf: x509.Certificate) -> list[str]:
    """The DNS names it is for (RFC 9525 §6: the common name does not count)."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.DNSName)


def _password(file: Path | None) -> bytes | None:
    return None if file is None else file.read_bytes().rstrip(b"\r\n")


def _lifetime(path: tuple[str, str], leaf: x509.Certificate, now: datetime) -> Iterator[Doubt]:
    ends = leaf.not_valid_after_utc
    if ends <= now:
        yield Doubt(path, f"the certificate {path[1]} ended on {ends:%Y-%m-%d}", "import a new one")
    elif ends - now < _WARNED_BEFORE:
        yield Doubt(path, f"the certificate {path[1]} ends on {ends:%Y-%m-%d}", "renew it")
    if leaf.not_valid_before_utc > now:
        begins = leaf.not_valid_before_utc
        yield Doubt(
            path, f"the certificate {path[1]} begins on {begins:%Y-%m-%d}", "check this machine's clock"
        )


def names_host(pattern: str, hostname: str) -> bool:
    """Whether a certificate for `pattern` is one for the host; a wildcard is one label (RFC 9525 §6.3)."""
    pattern = pattern.lower()
    if pattern.startswith("*."):
        return hostname.partition(".")[2] == pattern[2:]
    return pattern == hostname
