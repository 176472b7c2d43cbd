"""The rows of the tracking database: what stands in their `words` and `facts`, and how it is read again.

`words` are fields, each behind a control character that can stand in none of them, so that one condition on
the text says which field has to have a value; that before recipients stands before each of them. What became
of a message stands last, once an outcome: the next hop's words, its name, and `=` with what became of it.
`facts` begins with what is shown of the row, and has for each outcome a part with recipient, code, status,
and milliseconds since 1970.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from gatepost.store.tracked import TrackedMessage, TrackedOutcome, TrackedRefusal

# The fields of `words`, and what stands before each; of a field the next character is the end.
SESSION, PEER, USER, SENDER, RECIPIENTS, DEVICE, SAID = "\x01\x02\x03\x04\x05\x06\x07"
REASON = SAID  # of a refusal
FIELD: Final = "\x1f"
SAME: Final = "\x0e"  # a user who is the sender: the words need not stand there twice
NOBODY: Final = "="  # the null sender, a word by which it is found
_OURS = re.compile(r"[\x00-\x07\x0e\x1e\x1f\ud800-\udfff]")

Row = tuple[str, float, str, str]
"""Key, time, words, facts."""


def plain(text: str) -> str:
    """Without what could pass for our own separators, or cannot be stored."""
    return text if text.isprintable() else _OURS.sub(" ", text)


def fields_of(words: str, count: int) -> list[str]:
    """The first so many fields, and behind them the rest."""
    fields, rest = [], words[1:]
    for number in range(count):
        field, _mark, rest = rest.partition(chr(number + 2))
        fields.append(field)
    return [*fields, rest]


def message(row: Sequence[str], later: Iterable[TrackedOutcome]) -> TrackedMessage:
    """The message of a row, with outcomes of rows of their own."""
    key, at, words, facts = row
    session, peer, user, sender, recipients, device, said = fields_of(words, 6)
    shown, *became = facts.split(SAID)
    server, size, subject = shown.split(FIELD)
    own = map(_outcome, said.split(SAID), became) if became else ()
    return TrackedMessage(
        key,
        session,
        server,
        peer,
        (sender if user == SAME else user) or None,
        "" if sender == NOBODY else sender,
        tuple(recipients.split(RECIPIENTS)),
        int(size),
        float(at),
        (*(_named(one, recipients) for one in own), *later),
        subject or None,
        device or None,
    )


def outcome(row: Sequence[str]) -> TrackedOutcome:
    """The outcome of a row of its own."""
    _key, _at, words, facts = row
    return _outcome(words[1:], facts)


def _outcome(said: str, became: str) -> TrackedOutcome:
    text, hop, word = said.split(FIELD)
    whom, code, enhanced, milliseconds = became.split(FIELD)
    return TrackedOutcome(whom, word[1:], int(code), enhanced, text, hop or None, int(milliseconds) / 1000)


def _named(one: TrackedOutcome, recipients: str) -> TrackedOutcome:
    """An only recipient is not written again. Of a whole message nobody is named, and nobody answered."""
    if one.recipient or not one.code:
        return one
    return TrackedOutcome(recipients, one.disposition, one.code, one.enhanced, one.text, one.next_hop, one.at)


def refusal(row: Sequence[str]) -> TrackedRefusal:
    """The refusal of a row."""
    key, at, words, facts = row
    _session, peer, user, sender, recipient, device, reason = fields_of(words, 6)
    server, stage, reply, whom = facts.split(FIELD)
    return TrackedRefusal(
        key,
        server,
        peer,
        user or None,
        stage,
        reason,
        "" if sender == NOBODY else sender,
        recipient if whom else None,
        reply,
        float(at),
        device or None,
    )
