"""Weak points of the certificates that virtual servers show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from gatepost.admin.audit_access import line_of
from gatepost.admin.audit_meanings import Weak
from gatepost.admin.audit_weakness import Grade, Weakness
from gatepost.config.certificates import dns_names, leaf_of, names_host
from gatepost.config.schema import Settings, TlsMode

_SOON: Final = timedelta(days=30)
_VERY_SOON: Final = timedelta(days=7)
_RSA_BITS: Final = 2048
_EC_BITS: Final = 256
_BROKEN_HASHES: Final = frozenset({"md5", "sha1"})


def certificate_weaknesses(settings: Settings, now: datetime) -> Iterator[Weakness]:
    """Those of certificates that are used; what cannot be read, `check` refuses."""
    servers = [*settings.smtp.values(), *settings.pop3.values()]
    used = {name for one in servers if one.tls is not TlsMode.OFF for name in one.certificate}
    for name, certificate in settings.certificates.items():
        leaf = leaf_of(certificate) if name in used else None
        if leaf is not None:
            where = (line_of(settings, settings.source.line(("certificates", name))),)
            yield from _lifetime(name, leaf, now, where)
            yield from _name(name, leaf, settings.hostname, where)
            yield from _strength(name, leaf, where)


def _lifetime(name: str, leaf: x509.Certificate, now: datetime, where: tuple[str]) -> Iterator[Weakness]:
    ends = leaf.not_valid_after_utc
    left = ends - now
    if left <= timedelta():
        text = f"the certificate {name} ended on {ends:%Y-%m-%d}"
        yield Weakness(Weak.CERTIFICATE_ENDED, Grade.HIGH, text, where)
    elif left < _SOON:
        grade = Grade.HIGH if left < _VERY_SOON else Grade.MEDIUM
        text = f"the certificate {name} ends on {ends:%Y-%m-%d}, in {left.days} days"
        yield Weakness(Weak.CERTIFICATE_ENDS, grade, text, where)


def _name(name: str, leaf: x509.Certificate, hostname: str, where: tuple[str]) -> Iterator[Weakness]:
    if not any(names_host(pattern, hostname) for pattern in dns_names(leaf)):
        text = f"the certificate {name} is not for {hostname}"
        yield Weakness(Weak.CERTIFICATE_NAME, Grade.MEDIUM, text, where)
    elif leaf.subject == leaf.issuer:
        text = f"the certificate {name} is signed by nobody but itself"
        yield Weakness(Weak.CERTIFICATE_SELF_SIGNED, Grade.LOW, text, where)


def _strength(name: str, leaf: x509.Certificate, where: tuple[str]) -> Iterator[Weakness]:
    for problem in (_weak_key(leaf), _weak_signature(leaf)):
        if problem is not None:
            text = f"the certificate {name} has {problem}"
            yield Weakness(Weak.CERTIFICATE_WEAK, Grade.HIGH, text, where)


def _weak_key(leaf: x509.Certificate) -> str | None:
    try:
        key = leaf.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return "a key of an unknown kind"
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _RSA_BITS:
        return f"an RSA key of {key.key_size} bits"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size < _EC_BITS:
        return f"a key on the small curve {key.curve.name}"
    return "a DSA key" if isinstance(key, dsa.DSAPublicKey) else None


def _weak_signature(leaf: x509.Certificate) -> str | None:
    try:
        algorithm = leaf.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None  # Ed25519 and what comes after it have no separate hash
    if algorithm is not None and algorithm.name in _BROKEN_HASHES:
        return f"a signature with {algorithm.name.upper()}"
    return None
