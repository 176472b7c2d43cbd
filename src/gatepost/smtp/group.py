"""MAIL, RCPT and DATA that came together, as a client sends them that pipelines (RFC 2920 §3.1). Pure.

Nearly every message of such a client begins so. Read one by one they cost more than all that is done about
them; so those that say what was said lately are found at once.
"""

from __future__ import annotations

from typing import Final, NamedTuple, cast

from gatepost.smtp.command import Mail, Rcpt
from gatepost.smtp.remembered import SAID
from gatepost.smtp.state import TABLE, State, Verb

_MAIL: Final = Verb.MAIL
_RCPT: Final = Verb.RCPT
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
    said = SAID.get(lines[0])
    if said is None or said[0] is not _MAIL or len(lines) < 4:
        return None
    mail = cast("Mail", said[1])
    if mail.smtputf8 or mail.require_tls:  # what these ask for is looked at elsewhere
        return None
    rcpts: list[Rcpt] = []
    for line in lines[1:-2]:
        said = SAID.get(line)
        if said is None or said[0] is not _RCPT:
            return None
        rcpts.append(cast("Rcpt", said[1]))
    return Group(mail, rcpts)
