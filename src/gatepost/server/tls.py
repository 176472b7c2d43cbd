"""TLS on a connection by memory BIOs: bytes in, bytes out (RFC 8446, RFC 3207).

Own BIOs instead of the event loop's `start_tls`: an idle connection costs some 16 KiB instead of
275, and what a client sent in clear behind STARTTLS can never reach the handshake.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from gatepost.config.schema import Certificate, TlsMode, VirtualServer
from gatepost.policy.facts import ClientCertificate
from gatepost.server.certificate import key_pair
from gatepost.server.clientcert import ClientTrust, client_certificate, trust_files
from gatepost.server.exporter import ExporterSecrets, tls_exporter
from gatepost.server.face import Face, Faces

_READ_BYTES = 16384  # what a record holds at most (RFC 8446 §5.1)
_NO_CERTIFICATE = "PEER_DID_NOT_RETURN_A_CERTIFICATE"
_SSL_PROBLEMS = (ssl.SSLError, ssl.CertificateError, ValueError)
_NO_TLS = frozenset(("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST"))


class TlsFailure(Exception):
    """The handshake or the record layer failed; the connection can only be closed.

    `is_certificate`: the client's certificate was refused, or it has none where it needs one.
    `is_rubbish`: what came was no TLS at all.
    """

    def __init__(self, words: str, *, is_certificate: bool = False, is_rubbish: bool = False) -> None:
        super().__init__(words)
        self.is_certificate = is_certificate
        self.is_rubbish = is_rubbish


Stamp = tuple[int, int, int]


class TlsServer:
    """What every connection of one virtual server shares: the certificates it shows, and those it believes.

    `files` are where they lie. `asks`: clients are asked for certificates.
    """

    __slots__ = ("_certificates", "_settings", "_stamps", "asks", "exporter_secrets", "faces", "files")

    def __init__(self, settings: VirtualServer, certificates: Sequence[Certificate]) -> None:
        """Raises OSError, ValueError, ssl.SSLError when one of the certificates cannot be used."""
        self._settings = settings
        self._certificates = certificates
        own = [file for one in certificates for file in (one.chain, one.key, one.pfx) if file]
        self.files = (*own, *trust_files(settings))
        self.asks = settings.client_ca_file is not None
        self._stamps = _stamps(self.files)
        self.exporter_secrets: ExporterSecrets | None = None
        self.show(self.read())

    def is_outdated(self) -> bool:
        """Whether the files have changed; once for each change."""
        stamps = _stamps(self.files)
        changed, self._stamps = stamps != self._stamps, stamps
        return changed

    def read(self) -> Faces:
        """What lies in the files now. Raises OSError, ValueError, ssl.SSLError."""
        settings = self._settings
        pairs = [key_pair(one) for one in self._certificates]
        return Faces(pairs, tls_min=settings.tls_min, trust=ClientTrust.of(settings))

    def show(self, faces: Faces) -> None:
        """New connections see these; open ones keep what they have."""
        self.faces = faces
        if any(mechanism.endswith("-PLUS") for mechanism in self._settings.auth):
            self.exporter_secrets = ExporterSecrets(faces)  # connections can give `tls-exporter` data

    def close(self) -> None:
        """No connection is made any more."""
        if self.exporter_secrets is not None:
            self.exporter_secrets.close()


def _stamps(files: Iterable[Path]) -> tuple[Stamp | None, ...]:
    return tuple(map(_stamp, files))


def _stamp(file: Path) -> Stamp | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


class TlsChannel:
    """The server's side of one TLS connection.

    `receive` takes what came from the network and gives the clear text in it; `encrypt` gives what
    must go to the network; `take_output` gives handshake answers and alerts. Nothing is kept beyond
    one record in either direction.
    """

    __slots__ = (
        "_asked", "_engine", "_exporter_secret", "_incoming", "_outgoing", "_secrets", "_tls", "certificate",
        "closed", "established",
    )  # fmt: skip

    def __init__(self, server: TlsServer) -> None:
        self._secrets = server.exporter_secrets
        self._asked = server.asks
        self.certificate: ClientCertificate | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = server.faces.default.wrap_bio(self._incoming, self._outgoing, server_side=True)
        # what SSLObject calls for each read and write, through a method that adds nothing
        self._engine: ssl.SSLObject = getattr(self._tls, "_sslobj", self._tls)
        self._exporter_secret: bytes | None = None
        self.established = False
        self.closed = False

    def receive(self, data: bytes) -> bytes:
        """The clear text now readable. Raises TlsFailure; then `take_output` may hold an alert."""
        incoming = self._incoming
        incoming.write(data)
        if not self.established and not self._handshake():
            return b""
        try:
            piece = self._engine.read(_READ_BYTES)
            if len(piece) < _READ_BYTES and not incoming.pending and piece:
                return piece
            return self._rest(piece)
        except ssl.SSLWantReadError:
            return b""
        except ssl.SSLZeroReturnError:
            self.closed = True
        except _SSL_PROBLEMS as problem:
            raise _failure(problem) from problem
        return b""

    def _rest(self, piece: bytes) -> bytes:
        """All that can be read: records may lie buffered, and no new event would come for them."""
        pieces: list[bytes] = []
        incoming, read = self._incoming, self._engine.read
        try:
            # Not until WANT_READ: the exception would cost more than the record.
            while piece:
                pieces.append(piece)
                if not incoming.pending and len(piece) < _READ_BYTES:
                    break
                piece = read(_READ_BYTES)
            else:
                self.closed = True  # close_notify
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.closed = True
        return b"".join(pieces)

    def _handshake(self) -> bool:
        try:
            self._tls.do_handshake()
            self.established = True
            if self._asked and (der := self._tls.getpeercert(binary_form=True)):
                self.certificate = client_certificate(der)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLCertVerificationError as problem:
            words = f"the client's certificate: {problem.verify_message}"
            raise TlsFailure(words, is_certificate=True) from problem
        except _SSL_PROBLEMS as problem:
            raise _failure(problem) from problem
        finally:
            if self._exporter_secret is None and self._secrets is not None:
                # the secret is logged within this very call, so it is this connection's
                self._exporter_secret = self._secrets.take()
        return self.established

    def encrypt(self, data: bytes) -> bytes:
        """The records that carry `data`. Raises TlsFailure."""
        try:
            self._engine.write(data)
        except _SSL_PROBLEMS as problem:
            raise _failure(problem) from problem
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
        return _summary(self._tls.version(), cipher[0] if cipher else "?")

    def forget_bindings(self) -> None:
        """Nobody will ask for them again."""
        self._exporter_secret = None
        self._secrets = None

    def channel_bindings(self) -> dict[str, bytes]:
        """Channel binding data by type (RFC 5929, RFC 9266), for SCRAM with PLUS."""
        cipher, version, face = self._tls.cipher(), self._tls.version(), self._tls.context
        name = cipher[0] if cipher else ""
        bindings: dict[str, bytes] = {}
        if isinstance(face, Face) and (end_point := face.end_point_binding(name, version)):
            bindings["tls-server-end-point"] = end_point
        if self._exporter_secret is not None and version == "TLSv1.3":
            bindings["tls-exporter"] = tls_exporter(self._exporter_secret, name)
        return bindings


@lru_cache(maxsize=64)  # few there are, and every session keeps one
def _summary(version: str | None, cipher: str) -> str:
    return f"{version} {cipher}"


def _words(problem: Exception) -> str:
    reason = getattr(problem, "reason", None)
    return str(reason).replace("_", " ").lower() if reason else type(problem).__name__


def _failure(problem: Exception) -> TlsFailure:
    reason = getattr(problem, "reason", None)
    return TlsFailure(_words(problem), is_certificate=reason == _NO_CERTIFICATE, is_rubbish=reason in _NO_TLS)


def tls_server(settings: VirtualServer, certificates: Mapping[str, Certificate]) -> TlsServer | None:
    """What the virtual server needs for TLS, None where it offers none.

    Raises OSError, ValueError, ssl.SSLError when its certificate cannot be used.
    """
    if settings.tls is TlsMode.OFF:
        return None
    return TlsServer(settings, [certificates[name] for name in settings.certificate])
