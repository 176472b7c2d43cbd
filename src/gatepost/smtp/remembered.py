"""Command lines that were read lately: the same senders and recipients come again and again. Pure.

A command never changes once it is read, so it may be given out many times. What is kept is bounded, and
never a line in which there may be a password.
"""

from __future__ import annotations

from typing import Final

from gatepost.smtp.state import Verb
from gatepost.smtp.syntax import Readable

_OFTEN: Final = frozenset((Verb.MAIL, Verb.RCPT, Verb.DATA, Verb.RSET, Verb.NOOP, Verb.QUIT))
_LINES_AT_MOST: Final = 2048

SAID: Final[dict[bytes, tuple[Verb, Readable]]] = {}
"""By the octets of the line before its LF: what it said. All ASCII, and well formed."""


def remember(octets: bytes, verb: Verb, command: Readable) -> None:
    """The line may be met in `SAID` from now on."""
    if verb in _OFTEN and octets.isascii():
        if len(SAID) >= _LINES_AT_MOST:
            SAID.clear()
        SAID[octets] = verb, command
