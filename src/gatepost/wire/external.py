"""EXTERNAL (RFC 4422 appendix A), the server's side: the proof was given below, by TLS. Pure."""

from __future__ import annotations

from gatepost.wire.sasl import Challenge, External, Step, text_of


class ExternalServer:
    """Takes the one message: whom the peer wants to be, empty for whomever the proof means."""

    __slots__ = ()

    def step(self, response: bytes | None) -> Step:
        """The wish, or the empty challenge when nothing came yet.

        Raises:
            SaslError: no text.
        """
        if response is None:
            return Challenge(b"")
        return External(text_of(response, "authorization name"))
