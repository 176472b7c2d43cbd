"""SASL, as SMTP (RFC 4954) and POP3 (RFC 5034) carry it: what a mechanism is. Pure.

A mechanism takes and gives octets without base64; `decode` and `encode` stand between it and the
line. The server's side says what it wants next (`Step`); asking a directory is the caller's part,
which may wait meanwhile. Entropy, channel bindings and keys are arguments.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Sequence
from dataclasses import field
from enum import Enum
from typing import Protocol

from gatepost.secret import Secret
from gatepost.value import value


class ScramKeys(Protocol):
    """What a server keeps of a password (RFC 5802 §3)."""

    @property
    def salt(self) -> bytes: ...
    @property
    def iterations(self) -> int: ...
    @property
    def stored_key(self) -> bytes: ...
    @property
    def server_key(self) -> bytes: ...


class SaslFault(Enum):
    """Why an exchange failed. `MALFORMED` is answered 501 5.5.2, the others as a wrong password."""

    MALFORMED = "malformed"
    REFUSED = "refused"
    CHANNEL = "channel binding"


class SaslError(Exception):
    """The exchange is over. `str` is for the log and names no secret; the peer hears `fault` only.

    `proved`: the keys that the peer did prove, and that are good for nothing.
    """

    def __init__(self, fault: SaslFault, problem: str, proved: ScramKeys | None = None) -> None:
        super().__init__(problem)
        self.fault = fault
        self.proved = proved


@value
class Challenge:
    """Send this; the peer's response goes into `step`. Empty when the peer has to begin."""

    data: bytes


@value
class Credentials:
    """The peer said name and password: whether they are right is the caller's question.

    `authzid` is the name to act as, empty when none was given. An empty password is handed on so
    that the try is counted, and must be refused before a directory sees it (RFC 4513 §5.1.2).
    """

    authzid: str
    name: str
    password: Secret

    @property
    def password_empty(self) -> bool:
        return not self.password


@value
class KeysWanted:
    """`give` takes the keys of this name, any of which may be proved; none when nobody has it.

    Then those that are only told apart from a guess. All are of one salt.
    """

    authzid: str
    name: str
    give: Callable[[Sequence[ScramKeys], Sequence[ScramKeys]], Challenge] = field(repr=False, compare=False)


@value
class Proven:
    """The peer proved that it is `name`, by `keys`. Whether it may log in is the caller's question."""

    authzid: str
    name: str
    keys: ScramKeys = field(repr=False, compare=False)


@value
class Vouched:
    """Somebody who is trusted (a Kerberos server) says that the peer is `name`, and in which groups."""

    authzid: str
    name: str
    groups: frozenset[str] = frozenset()


@value
class External:
    """The peer refers to what proved it below: its certificate. `authzid` is whom it wants to be."""

    authzid: str


@value
class Bearer:
    """The peer has a token, which says who it is; empty when it only asks what it needs.

    `authzid` is whom it wants to be, empty when none was given.
    """

    authzid: str
    token: Secret


Step = Challenge | Credentials | KeysWanted | Proven | Vouched | External | Bearer


class ServerMechanism(Protocol):
    """The server's side of one exchange."""

    def step(self, response: bytes | None) -> Step:
        """What follows from the response; None when the command came without an initial one.

        Raises:
            SaslError: the exchange failed.
        """


class ClientMechanism(Protocol):
    """The client's side of one exchange."""

    @property
    def name(self) -> str:
        """The mechanism's name, for the AUTH command."""

    def start(self) -> bytes | None:
        """The initial response, None when the server has to begin."""

    def step(self, challenge: bytes) -> bytes:
        """The response to a challenge.

        Raises:
            SaslError: the server is not to be trusted, or says what cannot be.
        """

    def finish(self) -> None:
        """To be called when the server said yes.

        Raises:
            SaslError: it said so without the proof that it owes.
        """


def decode(text: bytes) -> bytes:
    """The octets of a response line.

    Raises:
        SaslError: not base64, strictly (RFC 4648 §4).
    """
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        raise SaslError(SaslFault.MALFORMED, "that is not base64") from None


def decode_initial(text: bytes | None) -> bytes | None:
    """The octets of the initial response in an AUTH command; `=` is the empty one (RFC 4954 §4).

    Raises:
        SaslError: not base64.
    """
    if text is None:
        return None
    return b"" if text == b"=" else decode(text)


def encode(data: bytes) -> bytes:
    """The line of these octets."""
    return binascii.b2a_base64(data, newline=False)


def encode_initial(data: bytes) -> bytes:
    """The initial response as the AUTH command says it."""
    return encode(data) or b"="


def text_of(data: bytes, what: str) -> str:
    """UTF-8 without NUL.

    Raises:
        SaslError: it is something else.
    """
    if 0 in data:
        raise SaslError(SaslFault.MALFORMED, f"a NUL in the {what}")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SaslError(SaslFault.MALFORMED, f"the {what} is not UTF-8") from None
