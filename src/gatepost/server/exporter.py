"""The TLS exporter of RFC 8446 §7.5, for the channel binding `tls-exporter` (RFC 9266).

Python's `ssl` has no call for exported keying material, but its key log gives the exporter secret.
The log goes into a pipe that only this process holds, and is read back within the same call: no
secret touches a disk. The cost (a few writes a handshake) is paid only where PLUS is offered.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import ssl
import weakref
from collections.abc import Iterable

_LABEL = b"EXPORTER-Channel-Binding"  # RFC 9266 §2
_LENGTH = 32
_PIPE_BYTES = 65_536  # what a pipe holds (pipe(7)): one read empties it


class ExporterSecrets:
    """The exporter secrets of the handshakes made with some contexts, in the order they happen."""

    __slots__ = ("__weakref__", "_finalizer", "_reader")

    def __init__(self, contexts: Iterable[ssl.SSLContext]) -> None:
        self._reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # closed when the last connection of the contexts is gone, however often it was replaced
        self._finalizer = weakref.finalize(self, _close, self._reader, writer)
        for context in contexts:
            context.keylog_filename = f"/proc/self/fd/{writer}"

    def take(self) -> bytes | None:
        """The last secret logged since the last call, None when there is none."""
        try:
            log = os.read(self._reader, _PIPE_BYTES)
        except BlockingIOError:
            return None
        start = log.rfind(b"EXPORTER_SECRET ")
        if start < 0:
            return None
        line = log[start : log.index(b"\n", start)]
        return bytes.fromhex(line.rsplit(b" ", 1)[1].decode("ascii"))

    def close(self) -> None:
        """The context makes no connections any more."""
        self._finalizer()


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def tls_exporter(secret: bytes, cipher: str) -> bytes:
    """TLS-Exporter(EXPORTER-Channel-Binding, "", 32) from an `exporter_secret` (RFC 8446 §7.5)."""
    name = "sha384" if cipher.endswith("SHA384") else "sha256"
    nothing = hashlib.new(name, b"").digest()
    derived = _expand_label(name, secret, _LABEL, nothing, len(nothing))
    return _expand_label(name, derived, b"exporter", nothing, _LENGTH)


def _expand_label(name: str, secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446 §7.1) for at most one hash length."""
    full = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(full)]) + full + bytes([len(context)]) + context
    return hmac.digest(secret, info + b"\x01", name)[:length]
