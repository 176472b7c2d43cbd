"""A reason as an SMTP reply: the words of the closed list, ending in ` [reason session]`."""

from __future__ import annotations

from typing import Final

from gatepost.guard.ledger import Offence
from gatepost.policy.access import Right, Verdict
from gatepost.policy.reasons import REPLIES, Reason, Said
from gatepost.policy.refusal import refusal
from gatepost.smtp.refusal import AUTH_BEFORE_EHLO
from gatepost.smtp.reply import Reply
from gatepost.wire.dots import ContentFault

CONTENT_FAULTS: Final = {
    ContentFault.BARE_LF: Reason.BARE_LINE_ENDING,
    ContentFault.BARE_CR: Reason.BARE_LINE_ENDING,
    ContentFault.NUL: Reason.NUL_IN_CONTENT,
    ContentFault.LINE_TOO_LONG: Reason.LINE_TOO_LONG,
    ContentFault.TOO_LARGE: Reason.MESSAGE_TOO_LARGE,
}
_BY_STATUS: Final = {"5.1.7": Reason.SENDER_SYNTAX, "5.1.3": Reason.RECIPIENT_SYNTAX}
_BY_CODE: Final = {
    500: Reason.UNKNOWN_COMMAND,
    502: Reason.NOT_IMPLEMENTED,
    503: Reason.BAD_SEQUENCE,
    530: Reason.TLS_REQUIRED,
    553: Reason.RECIPIENT_SYNTAX,
    554: Reason.BAD_SEQUENCE,
    555: Reason.UNKNOWN_PARAMETER,
}


def core_reason(reply: Reply) -> Reason:
    """The reason of a refusal that the protocol core words by itself."""
    known = None if reply.enhanced is None else _BY_STATUS.get(reply.enhanced)
    return known or _BY_CODE.get(reply.code, Reason.SYNTAX_ERROR)


def core_offence(reply: Reply) -> Offence | None:
    """What such a refusal counts as, if it counts at all."""
    if reply.code == 421:  # too many errors, or no SMTP at all
        return Offence.RUBBISH
    return Offence.AUTH_NOT_OFFERED if reply == AUTH_BEFORE_EHLO else None


def refused(
    reason: Reason, session_id: str, *, address: object = "", seconds: float = 0, limit: int = 0
) -> Reply:
    """What the peer is told for `reason`."""
    shown = reason.shown
    return _reply(REPLIES[shown], shown, session_id, address=address, seconds=seconds, limit=limit)


def refused_right(
    right: Right,
    verdict: Verdict,
    session_id: str,
    *,
    address: object = "",
    login_would_be_heard: bool = False,
) -> tuple[Reason, Reply]:
    """The reason and what the peer is told when the access table did not say yes."""
    why = refusal(right, verdict, login_would_be_heard=login_would_be_heard)
    return why.reason, _reply(why.said, why.reason.shown, session_id, address=address, seconds=0, limit=0)


def _reply(
    said: Said, shown: Reason, session_id: str, *, address: object, seconds: float, limit: int
) -> Reply:
    words = said.words(address=address, seconds=seconds, limit=limit)
    return Reply(said.code, said.enhanced, (f"{words} [{shown.value} {session_id}]",))
