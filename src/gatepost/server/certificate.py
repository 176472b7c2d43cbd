"""Certificates for listeners: PEM or PKCS#12 in, an `ssl.SSLContext` out."""

from __future__ import annotations

import hashlib
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from gatepost.config.schema import Certificate
from gatepost.secret import Secret
from gatepost.server.clientcert import ClientTrust

_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate with its chain and its private key, both PEM."""

    chain: bytes
    key: bytes

    @staticmethod
    def from_pem(chain: Path, key: Path) -> KeyPair:
        """Raises OSError."""
        return KeyPair(chain.read_bytes(), key.read_bytes())

    @staticmethod
    def from_pkcs12(file: Path, password: Secret | None) -> KeyPair:
        """Raises OSError, and ValueError for a wrong password or a file without key or certificate."""
        secret = password.reveal().encode() if password else None
        key, leaf, others = pkcs12.load_key_and_certificates(file.read_bytes(), secret)
        if key is None or leaf is None:
            raise ValueError("the PKCS#12 file holds no certificate with its key")
        chain = b"".join(one.public_bytes(Encoding.PEM) for one in (leaf, *others))
        return KeyPair(chain, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """What a server shows: subject names, end, key type, and the RFC 5929 §4 binding of its leaf."""

    names: tuple[str, ...]
    not_after: float
    kind: str
    end_point_binding: bytes

    @staticmethod
    def of(pair: KeyPair) -> ServerCertificate:
        """Raises ValueError when the chain holds no certificate."""
        leaf = x509.load_pem_x509_certificate(pair.chain)
        ends = leaf.not_valid_after_utc.timestamp()
        return ServerCertificate(_names(leaf), ends, _kind(leaf), binding_of(leaf))


def _kind(leaf: x509.Certificate) -> str:
    match leaf.public_key():
        case rsa.RSAPublicKey():
            return "rsa"
        case ec.EllipticCurvePublicKey():
            return "ecdsa"
        case other:
            return type(other).__name__


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(name.lower() for name in found.get_values_for_type(x509.DNSName))


def binding_of(leaf: x509.Certificate) -> bytes:
    """The `tls-server-end-point` data of a certificate (RFC 5929 §4)."""
    der = leaf.public_bytes(Encoding.DER)
    algorithm = leaf.signature_hash_algorithm
    # RFC 5929 §4.1: MD5 and SHA-1 are replaced by SHA-256
    if algorithm is None or isinstance(algorithm, hashes.MD5 | hashes.SHA1):
        return hashlib.sha256(der).digest()
    return hashlib.new(algorithm.name, der).digest()


C = TypeVar("C", bound=ssl.SSLContext)


def server_context(
    pairs: Sequence[KeyPair], kind: type[C], *, tls_min: str = "1.2", trust: ClientTrust | None = None
) -> C:
    """A context of this kind for listeners, with pairs of different key types.

    With `trust` clients are asked for certificates.

    Raises ssl.SSLError when a key and its certificate do not belong together.
    """
    context = kind(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[tls_min]
    # renegotiation lets a peer make us work; compression leaks (CRIME)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 1
    if tls_min in ("1.0", "1.1"):
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # OpenSSL 3 allows TLS below 1.2 only there
    for pair in pairs:
        load(context, pair)
    if trust is not None:
        trust.ask(context)
    return context


def load(context: ssl.SSLContext, pair: KeyPair) -> None:
    """Handshakes from now on show the pair.

    `ssl` reads certificates from files alone; a memory file keeps the key off the disk.
    """
    descriptor = os.memfd_create("gatepost-key", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(pair.chain + b"\n" + pair.key)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def key_pair(certificate: Certificate) -> KeyPair:
    """The certificate that the settings name. Raises OSError, ValueError."""
    if certificate.pfx is not None:
        return KeyPair.from_pkcs12(certificate.pfx, _password(certificate.pfx_password_file))
    if certificate.chain is None or certificate.key is None:
        raise ValueError("a certificate has `chain` and `key`, or `pfx`")
    return KeyPair.from_pem(certificate.chain, certificate.key)


def _password(file: Path | None) -> Secret | None:
    return None if file is None else Secret(file.read_text("utf-8").rstrip("\r\n"))
