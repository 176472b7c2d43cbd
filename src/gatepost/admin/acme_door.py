"""Where an ACME authority comes to see that a name is ours. Open only while a certificate is fetched."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gatepost.server.certificate import KeyPair, server_context

ALPN: Final = "acme-tls/1"
_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")  # RFC 8737 §6.1: id-pe-acmeIdentifier
_PATH: Final = b"/.well-known/acme-challenge/"
_VISIT_SECONDS: Final = 10.0
_HEAD_BYTES: Final = 8_192
_AT_ONCE: Final = 50


class AcmeDoor(ABC):
    """Answers everybody who connects, each in a thread, until `close`."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._end.setblocking(True)
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        threading.Thread(target=self._serve, daemon=True).start()

    @abstractmethod
    def prove(self, name: str, token: str, authorization: str) -> None:
        """From now on a visitor sees that `name` is ours (RFC 8555 §8.1: the key authorization)."""

    @abstractmethod
    def _answer(self, visitor: socket.socket) -> None: ...

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._end.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = self._end.accept()
                if self._room.acquire(blocking=False):
                    threading.Thread(target=self._visit, args=(visitor,), daemon=True).start()
                else:
                    visitor.close()

    def _visit(self, visitor: socket.socket) -> None:
        try:
            with visitor, contextlib.suppress(OSError, ValueError):
                visitor.settimeout(_VISIT_SECONDS)
                self._answer(visitor)
        finally:
            self._room.release()


class HttpDoor(AcmeDoor):
    """http-01, RFC 8555 §8.3."""

    def __init__(self, end: socket.socket) -> None:
        self._proofs: dict[bytes, bytes] = {}
        super().__init__(end)

    def prove(self, name: str, token: str, authorization: str) -> None:
        self._proofs[_PATH + token.encode("ascii")] = authorization.encode("ascii")

    def _answer(self, visitor: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head and len(head) < _HEAD_BYTES:
            data = visitor.recv(4_096)
            if not data:
                return
            head += data
        words = head.split(b"\r\n", 1)[0].split(b" ")
        proof = self._proofs.get(words[1]) if len(words) == 3 and words[0] == b"GET" else None
        status, body = (b"200 OK", proof) if proof else (b"404 Not Found", b"")
        visitor.sendall(
            b"HTTP/1.1 %s\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n"
            b"Connection: close\r\n\r\n%s" % (status, len(body), body)
        )


class TlsAlpnDoor(AcmeDoor):
    """tls-alpn-01, RFC 8737: the proof is in the certificate that the handshake shows."""

    def __init__(self, end: socket.socket) -> None:
        self._faces: dict[str, ssl.SSLContext] = {}
        self._nobody = _context("nobody.invalid", b"")
        self._nobody.sni_callback = self._choose
        super().__init__(end)

    def prove(self, name: str, token: str, authorization: str) -> None:
        self._faces[name.lower()] = _context(name, hashlib.sha256(authorization.encode("ascii")).digest())

    def _choose(self, tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        face = self._faces.get((name or "").lower())
        if face is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        tls.context = face
        return None

    def _answer(self, visitor: socket.socket) -> None:
        with self._nobody.wrap_socket(visitor, server_side=True) as tls:
            tls.recv(1)  # RFC 8737 §3: the authority closes after the handshake


def _context(name: str, digest: bytes) -> ssl.SSLContext:
    context = server_context([_pair(name, digest)], ssl.SSLContext)
    context.set_alpn_protocols([ALPN])
    return context


def _pair(name: str, digest: bytes) -> KeyPair:
    """RFC 8737 §3: self-signed for the one name, the digest in a critical extension."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "acme")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(
            x509.UnrecognizedExtension(_IDENTIFIER, b"\x04" + bytes([len(digest)]) + digest), critical=True
        )
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return KeyPair(certificate.public_bytes(Encoding.PEM), pem)
