"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the client's side (RFC 5802 §5, RFC 7677). Pure."""

from __future__ import annotations

import hmac
from typing import Final

from gatepost.secret import Secret
from gatepost.wire import scram
from gatepost.wire.sasl import SaslError, SaslFault, encode, text_of
from gatepost.wire.saslprep import SaslprepError, saslprep

_ITERATIONS_LEAST: Final = 4096  # RFC 7677 §4
_ITERATIONS_MOST: Final = 1_000_000  # a quarter of a second; what is beyond is an attack


class ScramClient:
    """Proves that it knows the password without saying it, and that the server knows its keys.

    `binding` makes it -PLUS. `could_bind`: we could bind, but the server offers no -PLUS (RFC 5802
    §6: it is told, so that it sees when somebody took that out of its offer). `step` takes as long
    as the server's iterations want: 60,000 are 15 ms.
    """

    __slots__ = ("_bare", "_binding", "_gs2_header", "_nonce", "_password", "_signature", "_verified")

    def __init__(
        self,
        name: str,
        password: Secret,
        *,
        nonce: bytes,
        binding: scram.ChannelBinding | None = None,
        could_bind: bool = False,
    ) -> None:
        self._password = password
        self._nonce = encode(nonce).decode()
        self._binding = binding
        flag = f"p={binding.kind}" if binding else "y" if could_bind else "n"
        self._gs2_header = f"{flag},,"
        self._bare = f"n={scram.escape(_prepared(name))},r={self._nonce}"
        self._signature = b""
        self._verified = False

    @property
    def name(self) -> str:
        return "SCRAM-SHA-256-PLUS" if self._binding else "SCRAM-SHA-256"

    def start(self) -> bytes:
        """client-first-message."""
        return (self._gs2_header + self._bare).encode()

    def step(self, challenge: bytes) -> bytes:
        """client-final-message, then an empty response to the server's signature.

        Raises:
            SaslError: the server is none, or not the one that knows this password.
        """
        text = text_of(challenge, "SCRAM message")
        if not text and not self._signature:
            return self.start()  # it did not read the one with the command
        return self._verify(text) if self._signature else self._prove(text)

    def finish(self) -> None:
        """The server proved itself.

        Raises:
            SaslError: it did not.
        """
        if not self._verified:
            raise SaslError(SaslFault.REFUSED, "SCRAM: the server did not prove itself")

    def _prove(self, server_first: str) -> bytes:
        fields = server_first.split(",")
        if len(fields) < 3:
            raise scram.malformed("server-first-message")
        nonce, salt = scram.attribute(fields[0], "r"), scram.octets(fields[1], "s")
        iterations = _iterations(scram.attribute(fields[2], "i"))
        scram.check_extensions(fields[3:])
        if not nonce.startswith(self._nonce) or len(nonce) == len(self._nonce):
            raise SaslError(SaslFault.REFUSED, "SCRAM: not our nonce")
        channel = self._gs2_header.encode() + (self._binding.data if self._binding else b"")
        final = f"c={encode(channel).decode()},r={nonce}"
        spoken = f"{self._bare},{server_first},{final}".encode()
        salted = scram.salted_password(_prepared(self._password.reveal()), salt, iterations)
        key = scram.client_key(salted)
        proof = scram.combined(key, scram.mac(scram.stored_key(key), spoken))
        self._signature = scram.mac(scram.server_key(salted), spoken)
        return f"{final},p={encode(proof).decode()}".encode()

    def _verify(self, server_final: str) -> bytes:
        verdict = server_final.split(",", 1)[0]
        if verdict.startswith("e="):
            raise SaslError(SaslFault.REFUSED, "SCRAM: the server refuses")
        if not hmac.compare_digest(scram.octets(verdict, "v"), self._signature):
            raise SaslError(SaslFault.REFUSED, "SCRAM: the server does not know the password")
        self._verified = True
        return b""


def _prepared(text: str) -> str:
    try:
        prepared = saslprep(text)
    except SaslprepError as error:
        raise SaslError(SaslFault.MALFORMED, f"SCRAM: {error}") from None
    if not prepared:
        raise SaslError(SaslFault.MALFORMED, "SCRAM: an empty name or password")
    return prepared


def _iterations(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 7):
        raise scram.malformed("iteration count")
    count = int(text)
    if not _ITERATIONS_LEAST <= count <= _ITERATIONS_MOST:
        raise SaslError(SaslFault.REFUSED, f"SCRAM: {count} iterations")
    return count
