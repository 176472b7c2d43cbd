"""What a server hears besides commands. Pure."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, NamedTuple

from gatepost.smtp.command import (
    Auth,
    AuthCancelled,
    AuthResponse,
    Chunk,
    Data,
    Expn,
    Helo,
    Help,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Rset,
    StartTls,
    Vrfy,
)
from gatepost.smtp.reply import Reply
from gatepost.value import value
from gatepost.wire.dots import ContentFault


class Nothing(Enum):
    """There is no event now: more bytes are needed, or the last event still waits for its reply."""

    NEED_DATA = "need data"


NEED_DATA: Final = Nothing.NEED_DATA
NeedData = Literal[Nothing.NEED_DATA]


# Named tuples for their price, as the commands of the hot path.
class Content(NamedTuple):
    """A part of the message in wire form (dot-stuffed, CRLF), whether it came by DATA or BDAT. No reply."""

    data: bytes


class EndOfContent(NamedTuple):
    """The content, or one chunk of it, is complete: reply to it.

    `fault` is what is wrong with the message so far, None when nothing is; after a fault no more Content
    is given. `size_bytes` counts the message so far. `last` is False after a BDAT that more will follow.
    """

    fault: ContentFault | None
    size_bytes: int
    last: bool = True


@value
class BadCommand:
    """A command that cannot be obeyed. Give `reply` back, or the same with a reason added."""

    reply: Reply


@value
class TooManyErrors:
    """One bad command too many. Give `reply` back, or the same with a reason added; then all is closed."""

    reply: Reply


@value
class Closed:
    """The session is over: nothing more will be heard and nothing may be said. No reply."""


Event = (
    Helo
    | StartTls
    | Auth
    | AuthResponse
    | AuthCancelled
    | Mail
    | Rcpt
    | Data
    | Chunk
    | Content
    | EndOfContent
    | Rset
    | Noop
    | Vrfy
    | Expn
    | Help
    | Quit
    | BadCommand
    | TooManyErrors
    | Closed
)
