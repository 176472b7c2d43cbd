"""A reason as a POP3 reply: the words of the closed list, ending in ` [reason session]`.

Response codes stand in front (RFC 2449 §8, RFC 3206), which is how programs tell a wrong password from a
service that has a bad day.
"""

from __future__ import annotations

from typing import Final

from gatepost.policy.reasons import REPLIES, Reason, Said
from gatepost.pop3.reply import Code, Reply, err

# What SMTP says for these would name its own commands.
_WORDS: Final = {
    Reason.TLS_REQUIRED: "Must issue a STLS command first, nothing is taken in clear here",
    Reason.AUTH_NEEDS_TLS: "Must issue a STLS command first, no password is taken in clear here",
    Reason.AUTH_NOT_OFFERED: "That way to log in is not offered here",
    Reason.MAILBOX_UNAVAILABLE: "Mailbox is not available now, try later",
}


def pop3_refused(reason: Reason, session_id: str, *, seconds: float = 0, words: str = "") -> Reply:
    """What the peer is told for `reason`; `words` take the place of those of the list."""
    shown = reason.shown
    return said_in_pop3(shown, REPLIES[shown], session_id, seconds=seconds, words=words)


def said_in_pop3(shown: Reason, said: Said, session_id: str, *, seconds: float = 0, words: str = "") -> Reply:
    """The same for a reply that depends on the right that was asked for."""
    text = words or _WORDS.get(shown) or said.words(seconds=seconds)
    code = None if said.pop3 is None else Code(said.pop3)
    return err(text, code).marked(shown.value, session_id)
