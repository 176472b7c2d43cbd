"""SCRAM-SHA-256 (RFC 5802, RFC 7677): its messages and its arithmetic. Pure.

Written here and not taken from the library scramp: that one refuses `tls-exporter`, the only
channel binding of TLS 1.3, asks for the keys in a callback that cannot wait for a directory, and
draws its own entropy. What is left are these few lines; the tests run them against it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from gatepost.wire.sasl import SaslError, SaslFault, ScramKeys, decode, encode, text_of

HASH: Final = "sha256"
KEY_OCTETS: Final = 32
_NAME = re.compile(r"(?:[^=,]|=2C|=3D)+")
_NONCE = re.compile(r"[!-+\--~]{1,512}")  # RFC 5802 §7 printable, without the comma
_ATTRIBUTE = re.compile(r"[A-Za-z]=.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ChannelBinding:
    """The channel both sides see: `kind` is `tls-exporter` (RFC 9266) or `tls-server-end-point`."""

    kind: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ClientFirst:
    """client-first-message. `gs2_header` is kept as sent: it is proven later."""

    gs2_header: str
    flag: str
    binding: str
    authzid: str
    name: str
    nonce: str
    bare: str


def client_first(message: bytes) -> ClientFirst:
    """The message read.

    Raises:
        SaslError: it is none (RFC 5802 §7).
    """
    text = text_of(message, "SCRAM message")
    parts = text.split(",", 2)
    if len(parts) != 3:
        raise malformed("client-first-message")
    flag, authzid, bare = parts
    gs2_header = f"{flag},{authzid},"
    kind, equals, binding = flag.partition("=")
    if kind not in ("n", "y", "p") or (kind == "p") != bool(equals and binding):
        raise malformed("channel binding flag")
    fields = bare.split(",")
    # An extension that both must know (m=) comes first; none is known.
    if len(fields) < 2 or not fields[0].startswith("n=") or not fields[1].startswith("r="):
        raise malformed("client-first-message")
    check_extensions(fields[2:])
    nonce = fields[1][2:]
    if _NONCE.fullmatch(nonce) is None:
        raise malformed("nonce")
    acting = unescape(attribute(authzid, "a")) if authzid else ""
    return ClientFirst(gs2_header, kind, binding, acting, unescape(fields[0][2:]), nonce, bare)


def attribute(field: str, letter: str) -> str:
    """The value of `letter=value`.

    Raises:
        SaslError: it is another attribute.
    """
    if not field.startswith(f"{letter}="):
        raise malformed(f"attribute {letter}")
    return field[2:]


def octets(field: str, letter: str) -> bytes:
    """The base64 value of an attribute, not empty.

    Raises:
        SaslError: it is another one, or no base64.
    """
    value = attribute(field, letter)
    if not value or not value.isascii():
        raise malformed(f"attribute {letter}")
    return decode(value.encode())


def check_extensions(fields: list[str]) -> None:
    """Nothing but optional extensions, which are ignored (RFC 5802 §5.1).

    Raises:
        SaslError: there is something else.
    """
    if any(_ATTRIBUTE.fullmatch(field) is None for field in fields):
        raise malformed("extension")


def escape(name: str) -> str:
    """A name as saslname."""
    return name.replace("=", "=3D").replace(",", "=2C")


def unescape(text: str) -> str:
    """The name in a saslname.

    Raises:
        SaslError: it is empty or has a stray `=`.
    """
    if _NAME.fullmatch(text) is None:
        raise malformed("name")
    return text.replace("=2C", ",").replace("=3D", "=")


def server_first(nonce: str, keys: ScramKeys) -> str:
    """server-first-message."""
    return f"r={nonce},s={encode(keys.salt).decode()},i={keys.iterations}"


def salted_password(password: str, salt: bytes, iterations: int) -> bytes:
    """Hi() of a prepared password; takes a millisecond for 5,000 iterations."""
    return hashlib.pbkdf2_hmac(HASH, password.encode(), salt, iterations)


def client_key(salted: bytes) -> bytes:
    """ClientKey (RFC 5802 §3)."""
    return mac(salted, b"Client Key")


def server_key(salted: bytes) -> bytes:
    """ServerKey (RFC 5802 §3)."""
    return mac(salted, b"Server Key")


def stored_key(key: bytes) -> bytes:
    """StoredKey, from ClientKey or from what a proof gives."""
    return hashlib.sha256(key).digest()


def mac(key: bytes, message: bytes) -> bytes:
    """HMAC() (RFC 5802 §2.2)."""
    return hmac.digest(key, message, HASH)


def combined(left: bytes, right: bytes) -> bytes:
    """XOR of two keys of `KEY_OCTETS`."""
    both = int.from_bytes(left, "big") ^ int.from_bytes(right, "big")
    return both.to_bytes(KEY_OCTETS, "big")


def malformed(what: str) -> SaslError:
    """The error for a message that is none."""
    return SaslError(SaslFault.MALFORMED, f"SCRAM: malformed {what}")
