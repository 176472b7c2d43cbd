"""What the core itself says no with (RFC 5321 §4.2.4, RFC 3463). Pure."""

from __future__ import annotations

from typing import Final

from gatepost.smtp.reply import Reply
from gatepost.smtp.state import State, Verb

UNKNOWN_COMMAND: Final = Reply(500, "5.5.1", ("Command not recognized",))
NOT_IMPLEMENTED: Final = Reply(502, "5.5.1", ("Command not implemented",))
LINE_TOO_LONG: Final = Reply(500, "5.5.2", ("Line too long",))
ENDLESS_LINE: Final = Reply(421, "4.5.2", ("Line too long",))
BARE_LINE_FEED: Final = Reply(500, "5.5.2", ("A line ends in CR LF; this one was not obeyed",))
NOT_PRINTABLE: Final = Reply(500, "5.5.2", ("A control character, or octets that are no text",))
NOT_ASCII: Final = Reply(501, "5.5.2", ("ASCII only",))
NOT_SMTP: Final = Reply(421, "4.7.0", ("This is SMTP, not HTTP",))
BAD_BASE64: Final = Reply(501, "5.5.2", ("Not base64",))
NEEDS_SMTPUTF8: Final = Reply(553, "5.6.7", ("A non-ASCII address needs SMTPUTF8",))
NEEDS_TLS: Final = Reply(530, "5.7.0", ("REQUIRETLS needs TLS: issue a STARTTLS command first",))
TLS_ACTIVE: Final = Reply(503, "5.5.1", ("TLS is already active",))
AUTHENTICATED: Final = Reply(503, "5.5.1", ("Already authenticated",))

AUTH_BEFORE_EHLO: Final = Reply(503, "5.5.1", ("EHLO first: AUTH is not offered before it",))
# The words of 503; every other verb out of order gets the last.
_OUT_OF_ORDER: Final = {
    (State.START, Verb.AUTH): AUTH_BEFORE_EHLO,
    (State.READY, Verb.RCPT): Reply(503, "5.5.1", ("MAIL first",)),
    (State.READY, Verb.DATA): Reply(503, "5.5.1", ("MAIL first",)),
    # RFC 5321 §3.3 leaves 503 or 554; this one is what the words of 554 are for.
    (State.MAIL, Verb.DATA): Reply(554, "5.5.1", ("No valid recipients",)),
    (State.MAIL, Verb.BDAT): Reply(554, "5.5.1", ("No valid recipients",)),
    (State.MAIL, Verb.LAST): Reply(554, "5.5.1", ("No valid recipients",)),
    (State.MAIL, Verb.MAIL): Reply(503, "5.5.1", ("Sender already given",)),
    (State.RCPT, Verb.MAIL): Reply(503, "5.5.1", ("Sender already given",)),
    (State.CHUNK, Verb.DATA): Reply(503, "5.5.1", ("BDAT has begun: go on with BDAT",)),
}
_INTRODUCE_YOURSELF: Final = Reply(503, "5.5.1", ("EHLO first",))
_ONLY_QUIT: Final = Reply(503, "5.5.1", ("No service here: QUIT is all that is left",))
_RESET_FIRST: Final = Reply(503, "5.5.1", ("A BDAT failed: RSET first",))
_ANY: Final = Reply(503, "5.5.1", ("Not now",))
_BY_STATE: Final = {
    State.START: _INTRODUCE_YOURSELF,
    State.REFUSED: _ONLY_QUIT,
    State.BROKEN: _RESET_FIRST,
}


def out_of_order(state: State, verb: Verb) -> Reply:
    """The 503 for a verb that has no row in this state."""
    return _OUT_OF_ORDER.get((state, verb)) or _BY_STATE.get(state, _ANY)


def syntax(usage: str) -> Reply:
    """The 501 for a line that is not of this form."""
    return Reply(501, "5.5.4", (f"Syntax: {usage}",))
