"""GSSAPI with Kerberos, the server's side (RFC 4752 §3.2). Pure: the security context is handed in.

Tokens go back and forth until the context is established; then the server says that it knows no
security layer, and the client agrees and may say who it wants to be.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, Protocol

from gatepost.wire.sasl import Challenge, SaslError, SaslFault, Step, Vouched, text_of

TOKEN_BYTES: Final = 64 * 1024
_NO_LAYER: Final = b"\x01\x00\x00\x00"  # RFC 4752 §3.3: no security layer, and so no size


class GssError(Exception):
    """The context refused a token. `str` is for the log."""


class GssContext(Protocol):
    """An accepting security context. Each of its calls raises GssError."""

    def step(self, token: bytes) -> bytes:
        """The answer to the peer's token; empty when there is none."""

    @property
    def complete(self) -> bool: ...

    @property
    def initiator(self) -> str:
        """Who the peer is, once complete: a name of the directory."""

    @property
    def groups(self) -> frozenset[str]:
        """The SIDs of the groups that the ticket says; none where it says nothing of groups."""

    def wrap(self, message: bytes) -> bytes: ...

    def unwrap(self, message: bytes) -> bytes: ...


class _Stage(Enum):
    TOKENS = auto()
    LAST_TOKEN = auto()  # the peer answers our last one with nothing
    LAYER = auto()


class GssapiServer:
    """One exchange over `context`. A step may take a while: keys and caches are files."""

    __slots__ = ("_context", "_stage")

    def __init__(self, context: GssContext) -> None:
        self._context = context
        self._stage = _Stage.TOKENS

    def step(self, response: bytes | None) -> Step:
        """What follows: a token, the offer of no layer, and at the end who the peer is.

        Raises:
            SaslError: the context refuses, or the peer wants a layer.
        """
        if response is None:
            return Challenge(b"")
        if len(response) > TOKEN_BYTES:
            raise SaslError(SaslFault.MALFORMED, "a token that is too long")
        try:
            return _STEPS[self._stage](self, response)
        except GssError as error:
            raise SaslError(SaslFault.REFUSED, str(error)) from None

    def _token(self, response: bytes) -> Step:
        answer = self._context.step(response)
        if not self._context.complete:
            return Challenge(answer)
        if answer:
            self._stage = _Stage.LAST_TOKEN
            return Challenge(answer)
        return self._offer(b"")

    def _offer(self, response: bytes) -> Step:
        if response:
            raise SaslError(SaslFault.MALFORMED, "a token behind the last one")
        self._stage = _Stage.LAYER
        return Challenge(self._context.wrap(_NO_LAYER))

    def _agreed(self, response: bytes) -> Step:
        message = self._context.unwrap(response)
        if len(message) < 4 or message[0] != _NO_LAYER[0]:
            raise SaslError(SaslFault.MALFORMED, "a security layer that was not offered")
        return Vouched(
            text_of(message[4:], "authorization name"), self._context.initiator, self._context.groups
        )


_STEPS: Final = {
    _Stage.TOKENS: GssapiServer._token,
    _Stage.LAST_TOKEN: GssapiServer._offer,
    _Stage.LAYER: GssapiServer._agreed,
}
