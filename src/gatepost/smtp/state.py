"""The states of an SMTP session and the table that moves them: the law of both sides. Pure.

RFC 5321 §4.1.4 (order of commands), RFC 3207 (STARTTLS), RFC 4954 §4 (AUTH), RFC 3030 §2 (BDAT).

The reply moves the state: `TABLE[state][verb][first digit of the reply]` is the next one. A verb that
has no row in a state is out of order there: the server answers 503, the client raises
LocalProtocolError before it sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final


# IntEnum, not Enum: the members are dictionary keys on the hot path, and int hashes in C.
class State(IntEnum):
    """Where a session stands."""

    NEW = 0  # connected, no greeting yet
    REFUSED = 1  # greeted with 4xx or 5xx: only QUIT is left (RFC 5321 §3.1)
    START = 2  # greeted, or TLS has just begun: who are you?
    READY = 3  # introduced, no transaction
    AUTH = 4  # 334 given: the next line is a response, not a command
    TLS = 5  # 220 to STARTTLS given: the next byte belongs to TLS
    MAIL = 6  # a sender, no recipient yet
    RCPT = 7  # at least one recipient accepted
    DATA = 8  # 354 given: content up to the lone dot
    CHUNK = 9  # a BDAT taken, the last one not yet
    BROKEN = 10  # a BDAT was refused: RSET or EHLO clears it (RFC 3030 §2)
    CLOSED = 11  # nothing more is said


class Verb(IntEnum):
    """What is answered by a reply: the commands, and the three other things that get one."""

    GREETING = 0  # the connection itself
    HELO = 1  # EHLO too
    STARTTLS = 2
    AUTH = 3
    RESPONSE = 4  # a line of an AUTH exchange
    MAIL = 5
    RCPT = 6
    DATA = 7
    CONTENT = 8  # the lone dot
    BDAT = 9
    LAST = 10  # BDAT ... LAST
    RSET = 11
    NOOP = 12
    VRFY = 13
    EXPN = 14
    HELP = 15
    QUIT = 16


_TRANSACTION = (State.MAIL, State.RCPT, State.CHUNK, State.BROKEN)
_INTRODUCED = (State.READY, *_TRANSACTION)

# (state, verb) -> what 2xx and 3xx make of it. A refusal moves nothing unless _REFUSALS says more.
_MOVES: Final[dict[tuple[State, Verb], dict[int, State]]] = {
    (State.NEW, Verb.GREETING): {2: State.START},
    (State.START, Verb.HELO): {2: State.READY},
    (State.START, Verb.RSET): {2: State.START},
    # EHLO and RSET end a transaction (RFC 5321 §4.1.1.5, §4.1.4).
    **{(state, Verb.HELO): {2: State.READY} for state in _INTRODUCED},
    **{(state, Verb.RSET): {2: State.READY} for state in _INTRODUCED},
    (State.READY, Verb.STARTTLS): {2: State.TLS},
    (State.READY, Verb.AUTH): {2: State.READY, 3: State.AUTH},
    (State.AUTH, Verb.RESPONSE): {2: State.READY, 3: State.AUTH},
    (State.READY, Verb.MAIL): {2: State.MAIL},
    (State.MAIL, Verb.RCPT): {2: State.RCPT},
    (State.RCPT, Verb.RCPT): {2: State.RCPT},
    (State.RCPT, Verb.DATA): {3: State.DATA},
    (State.DATA, Verb.CONTENT): {2: State.READY},
    (State.RCPT, Verb.BDAT): {2: State.CHUNK},
    (State.RCPT, Verb.LAST): {2: State.READY},
    (State.CHUNK, Verb.BDAT): {2: State.CHUNK},
    (State.CHUNK, Verb.LAST): {2: State.READY},
    **{
        (state, verb): {2: state}
        for state in (State.START, *_INTRODUCED)
        for verb in (Verb.NOOP, Verb.VRFY, Verb.EXPN, Verb.HELP)
    },
    **{(state, Verb.QUIT): {2: State.CLOSED} for state in (State.REFUSED, State.START, *_INTRODUCED)},
}

# Refusals that do move.
_REFUSALS: Final[dict[tuple[State, Verb], State]] = {
    (State.NEW, Verb.GREETING): State.REFUSED,
    (State.AUTH, Verb.RESPONSE): State.READY,
    (State.DATA, Verb.CONTENT): State.READY,
    (State.RCPT, Verb.BDAT): State.BROKEN,
    (State.CHUNK, Verb.BDAT): State.BROKEN,
    # The last chunk's reply is the message's: the transaction is over either way.
    (State.RCPT, Verb.LAST): State.READY,
    (State.CHUNK, Verb.LAST): State.READY,
}


def _table() -> dict[State, dict[Verb, dict[int, State]]]:
    table: dict[State, dict[Verb, dict[int, State]]] = {state: {} for state in State}
    for (state, verb), row in _MOVES.items():
        refused = _REFUSALS.get((state, verb), state)
        table[state][verb] = {**row, 4: refused, 5: refused}
    return table


TABLE: Final[Mapping[State, Mapping[Verb, Mapping[int, State]]]] = _table()

# Met by a client that pipelines: a server may say 354 although it took no recipient, or not even the
# sender. A lone dot gets both sides back in step (RFC 2920 §3.1).
TOLERATED: Final[Mapping[State, Mapping[Verb, Mapping[int, State]]]] = {
    State.READY: {Verb.DATA: {3: State.DATA}},
    State.MAIL: {Verb.DATA: {3: State.DATA}},
}
