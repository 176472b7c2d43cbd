"""The law of a POP3 session (RFC 1939 §3-6, RFC 2595 §4, RFC 5034 §4, RFC 6856 §2-3). Pure.

In POP3 the reply moves the state: in this state, this verb, this sign. What the table does not hold is
not allowed: a command out of order is answered `-ERR` and moves nothing.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class LocalProtocolError(Exception):
    """Our own side broke the protocol: a reply nobody waits for, or one that the table forbids."""


class State(Enum):
    """Where a session is.

    `NAMED` is AUTHORIZATION after an accepted USER. `SECURING` waits for the TLS handshake.
    """

    GREETING = "greeting"
    AUTHORIZATION = "authorization"
    NAMED = "named"
    AUTHENTICATING = "authenticating"
    SECURING = "securing"
    TRANSACTION = "transaction"
    UPDATE = "update"
    CLOSED = "closed"


class Verb(Enum):
    """What is being answered. Those in lower case are no commands."""

    CONNECT = "connect"
    CAPA = "CAPA"
    USER = "USER"
    PASS = "PASS"  # noqa: S105 - the verb, not a password
    AUTH = "AUTH"
    MECHANISMS = "mechanisms"
    RESPONSE = "response"
    CANCEL = "cancel"
    STLS = "STLS"
    HANDSHAKE = "handshake"
    LANG = "LANG"
    UTF8 = "UTF8"
    STAT = "STAT"
    LIST = "LIST"
    RETR = "RETR"
    TOP = "TOP"
    UIDL = "UIDL"
    DELE = "DELE"
    RSET = "RSET"
    NOOP = "NOOP"
    QUIT = "QUIT"
    BAD = "bad"
    ABUSE = "abuse"


class Sign(Enum):
    """The first word of a reply; `ASKED` is the moment before there is one."""

    OK = b"+OK"
    ERR = b"-ERR"
    CONTINUE = b"+"
    ASKED = b""


_A, _N, _T = State.AUTHORIZATION, State.NAMED, State.TRANSACTION

Table = dict[tuple[State, Verb, Sign], State]


def _staying(state: State, *verbs: Verb) -> Table:
    return {(state, verb, sign): state for verb in verbs for sign in (Sign.OK, Sign.ERR)}


TABLE: Final[Table] = {
    (State.GREETING, Verb.CONNECT, Sign.OK): _A,
    (State.GREETING, Verb.CONNECT, Sign.ERR): State.CLOSED,
    # AUTHORIZATION (RFC 1939 §4). RFC 6856 §2 has UTF8 here alone, §3 has LANG in both.
    **_staying(_A, Verb.CAPA, Verb.LANG, Verb.UTF8, Verb.MECHANISMS),
    (_A, Verb.USER, Sign.OK): _N,
    (_A, Verb.USER, Sign.ERR): _A,
    (_A, Verb.AUTH, Sign.OK): _T,
    (_A, Verb.AUTH, Sign.ERR): _A,
    (_A, Verb.AUTH, Sign.CONTINUE): State.AUTHENTICATING,
    (_A, Verb.STLS, Sign.OK): State.SECURING,
    (_A, Verb.STLS, Sign.ERR): _A,
    (_A, Verb.QUIT, Sign.OK): State.CLOSED,
    (_A, Verb.QUIT, Sign.ERR): State.CLOSED,
    # RFC 1939 §7: PASS may come only after an accepted USER.
    **_staying(_N, Verb.CAPA, Verb.LANG, Verb.UTF8, Verb.MECHANISMS),
    (_N, Verb.USER, Sign.OK): _N,
    (_N, Verb.USER, Sign.ERR): _A,
    (_N, Verb.PASS, Sign.OK): _T,
    (_N, Verb.PASS, Sign.ERR): _A,
    (_N, Verb.AUTH, Sign.OK): _T,
    (_N, Verb.AUTH, Sign.ERR): _A,
    (_N, Verb.AUTH, Sign.CONTINUE): State.AUTHENTICATING,
    (_N, Verb.STLS, Sign.OK): State.SECURING,
    (_N, Verb.STLS, Sign.ERR): _N,
    (_N, Verb.QUIT, Sign.OK): State.CLOSED,
    (_N, Verb.QUIT, Sign.ERR): State.CLOSED,
    # RFC 5034 §4: a challenge, a success, or a failure that leads back.
    (State.AUTHENTICATING, Verb.RESPONSE, Sign.CONTINUE): State.AUTHENTICATING,
    (State.AUTHENTICATING, Verb.RESPONSE, Sign.OK): _T,
    (State.AUTHENTICATING, Verb.RESPONSE, Sign.ERR): _A,
    (State.AUTHENTICATING, Verb.CANCEL, Sign.ERR): _A,
    # RFC 2595 §4: the session starts anew inside TLS, without a second greeting.
    (State.SECURING, Verb.HANDSHAKE, Sign.ASKED): _A,
    # TRANSACTION (RFC 1939 §5).
    **_staying(_T, Verb.CAPA, Verb.LANG, Verb.STAT, Verb.LIST, Verb.RETR, Verb.TOP, Verb.UIDL),
    **_staying(_T, Verb.DELE, Verb.RSET, Verb.NOOP),
    # UPDATE (RFC 1939 §6) begins when QUIT is asked: only now may messages be removed.
    (_T, Verb.QUIT, Sign.ASKED): State.UPDATE,
    (State.UPDATE, Verb.QUIT, Sign.OK): State.CLOSED,
    (State.UPDATE, Verb.QUIT, Sign.ERR): State.CLOSED,
    # A bad command moves nothing (RFC 1939 §3).
    **{(state, Verb.BAD, Sign.ERR): state for state in (_A, _N, _T)},
    # Whoever talks rubbish too long, at any time, is told so and let go.
    **{(state, Verb.ABUSE, Sign.ERR): State.CLOSED for state in (_A, _N, _T, State.AUTHENTICATING)},
}

_MAY_COME: Final = frozenset((state, verb) for state, verb, _sign in TABLE)


def may_come(state: State, verb: Verb) -> bool:
    """Whether the table knows this verb in this state."""
    return (state, verb) in _MAY_COME


def after(state: State, verb: Verb, sign: Sign) -> State:
    """The state that follows.

    Raises:
        LocalProtocolError: this verb can't be answered so in this state.
    """
    try:
        return TABLE[state, verb, sign]
    except KeyError:
        raise LocalProtocolError(f"{verb.value} answered {sign.name} in {state.value}") from None
