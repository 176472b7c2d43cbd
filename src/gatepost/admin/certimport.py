"""A certificate brought from elsewhere, PEM or PKCS#12: opened and judged."""

from __future__ import annotations

import contextlib
import re
import ssl
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import AuthorityInformationAccessOID

from gatepost.config.certificates import dns_names, names_host
from gatepost.secret import Secret
from gatepost.server.certificate import KeyPair

# OpenSSL's own list is often a folder it looks into by hash; these hold the same in one file.
_BUNDLES: Final = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
_PEM: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


class CannotImport(Exception):
    """The certificate cannot be used; the text says why and what to do."""


class PasswordNeeded(CannotImport):
    """The key is locked and there is no password, or another one."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A certificate with its chain, the server's own first, and its key."""

    chain: tuple[x509.Certificate, ...]
    key: PrivateKeyTypes

    @property
    def leaf(self) -> x509.Certificate:
        return self.chain[0]

    def pair(self) -> KeyPair:
        chain = b"".join(one.public_bytes(Encoding.PEM) for one in self.chain)
        return KeyPair(chain, self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def opened(content: bytes, password: Secret | None = None, key_content: bytes | None = None) -> Imported:
    """What the file holds; its certificates may stand in any order.

    `key_content` is the key's own file, where it has one.

    Raises:
        PasswordNeeded: the key is locked, and `password` does not open it.
        CannotImport: it is no certificate with its key.
    """
    if b"-----BEGIN " in content:
        key = _pem_key(key_content if key_content is not None else content, password)
        certificates = _pem_certificates(content)
    else:
        key, certificates = _from_pkcs12(content, password)
        if key_content is not None:
            key = _pem_key(key_content, password)
    if key is None:
        raise CannotImport("there is no private key in it; name the key's file with --key, or export both")
    return Imported(tuple(ordered(certificates, key)), key)


def _from_pkcs12(
    content: bytes, password: Secret | None
) -> tuple[PrivateKeyTypes | None, list[x509.Certificate]]:
    secret = password.reveal().encode() if password else None
    try:
        key, leaf, others = pkcs12.load_key_and_certificates(content, secret)
    except (ValueError, UnsupportedAlgorithm) as problem:
        if not content.startswith(b"\x30"):  # a DER sequence, which PKCS#12 is (RFC 7292 §4)
            raise CannotImport("it is neither PEM nor PKCS#12 (.pfx, .p12)") from None
        if "password" in str(problem).lower():
            said = "the password is wrong" if password else "it is locked with a password"
            raise PasswordNeeded(f"{said}; the one it was exported with opens it") from None
        raise CannotImport(f"it cannot be read as PKCS#12 ({problem})") from None
    certificates = [one for one in (leaf, *others) if one is not None]
    if not certificates:
        raise CannotImport("there is no certificate in it; export the certificate together with its key")
    return key, certificates


def _pem_certificates(content: bytes) -> list[x509.Certificate]:
    blocks = [found.group() for found in _PEM.finditer(content) if found[1].endswith(b"CERTIFICATE")]
    try:
        certificates = [x509.load_pem_x509_certificate(block) for block in blocks]
    except ValueError as problem:
        raise CannotImport(f"a certificate in it is damaged ({problem})") from None
    if not certificates:
        raise CannotImport("there is no certificate in it")
    return certificates


def _pem_key(content: bytes, password: Secret | None) -> PrivateKeyTypes | None:
    blocks = [found.group() for found in _PEM.finditer(content) if found[1].endswith(b"PRIVATE KEY")]
    if not blocks:
        return None
    if len(blocks) > 1:
        raise CannotImport("there are several private keys in it; keep the one that belongs to it")
    is_locked = b"ENCRYPTED" in blocks[0]
    if is_locked and password is None:
        raise PasswordNeeded("the key is locked with a password")
    try:
        return load_pem_private_key(blocks[0], password.reveal().encode() if is_locked and password else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        if is_locked:
            raise PasswordNeeded("the password is wrong") from None
        raise CannotImport(f"the key is damaged ({problem})") from None


def ordered(certificates: Iterable[x509.Certificate], key: PrivateKeyTypes) -> Iterator[x509.Certificate]:
    """The certificate of the key, its issuer, that one's issuer and so on; others are left out.

    Raises CannotImport when none is the key's.
    """
    left = list(certificates)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    one = next((c for c in left if _public(c) == public), None)
    if one is None:
        raise CannotImport("the key belongs to none of the certificates; name the key made with this one")
    while one is not None:
        yield one
        left.remove(one)
        below = one
        one = next((c for c in left if _issued(c, below)), None)


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def objections(imported: Imported, now: datetime) -> Iterator[str]:
    """Why nobody should serve it: each is a reason not to import it."""
    leaf = imported.leaf
    if leaf.not_valid_after_utc <= now:
        yield f"it ended on {leaf.not_valid_after_utc:%Y-%m-%d}: ask for a new one"
    if leaf.not_valid_before_utc > now:
        begins = leaf.not_valid_before_utc
        yield f"it begins on {begins:%Y-%m-%d}: wait until then, or check this machine's clock"


def doubts(imported: Imported, hostname: str, trusted: Sequence[str]) -> Iterator[str]:
    """What may keep clients from trusting it. `trusted` are the subjects (RFC 4514) of known roots."""
    names = dns_names(imported.leaf)
    if not any(names_host(pattern, hostname) for pattern in names):
        shown = ", ".join(names) or "no host at all"
        yield (
            f"it is for {shown}, not for {hostname}: clients that connect to {hostname} refuse it, "
            "unless another certificate of the virtual server names that"
        )
    top = imported.chain[-1]
    issuer = top.issuer.rfc4514_string()
    if top.subject == top.issuer:
        if len(imported.chain) == 1:
            yield "it is self-signed: only clients that were told to trust it do"
    elif issuer not in trusted:
        where = _where_issuer_is(top)
        yield (
            f"the certificate of its issuer ({issuer}) is not in the file: clients that do not know it "
            f"refuse the connection; put it behind the certificate{where}"
        )
    ends = [one.not_valid_after_utc for one in imported.chain]
    if min(ends) < ends[0]:
        yield f"an intermediate certificate ends before it, on {min(ends):%Y-%m-%d}: ask for the newer one"


def _where_issuer_is(certificate: x509.Certificate) -> str:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, ValueError):
        return ""
    for one in access:
        if one.access_method == AuthorityInformationAccessOID.CA_ISSUERS and isinstance(
            one.access_location, x509.UniformResourceIdentifier
        ):
            return f" ({one.access_location.value} has it)"
    return ""


def known_roots() -> list[str]:
    """The subjects of the roots this machine trusts."""
    files = {ssl.get_default_verify_paths().cafile, *_BUNDLES}
    roots: list[x509.Certificate] = []
    for file in files:
        with contextlib.suppress(OSError, ValueError), warnings.catch_warnings(action="ignore"):
            roots += x509.load_pem_x509_certificates(Path(file).read_bytes()) if file else []
    return [root.subject.rfc4514_string() for root in roots]
