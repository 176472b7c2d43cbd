"""Certificates that clients show: which authorities are believed, and what a certificate says of its holder.

OpenSSL verifies: issuer, time, revocation, purpose (RFC 5280 §6, clientAuth of §4.2.1.12).
"""

from __future__ import annotations

import hashlib
import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from gatepost.config.schema import VirtualServer
from gatepost.policy.facts import ClientCertificate

_UPN: Final = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")  # userPrincipalName, as Windows writes it
_FINGERPRINT: Final = "sha256:"
_UTF8_STRING: Final = 0x0C
_SHORT_FORM: Final = 0x80


@dataclass(frozen=True, slots=True)
class ClientTrust:
    """The authorities (PEM) whose clients are believed, and lists of what they revoked (PEM).

    `demanded`: who shows no certificate cannot connect.
    """

    authorities: bytes
    revoked: bytes | None
    demanded: bool

    @staticmethod
    def of(settings: VirtualServer) -> ClientTrust | None:
        """What the settings name, read now; None where no certificates are asked for. Raises OSError."""
        if settings.client_ca_file is None:
            return None
        revoked = None if settings.client_crl_file is None else settings.client_crl_file.read_bytes()
        return ClientTrust(
            settings.client_ca_file.read_bytes(), revoked, demanded=settings.demands_certificate
        )

    def ask(self, context: ssl.SSLContext) -> None:
        """Handshakes of the context ask for a certificate. Raises ssl.SSLError for files without any."""
        _load(context, self.authorities)
        # an issuing authority alone may stand in the file, or a device's own self-signed certificate
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if self.revoked is not None:
            _load(context, self.revoked)
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        context.verify_mode = ssl.CERT_REQUIRED if self.demanded else ssl.CERT_OPTIONAL
        # a resumed session would not be verified again
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0


def trust_files(settings: VirtualServer) -> tuple[Path, ...]:
    """Where that lies."""
    return tuple(file for file in (settings.client_ca_file, settings.client_crl_file) if file is not None)


def _load(context: ssl.SSLContext, pem: bytes) -> None:
    """`ssl` reads revocation lists from files alone."""
    descriptor = os.memfd_create("gatepost-trust", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(pem)
        context.load_verify_locations(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def client_certificate(der: bytes) -> ClientCertificate:
    """What a verified certificate says. One whose names cannot be read has its fingerprint alone."""
    fingerprint = _FINGERPRINT + hashlib.sha256(der).hexdigest()
    try:
        leaf = x509.load_der_x509_certificate(der)
        common_name = _common_name(leaf)
        accounts, others = _alternatives(leaf)
    except (ValueError, TypeError, x509.DuplicateExtension):
        return ClientCertificate(fingerprint, frozenset({fingerprint}))
    words = [*([common_name] if common_name else []), *accounts, *others]
    # a name must not pass for the fingerprint of another certificate
    names = {word.lower() for word in words if not word.lower().startswith(_FINGERPRINT)}
    return ClientCertificate(
        words[0] if words else fingerprint, frozenset({*names, fingerprint}), accounts, common_name
    )


def _common_name(leaf: x509.Certificate) -> str | None:
    """The last one is the most specific."""
    found = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[-1].value).strip() or None if found else None


def _alternatives(leaf: x509.Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The subject's other names: those that are accounts, and those that are not."""
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return (), ()
    accounts = dict.fromkeys((*_principal_names(found), *found.get_values_for_type(x509.RFC822Name)))
    others = (
        *found.get_values_for_type(x509.DNSName),
        *found.get_values_for_type(x509.UniformResourceIdentifier),
    )
    return tuple(accounts), others


def _principal_names(found: x509.SubjectAlternativeName) -> Iterator[str]:
    for other in found.get_values_for_type(x509.OtherName):
        if other.type_id == _UPN and (name := _utf8_string(other.value)):
            yield name


def _utf8_string(der: bytes) -> str | None:
    """The text of a UTF8String; None when it is none. Raises ValueError: not UTF-8."""
    if len(der) < 2 or der[0] != _UTF8_STRING:
        return None
    if der[1] < _SHORT_FORM:
        text = der[2 : 2 + der[1]]
    elif der[1] == _SHORT_FORM + 1 and len(der) > 2:
        text = der[3 : 3 + der[2]]
    else:
        return None
    return text.decode()
