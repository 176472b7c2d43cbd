"""Command lines read (RFC 5321 §4.1.1, RFC 3207, RFC 4954 §4, RFC 3030 §2). Pure.

`GRAMMAR` maps the first four characters, in upper case, to what may follow. A reader takes the
printable line without CRLF and gives the command; it raises CommandError with the reply.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeVar

from gatepost.smtp import refusal
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
from gatepost.smtp.error import CommandError
from gatepost.smtp.path import parse_mail, parse_rcpt
from gatepost.smtp.reply import Reply
from gatepost.smtp.state import State, Verb

Readable = Helo | StartTls | Auth | Mail | Rcpt | Data | Chunk | Rset | Noop | Vrfy | Expn | Help | Quit
_Bare = TypeVar("_Bare", Data, Rset, Quit)

# RFC 4422 §3.1.
_MECHANISM = re.compile(r"[A-Z0-9_-]{1,20}")
# The name goes into Received and the log: what could forge either is refused, the rest is let be.
_HELO_NAME = re.compile(r'[^\x00-\x20\x7f()<>@,;"\\]{1,255}')
# RFC 3030 §2; 19 digits are more octets than there are.
_CHUNK = re.compile(r"BDAT +([0-9]{1,19})( +LAST)? *", re.IGNORECASE)


def _helo(line: str) -> Helo:
    words = line.split()
    extended = words[0].upper() == "EHLO"
    # Devices say `EHLO Laser Printer`; the first word does.
    if len(words) < 2 or _HELO_NAME.fullmatch(words[1]) is None:
        raise CommandError(refusal.syntax("EHLO hostname"))
    return Helo(words[1], extended)


def _bare(command: _Bare) -> Callable[[str], _Bare]:
    def read(line: str) -> _Bare:
        # RFC 5321 §4.1.1: trailing white space is tolerated.
        if len(line) != 4 and line[4:].strip():
            raise CommandError(refusal.syntax(line[:4].upper()))
        return command

    return read


def _starttls(line: str) -> StartTls:
    if line[:9].upper().rstrip() != "STARTTLS":
        raise CommandError(refusal.UNKNOWN_COMMAND)
    if line[8:].strip():
        raise CommandError(refusal.syntax("STARTTLS"))
    return StartTls()


def _auth(line: str) -> Auth:
    words = line.split()
    mechanism = words[1].upper() if len(words) in (2, 3) else ""
    if _MECHANISM.fullmatch(mechanism) is None:
        raise CommandError(refusal.syntax("AUTH mechanism [initial-response]"))
    if len(words) == 2:
        return Auth(mechanism)
    # RFC 4954 §4: an initial response of no octets is sent as one equals sign.
    return Auth(mechanism, b"" if words[2] == "=" else _base64(words[2]))


def parse_response(line: str) -> AuthResponse | AuthCancelled:
    """A line within AUTH.

    Raises:
        CommandError: it is not base64.
    """
    return AuthCancelled() if line == "*" else AuthResponse(_base64(line))


def _base64(text: str) -> bytes:
    try:
        return a2b_base64(text, strict_mode=True) if text else b""
    except ValueError:  # and binascii.Error, which is one; the other is said of non-ASCII
        raise CommandError(refusal.BAD_BASE64) from None


def parse_chunk(line: str) -> Chunk:
    """The BDAT of this line.

    Raises:
        CommandError: 501, and it closes.
    """
    found = _CHUNK.fullmatch(line)
    if found is None:
        # How many octets follow cannot be known.
        raise CommandError(refusal.syntax("BDAT size [LAST]"), closes=True)
    return Chunk(int(found[1]), found[2] is not None)


def _noop(line: str) -> Noop:
    return Noop()


def _vrfy(line: str) -> Vrfy:
    return Vrfy(_argument(line, "VRFY name"))


def _expn(line: str) -> Expn:
    return Expn(_argument(line, "EXPN list"))


def _help(line: str) -> Help:
    return Help(line[5:].strip())


def _argument(line: str, usage: str) -> str:
    text = line[5:].strip()
    if not text:
        raise CommandError(refusal.syntax(usage))
    return text


SHORT_LINE_BYTES: Final = 510


class Grammar(NamedTuple):
    """How the lines of one verb are read.

    `conditional`: it may be refused although it is well formed and in order, for what was said before.
    `limit_bytes` is for the line without CRLF: RFC 5321 §4.5.3.1.4 has 512 with it; MAIL and RCPT grow
    with the extensions (RFC 1870 §3, 3461 §4, 4954 §3, 6531 §3.4: 2048 holds them all), AUTH per RFC
    4954 §4.
    """

    verb: Verb
    read: Callable[[str], Readable]
    conditional: bool = False
    limit_bytes: int = SHORT_LINE_BYTES


RESPONSE_LIMIT_BYTES: Final = 12286
_LONGEST: Final = 2046

GRAMMAR: Final[Mapping[str, Grammar]] = {
    "EHLO": Grammar(Verb.HELO, _helo),
    "HELO": Grammar(Verb.HELO, _helo),
    "MAIL": Grammar(Verb.MAIL, parse_mail, conditional=True, limit_bytes=_LONGEST),
    "RCPT": Grammar(Verb.RCPT, parse_rcpt, limit_bytes=_LONGEST),
    "DATA": Grammar(Verb.DATA, _bare(Data())),
    "BDAT": Grammar(Verb.BDAT, parse_chunk),
    "STAR": Grammar(Verb.STARTTLS, _starttls, conditional=True),
    "AUTH": Grammar(Verb.AUTH, _auth, conditional=True, limit_bytes=RESPONSE_LIMIT_BYTES),
    "RSET": Grammar(Verb.RSET, _bare(Rset())),
    "NOOP": Grammar(Verb.NOOP, _noop),
    "VRFY": Grammar(Verb.VRFY, _vrfy),
    "EXPN": Grammar(Verb.EXPN, _expn),
    "HELP": Grammar(Verb.HELP, _help),
    "QUIT": Grammar(Verb.QUIT, _bare(Quit())),
}

# Commands of SMTP that exist elsewhere, not here (RFC 5321 §4.2.4: 502).
_NOT_IMPLEMENTED: Final = frozenset(
    ("TURN", "ETRN", "ATRN", "SEND", "SOML", "SAML", "BURL", "LHLO", "XCLIENT", "XFORWARD")
)
# Who speaks HTTP here is a browser that was tricked into it, or worse: not one more line is read.
_HTTP: Final = frozenset(
    ("GET", "POST", "HEAD", "PUT", "OPTIONS", "CONNECT", "TRACE", "DELETE", "PATCH", "PRI")
)


def line_limit_bytes(start: bytes, state: State) -> int:
    """How long a line that starts so may be, without CRLF."""
    if state is State.AUTH:
        return RESPONSE_LIMIT_BYTES
    grammar = GRAMMAR.get(start[:4].decode("latin-1").upper())
    return SHORT_LINE_BYTES if grammar is None else grammar.limit_bytes


def command_line(octets: bytes, state: State) -> str:
    """The line of these octets, which stood before an LF.

    Raises:
        CommandError: no CR at its end (RFC 5321 §2.3.8), too long, not printable text.
    """
    if octets[-1:] != b"\r":
        raise CommandError(refusal.BARE_LINE_FEED)
    if len(octets) > SHORT_LINE_BYTES and len(octets) > line_limit_bytes(octets, state) + 1:
        raise CommandError(refusal.LINE_TOO_LONG)
    try:
        line = octets[:-1].decode()
    except UnicodeDecodeError:
        raise CommandError(refusal.NOT_PRINTABLE) from None
    if not line.isprintable():
        raise CommandError(refusal.NOT_PRINTABLE)
    return line


def unknown_command(line: str) -> Reply:
    """The refusal of a line that GRAMMAR has nothing for; 421 for HTTP."""
    word = line.split(" ", 1)[0].upper()
    if word in _HTTP:
        return refusal.NOT_SMTP
    return refusal.NOT_IMPLEMENTED if word in _NOT_IMPLEMENTED else refusal.UNKNOWN_COMMAND
