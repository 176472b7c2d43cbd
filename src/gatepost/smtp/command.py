"""The commands of SMTP as values: a server reads them, a client sends them (RFC 5321 §4.1). Pure.

Each knows its `verb` in the state table and its `encode()`, the line with CRLF. `syntax` reads them.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import field
from typing import ClassVar, NamedTuple

from gatepost.mail.address import Address
from gatepost.mail.envelope import Body
from gatepost.smtp.state import Verb
from gatepost.value import value


@value
class Helo:
    """HELO, or EHLO when `extended`: the peer's own name for itself, which proves nothing."""

    name: str
    extended: bool = True

    verb: ClassVar[Verb] = Verb.HELO

    def encode(self) -> bytes:
        return f"{'EHLO' if self.extended else 'HELO'} {self.name}\r\n".encode()


@value
class StartTls:
    """STARTTLS (RFC 3207). `injected`: bytes in clear came behind it; close, never parse them."""

    injected: bool = False

    verb: ClassVar[Verb] = Verb.STARTTLS

    def encode(self) -> bytes:
        return b"STARTTLS\r\n"


@value
class Auth:
    """AUTH (RFC 4954). `initial` is None when absent, `b""` when it was sent as `=`."""

    mechanism: str
    initial: bytes | None = field(default=None, repr=False)

    verb: ClassVar[Verb] = Verb.AUTH

    def encode(self) -> bytes:
        line = b"AUTH " + self.mechanism.encode()
        if self.initial is not None:
            line += b" " + (b64encode(self.initial) or b"=")
        return line + b"\r\n"


@value
class AuthResponse:
    """The answer to a 334 challenge, decoded."""

    response: bytes = field(repr=False)

    verb: ClassVar[Verb] = Verb.RESPONSE

    def encode(self) -> bytes:
        return b64encode(self.response) + b"\r\n"


@value
class AuthCancelled:
    """A lone `*` instead of a response: the exchange is over (RFC 4954 §4)."""

    verb: ClassVar[Verb] = Verb.RESPONSE

    def encode(self) -> bytes:
        return b"*\r\n"


# The values of the hot path are named tuples: five times cheaper to make than a frozen dataclass.
class Mail(NamedTuple):
    """MAIL FROM. The null reverse-path is None, and so is every parameter that is absent.

    `size_bytes` is what the client declares (RFC 1870). `ret`, `envid` (RFC 3461) and `auth` (RFC 4954
    §5) are as sent, keywords in upper case.
    """

    sender: Address | None
    size_bytes: int | None = None
    body: Body | None = None
    smtputf8: bool = False
    ret: str | None = None
    envid: str | None = None
    auth: str | None = None
    require_tls: bool = False

    @property
    def verb(self) -> Verb:
        return Verb.MAIL

    def encode(self) -> bytes:
        line = "MAIL FROM:<>" if self.sender is None else f"MAIL FROM:<{self.sender}>"
        if self.size_bytes is not None:
            line += f" SIZE={self.size_bytes}"
        if self.body is not None:
            # Not Body.value: an enum's `value` is a Python call.
            line += " BODY=8BITMIME" if self.body is Body.EIGHT_BIT else " BODY=7BIT"
        if self.smtputf8:
            line += " SMTPUTF8"
        if self.ret is not None:
            line += f" RET={self.ret}"
        if self.envid is not None:
            line += f" ENVID={self.envid}"
        if self.auth is not None:
            line += f" AUTH={self.auth}"
        if self.require_tls:
            line += " REQUIRETLS"
        return f"{line}\r\n".encode()


class Rcpt(NamedTuple):
    """RCPT TO. `notify` and `orcpt` are RFC 3461 values as sent, None when absent."""

    address: Address
    notify: str | None = None
    orcpt: str | None = None

    @property
    def verb(self) -> Verb:
        return Verb.RCPT

    def encode(self) -> bytes:
        line = f"RCPT TO:<{self.address}>"
        if self.notify is not None:
            line += f" NOTIFY={self.notify}"
        if self.orcpt is not None:
            line += f" ORCPT={self.orcpt}"
        return f"{line}\r\n".encode()


@value
class Data:
    """DATA. The content follows the 354."""

    verb: ClassVar[Verb] = Verb.DATA

    def encode(self) -> bytes:
        return b"DATA\r\n"


@value
class Dot:
    """The line that ends the content after DATA; what came before it must end with CRLF."""

    verb: ClassVar[Verb] = Verb.CONTENT

    def encode(self) -> bytes:
        return b".\r\n"


@value
class Chunk:
    """BDAT (RFC 3030): exactly `size_bytes` raw octets follow its line at once, unstuffed."""

    size_bytes: int
    last: bool = False

    @property
    def verb(self) -> Verb:
        return Verb.LAST if self.last else Verb.BDAT

    def encode(self) -> bytes:
        return f"BDAT {self.size_bytes}{' LAST' if self.last else ''}\r\n".encode()


@value
class Rset:
    """RSET: the transaction is forgotten."""

    verb: ClassVar[Verb] = Verb.RSET

    def encode(self) -> bytes:
        return b"RSET\r\n"


@value
class Noop:
    """NOOP."""

    verb: ClassVar[Verb] = Verb.NOOP

    def encode(self) -> bytes:
        return b"NOOP\r\n"


@value
class Vrfy:
    """VRFY: is there such a user? `name` is as sent."""

    name: str

    verb: ClassVar[Verb] = Verb.VRFY

    def encode(self) -> bytes:
        return f"VRFY {self.name}\r\n".encode()


@value
class Expn:
    """EXPN: who is on this list? `name` is as sent."""

    name: str

    verb: ClassVar[Verb] = Verb.EXPN

    def encode(self) -> bytes:
        return f"EXPN {self.name}\r\n".encode()


@value
class Help:
    """HELP, with or without a topic."""

    topic: str = ""

    verb: ClassVar[Verb] = Verb.HELP

    def encode(self) -> bytes:
        return f"HELP {self.topic}".rstrip().encode() + b"\r\n"


@value
class Quit:
    """QUIT."""

    verb: ClassVar[Verb] = Verb.QUIT

    def encode(self) -> bytes:
        return b"QUIT\r\n"


Command = (
    Helo
    | StartTls
    | Auth
    | AuthResponse
    | AuthCancelled
    | Mail
    | Rcpt
    | Data
    | Dot
    | Chunk
    | Rset
    | Noop
    | Vrfy
    | Expn
    | Help
    | Quit
)
