"""What is noted of messages, and the rows it becomes.

A note is a plain tuple: making an object of a class costs several times as much, and two are made for every
message. What became of a message stands in two columns of its row: `outcomes` (recipient, disposition, code,
status, milliseconds since 1970) and `said` (the next hop's words, its name, and a mark by which rare
dispositions are found).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gatepost.mail.address import Address
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.tracked import TrackedOutcome

Value = str | int | float | None
Name = Address | str | None

_FIELD: Final = "\x1f"
_ROW: Final = "\x1e"
# Their number is small, so a mark makes them quick to find; of the others every row has one.
UNMARKED: Final = frozenset({Disposition.DELIVERED.value, Disposition.RELAYED.value})


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that was done with a whole message; nobody answered, so the code is 0."""

    what: str
    text: str


# queue id, session, virtual server, peer, user, sender, recipients, size in bytes, at, subject, device
Accepted = tuple[
    str, str, str, str, str | None, Name, Sequence[Address | str], int, float, str | None, str | None
]
# queue id, recipient, what became of it, at, next hop
Followed = tuple[str, Address | str, Outcome | Happened, float, str | None]
# session, virtual server, peer, user, stage, reason, sender, recipient, reply, at, device
Refused = tuple[str, str, str, str | None, str, str, Name, Name, str, float, str | None]


def message_row(note: Accepted, later: dict[str, list[Followed]]) -> tuple[Value, ...]:
    """The columns of a message; what happened to it in the same batch goes with it, and out of `later`.

    The last two, subject and device, are left out where there is neither: a column that is bound costs.
    """
    queue_id, session, server, peer, user, sender, recipients, size_bytes, at, subject, device = note
    to = str(recipients[0]) if len(recipients) == 1 else "\n".join(map(str, recipients))
    by = "" if sender is None else str(sender)
    happened = later.pop(queue_id, None)
    outcomes = said = None
    if happened is None:
        pass
    elif len(happened) == 1:
        outcomes, said = _columns(happened[0], to)
    else:
        pairs = [_columns(one, to) for one in happened]
        outcomes, said = _ROW.join([one for one, _ in pairs]), _ROW.join([one for _, one in pairs])
    if subject is device is None:
        return queue_id, session, server, peer, user, by, to, size_bytes, at, outcomes, said
    return queue_id, session, server, peer, user, by, to, size_bytes, at, outcomes, said, subject, device


def _columns(note: Followed, to: str) -> tuple[str, str]:
    """What stands in `outcomes` and in `said`. An only recipient is not written again."""
    _queue_id, recipient, outcome, at, next_hop = note
    whom = str(recipient)
    if whom == to:
        whom = ""
    text = outcome.text
    if not text.isprintable():  # a next hop may say anything, our separators too
        text = text.replace(_ROW, " ").replace(_FIELD, " ")
    if type(outcome) is Outcome:
        word, next_hop = outcome.disposition.value, next_hop or outcome.host
        became = f"{whom}\x1f{word}\x1f{outcome.code}\x1f{outcome.enhanced}\x1f{int(at * 1000)}"
    else:
        assert isinstance(outcome, Happened)
        word = outcome.what
        became = f"{whom}\x1f{word}\x1f0\x1f\x1f{int(at * 1000)}"
    if word in UNMARKED:
        return became, text if next_hop is None else f"{text}\x1f{next_hop}"
    return became, f"{text}\x1f{next_hop or ''}\x1f={word}"


def outcome_row(note: Followed) -> tuple[Value, ...]:
    """The columns of what happened later than the message's own batch."""
    queue_id, recipient, outcome, at, next_hop = note
    if isinstance(outcome, Happened):
        return queue_id, str(recipient), outcome.what, 0, "", outcome.text, next_hop, at
    word, hop = outcome.disposition.value, next_hop or outcome.host
    return queue_id, str(recipient), word, outcome.code, outcome.enhanced, outcome.text, hop, at


def refusal_row(note: Refused) -> tuple[Value, ...]:
    """The columns of a refusal."""
    session, server, peer, user, stage, reason, sender, recipient, reply, at, device = note
    whom = None if recipient is None else str(recipient)
    by = "" if sender is None else str(sender)
    return session, server, peer, user, stage, reason, by, whom, reply, at, device


def outcomes_of(outcomes: str | None, said: str | None, recipients: str) -> Iterable[TrackedOutcome]:
    """What two columns of a message hold. Rows of an earlier version have all in the first."""
    if not outcomes:
        return
    words = (said or "").split(_ROW)
    for number, row in enumerate(outcomes.split(_ROW)):
        fields = row.split(_FIELD)
        if len(fields) == 7:
            whom, word, code, enhanced, text, hop, seconds = fields
            at = float(seconds)
        else:
            whom, word, code, enhanced, milliseconds = fields
            at = int(milliseconds) / 1000
            text, _separator, rest = words[number].partition(_FIELD)
            hop = rest.partition(_FIELD)[0]
            # Of a whole message: nobody is named, and nobody answered.
            whom = whom or ("" if code == "0" else recipients)
        yield TrackedOutcome(whom, word, int(code), enhanced, text, hop or None, at)
