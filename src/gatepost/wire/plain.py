"""PLAIN (RFC 4616), both sides. Pure."""

from __future__ import annotations

from gatepost.secret import Secret
from gatepost.wire.sasl import Challenge, Credentials, SaslError, SaslFault, Step, text_of


class PlainServer:
    """Takes the one message of PLAIN, at once or after an empty challenge."""

    __slots__ = ()

    def step(self, response: bytes | None) -> Step:
        """Credentials, or the empty challenge when nothing came yet.

        Raises:
            SaslError: not `[authzid] NUL authcid NUL passwd`.
        """
        if response is None:
            return Challenge(b"")
        parts = response.split(b"\0")
        if len(parts) != 3:
            raise SaslError(SaslFault.MALFORMED, "PLAIN is three parts with NUL between them")
        authzid, name = text_of(parts[0], "authorization name"), text_of(parts[1], "name")
        if not name:
            raise SaslError(SaslFault.MALFORMED, "an empty name")
        return Credentials(authzid, name, Secret(text_of(parts[2], "password")))


class PlainClient:
    """Says name and password at once: only inside TLS."""

    __slots__ = ("_name", "_password")

    name = "PLAIN"

    def __init__(self, name: str, password: Secret) -> None:
        self._name = name
        self._password = password

    def start(self) -> bytes:
        """The one message. A name or password with a NUL cannot be said.

        Raises:
            SaslError: there is one, or either is empty.
        """
        name, password = self._name.encode(), self._password.reveal().encode()
        if not name or not password or 0 in name or 0 in password:
            raise SaslError(SaslFault.MALFORMED, "a name or password that PLAIN cannot carry")
        return b"\0" + name + b"\0" + password

    def step(self, challenge: bytes) -> bytes:
        """The message again, for a server that does not read it with the command.

        Raises:
            SaslError: the server asks something.
        """
        if challenge:
            raise SaslError(SaslFault.MALFORMED, "PLAIN has no challenge")
        return self.start()

    def finish(self) -> None:
        """Nothing is owed."""
