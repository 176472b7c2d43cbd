"""The client's side of TLS to a next hop, by memory BIOs (RFC 8446, RFC 3207, RFC 7435).

Own BIOs instead of the event loop's `start_tls`: less memory and CPU, and what the peer sent in
clear behind its 220 is seen here and can never be taken for an answer given under TLS.
"""

from __future__ import annotations

import contextlib
import ssl
from ipaddress import ip_address
from pathlib import Path

from gatepost.delivery.nexthop import TlsUse

_READ_BYTES = 16384  # what a record holds at most (RFC 8446 §5.1)
_SSL_PROBLEMS = (ssl.SSLError, ssl.CertificateError, ValueError)


class TlsFailure(Exception):
    """The handshake or the record layer failed; the text says why, in a few words."""


class Contexts:
    """The TLS contexts of one configuration, made when first needed."""

    def __init__(self) -> None:
        self._contexts: dict[tuple[bool, Path | None], ssl.SSLContext] = {}

    def context(self, use: TlsUse, ca_file: Path | None) -> ssl.SSLContext:
        """The context for this use. Raises OSError when the CA file cannot be read."""
        key = (use is TlsUse.VERIFY, ca_file if use is TlsUse.VERIFY else None)
        context = self._contexts.get(key)
        if context is None:
            context = self._contexts[key] = _checked(ca_file) if key[0] else _unchecked()
        return context


def _checked(ca_file: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))


def _unchecked() -> ssl.SSLContext:
    # RFC 7435 §3: encryption without authentication is still better than clear text.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class TlsPipe:
    """One TLS connection. `receive` gives clear text, `encrypt` and `take_output` what goes to the network.

    `server_name` is sent as SNI and, by a verifying context, looked for in the certificate; an IP
    address is only looked for (RFC 6066 §3 allows no literal in SNI).
    """

    __slots__ = ("_incoming", "_outgoing", "_tls", "closed", "established")

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        name = server_name if context.check_hostname or not _is_address(server_name) else None
        try:
            self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        except ValueError as problem:  # a name that IDNA cannot encode
            raise TlsFailure(str(problem)) from problem
        self.established = False
        self.closed = False

    def receive(self, data: bytes) -> bytes:
        """The clear text now readable; also drives the handshake (`b""` starts it).

        Raises:
            TlsFailure: handshake or record layer failed; `take_output` may hold an alert.
        """
        self._incoming.write(data)
        if not self.established and not self._handshake():
            return b""
        pieces: list[bytes] = []
        incoming, read = self._incoming, self._tls.read
        try:
            # Until all is read: records may lie buffered, and no new event would come for them. Not until
            # WANT_READ: the exception would cost more than the record.
            piece = b""
            while incoming.pending or len(piece) == _READ_BYTES:
                piece = read(_READ_BYTES)
                if not piece:
                    self.closed = True  # close_notify
                    break
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.closed = True
        except _SSL_PROBLEMS as problem:
            raise TlsFailure(_words(problem)) from problem
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _handshake(self) -> bool:
        try:
            self._tls.do_handshake()
            self.established = True
        except ssl.SSLWantReadError:
            pass
        except _SSL_PROBLEMS as problem:
            raise TlsFailure(_words(problem)) from problem
        return self.established

    def encrypt(self, data: bytes) -> bytes:
        """The records that carry `data`. Raises TlsFailure."""
        try:
            self._tls.write(data)
        except _SSL_PROBLEMS as problem:
            raise TlsFailure(_words(problem)) from problem
        return self._outgoing.read()

    def take_output(self) -> bytes:
        return self._outgoing.read()

    def close(self) -> bytes:
        """The close_notify to send; does not wait for the peer's."""
        if self.established and not self.closed:
            self.closed = True
            with contextlib.suppress(ssl.SSLError, ValueError):
                self._tls.unwrap()
        return self._outgoing.read()

    @property
    def summary(self) -> str:
        """Protocol and cipher, as in `TLSv1.3 TLS_AES_256_GCM_SHA384`."""
        cipher = self._tls.cipher()
        return f"{self._tls.version()} {cipher[0] if cipher else '?'}"

    def certificate(self) -> bytes | None:
        """The peer's certificate in DER (for `tls-server-end-point`, RFC 5929 §4)."""
        return self._tls.getpeercert(binary_form=True)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _words(problem: Exception) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {problem.verify_message}"
    reason = getattr(problem, "reason", None)
    return str(reason).replace("_", " ").lower() if reason else type(problem).__name__
