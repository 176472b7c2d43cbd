"""MAIL, RCPT and DATA that came together, as a client sends them that pipelines (RFC 2920 §3.1). Pure.

Nearly every message of such a client begins so. Read one by one they cost more than all that is done about
them; so those that say what was said lately are found at once.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from gatepost.smtp.command import Mail, Noop, Rcpt
from gatepost.smtp.remembered import SAID
from gatepost.smtp.state import TABLE, State, Verb

_UNKNOWN: Final = (Verb.NOOP, Noop())  # neither MAIL nor RCPT
_END: Final = b"\nDATA\r\n"

TAKEN: Final = TABLE[TABLE[TABLE[State.READY][Verb.MAIL][2]][Verb.RCPT][2]][Verb.DATA][3]
"""The state once every command of a group was accepted."""


class Group(NamedTuple):
    """One MAIL, one RCPT at least, and DATA behind them."""

    mail: Mail
    rcpts: list[Rcpt]


def group_of(octets: bytes) -> Group | None:
    """The group that these octets are, and nothing else; None when they are to be read one by one."""
    if not octets.endswith(_END):
        return None
    lines = octets.split(b"\n")  # behind the last is nothing
    mail = SAID.get(lines[0], _UNKNOWN)[1]
    if type(mail) is not Mail or len(lines) < 4:
        return None
    if mail.smtputf8 or mail.require_tls:  # what these ask for is looked at elsewhere
        return None
    rcpts: list[Rcpt] = []
    for line in lines[1:-2]:
        rcpt = SAID.get(line, _UNKNOWN)[1]
        if type(rcpt) is not Rcpt:
            return None
        rcpts.append(rcpt)
    return Group(mail, rcpts)
