"""Client certificates: what must be true of settings that rest on them, and what is doubtful."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from cryptography import x509

from gatepost.config.fault import Complaint
from gatepost.config.finding import Doubt
from gatepost.config.servers import TlsMode, VirtualServer
from gatepost.policy.access import Kind, Right

Place = tuple[str, str]
_ASK = 'write client_ca_file = "certs/clients-ca.pem"'


def client_certificate_complaints(path: Place, server: VirtualServer) -> Iterator[Complaint]:
    """Whatever waits for a certificate is possible only where one is asked for."""
    if server.client_ca_file is not None:
        if server.tls is TlsMode.OFF:
            remedy = 'set tls = "require" or "implicit", or take it out'
            yield Complaint((*path, "client_ca_file"), "without TLS nobody shows a certificate", remedy)
        return
    if server.client_crl_file is not None:
        yield Complaint((*path, "client_crl_file"), "no client certificates are asked for here", _ASK)
    if "EXTERNAL" in server.auth:
        where = (*path, "auth", server.auth.index("EXTERNAL"))
        yield Complaint(where, "EXTERNAL needs client certificates, which are not asked for here", _ASK)
    for index, entry in enumerate(server.access.entries):
        if entry.to.kind is Kind.CERTIFICATE:
            yield Complaint((*path, "access", index, "to"), "no client certificates are asked for here", _ASK)


def client_certificate_doubts(path: Place, server: VirtualServer, now: datetime) -> Iterator[Doubt]:
    """Entries that come too early, authorities that have ended, lists that are out of date."""
    for entry in server.access.entries:
        if (
            entry.to.kind is Kind.CERTIFICATE
            and Right.CONNECT in entry.rights
            and server.tls is not TlsMode.IMPLICIT
        ):
            text = f"{path[1]}: `connect` is asked before TLS begins, nobody has shown {entry.to} then"
            remedy = 'give `connect` to "anyone" or to networks, or set tls = "implicit"'
            yield Doubt((*path, "access"), text, remedy, entry.line)
    if server.client_ca_file is not None:
        yield from _ended(path, server.client_ca_file, now)
    if server.client_crl_file is not None:
        yield from _outdated(path, server.client_crl_file, now)


def _ended(path: Place, file: Path, now: datetime) -> Iterator[Doubt]:
    for one in x509.load_pem_x509_certificates(file.read_bytes()):
        if one.not_valid_after_utc < now:
            text = f"{path[1]}: {one.subject.rfc4514_string()} ended on {one.not_valid_after_utc:%Y-%m-%d}"
            yield Doubt((*path, "client_ca_file"), text, "its certificates are refused: put in the new one")


def _outdated(path: Place, file: Path, now: datetime) -> Iterator[Doubt]:
    for one in revocation_lists(file.read_bytes()):
        if one.next_update_utc is not None and one.next_update_utc < now:
            issuer = one.issuer.rfc4514_string()
            text = f"{path[1]}: the list of {issuer} is out of date since {one.next_update_utc:%Y-%m-%d}"
            remedy = "all its certificates are refused: fetch the new one"
            yield Doubt((*path, "client_crl_file"), text, remedy)


def revocation_lists(pem: bytes) -> list[x509.CertificateRevocationList]:
    """All of them. Raises ValueError: there is none, or one is broken."""
    end = b"-----END X509 CRL-----"
    parts = [part + end for part in pem.split(end) if b"-----BEGIN X509 CRL-----" in part]
    if not parts:
        raise ValueError("no PEM revocation list")
    return [x509.load_pem_x509_crl(part.strip()) for part in parts]
