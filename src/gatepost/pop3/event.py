"""What a POP3 client asked for. Pure.

Every event but `Closed` and `Intrusion` waits for exactly one reply.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.pop3.reply import Reply
from gatepost.secret import Secret


@dataclass(frozen=True, slots=True)
class Capa:
    """RFC 2449 §5."""


@dataclass(frozen=True, slots=True)
class User:
    """RFC 1939 §7. Answer `+OK` for every name, known or not: names are not for guessing."""

    name: str


@dataclass(frozen=True, slots=True)
class Pass:
    """RFC 1939 §7. `name` is that of the USER before it."""

    name: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Auth:
    """RFC 5034 §4. `mechanism` is upper case; `initial` is None when absent, empty when sent as `=`."""

    mechanism: str
    initial: bytes | None

    def __repr__(self) -> str:
        return f"Auth({self.mechanism}, ***)"


@dataclass(frozen=True, slots=True)
class AuthMechanisms:
    """AUTH without a mechanism: old clients ask for the list so."""


@dataclass(frozen=True, slots=True, repr=False)
class AuthResponse:
    """The client's next step, decoded."""

    content: bytes

    def __repr__(self) -> str:
        return "AuthResponse(***)"


@dataclass(frozen=True, slots=True)
class AuthCancelled:
    """The exchange is over: `*`, rubbish or an overlong line. Answer `reply`."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Stls:
    """RFC 2595 §4. After `+OK` start TLS and call `tls_started`."""


@dataclass(frozen=True, slots=True)
class Lang:
    """RFC 6856 §3. None asks for the list; `*` for the default."""

    tag: str | None


@dataclass(frozen=True, slots=True)
class Utf8:
    """RFC 6856 §2."""


@dataclass(frozen=True, slots=True)
class Stat:
    """RFC 1939 §5."""


@dataclass(frozen=True, slots=True)
class List:
    """RFC 1939 §5. None means all."""

    number: int | None


@dataclass(frozen=True, slots=True)
class Uidl:
    """RFC 1939 §7. None means all."""

    number: int | None


@dataclass(frozen=True, slots=True)
class Retr:
    """RFC 1939 §5."""

    number: int


@dataclass(frozen=True, slots=True)
class Top:
    """RFC 1939 §7: the header and `lines` lines of the body."""

    number: int
    lines: int


@dataclass(frozen=True, slots=True)
class Dele:
    """RFC 1939 §5: marked only; it takes effect at QUIT."""

    number: int


@dataclass(frozen=True, slots=True)
class Rset:
    """RFC 1939 §5: all marks are taken back."""


@dataclass(frozen=True, slots=True)
class Noop:
    """RFC 1939 §5."""


@dataclass(frozen=True, slots=True)
class Quit:
    """RFC 1939 §4, §6. With `update` the marked messages are to be removed before the reply."""

    update: bool


@dataclass(frozen=True, slots=True)
class BadCommand:
    """The language itself was broken; the reply is known already."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class TooManyErrors:
    """Too many bad commands, one after another: answer `reply` and close."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Intrusion:
    """Bytes came in clear behind STLS: close at once, they are neither ours nor TLS's (RFC 2595 §9)."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over; what still comes is dropped."""


Request = (
    Capa
    | User
    | Pass
    | Auth
    | AuthMechanisms
    | AuthResponse
    | AuthCancelled
    | Stls
    | Lang
    | Utf8
    | Stat
    | List
    | Uidl
    | Retr
    | Top
    | Dele
    | Rset
    | Noop
    | Quit
    | BadCommand
    | TooManyErrors
)
Event = Request | Intrusion | Closed
