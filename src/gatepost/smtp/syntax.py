"""Command lines read (RFC 5321 §4.1.1, RFC 3207, RFC 4954 §4, RFC 3030 §2). Pure.

`GRAMMAR` maps the first four octets, in upper case, to what may follow. A reader takes the line
without CRLF, without CR and NUL, and gives the command; it raises CommandError with the reply.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable
from types import MappingProxyType
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
from gatepost.smtp.state import Verb

Readable = Helo | StartTls | Auth | Mail | Rcpt | Data | Chunk | Rset | Noop | Vrfy | Expn | Help | Quit
_Bare = TypeVar("_Bare", Data, Rset, Quit)

# RFC 4422 §3.1.
_MECHANISM = re.compile(r"[A-Z0-9_-]{1,20}")
# The name goes into Received and the log: what could forge either is refused, the rest is let be.
_HELO_NAME = re.compile(r'[^\x00-\x20\x7f()<>@,;"\\]{1,255}')
# RFC 3030 §2; 19 digits are more octets than there are.
_CHUNK = re.compile(rb"BDAT +([0-9]{1,19})( +LAST)? *", re.IGNORECASE)


def _helo(line: bytes) -> Helo:
    words = line.decode("ascii").split()
    extended = words[0].upper() == "EHLO"
    # Devices say `EHLO Laser Printer`; the first word does.
    if len(words) < 2 or _HELO_NAME.fullmatch(words[1]) is None:
        raise CommandError(refusal.syntax("EHLO hostname"))
    return Helo(words[1], extended)


def _bare(command: _Bare) -> Callable[[bytes], _Bare]:
    def read(line: bytes) -> _Bare:
        # RFC 5321 §4.1.1: trailing white space is tolerated.
        if len(line) != 4 and line[4:].strip():
            raise CommandError(refusal.syntax(f"{line[:4].decode('ascii').upper()}"))
        return command

    return read


def _starttls(line: bytes) -> StartTls:
    if line[:9].upper().rstrip() != b"STARTTLS":
        raise CommandError(refusal.UNKNOWN_COMMAND)
    if line[8:].strip():
        raise CommandError(refusal.syntax("STARTTLS"))
    return StartTls()


def _auth(line: bytes) -> Auth:
    words = line.decode("ascii").split()
    mechanism = words[1].upper() if len(words) in (2, 3) else ""
    if _MECHANISM.fullmatch(mechanism) is None:
        raise CommandError(refusal.syntax("AUTH mechanism [initial-response]"))
    if len(words) == 2:
        return Auth(mechanism)
    # RFC 4954 §4: an initial response of no octets is sent as one equals sign.
    return Auth(mechanism, b"" if words[2] == "=" else _base64(words[2].encode("ascii")))


def parse_response(line: bytes) -> AuthResponse | AuthCancelled:
    """A line within AUTH.

    Raises:
        CommandError: it is not base64.
    """
    return AuthCancelled() if line == b"*" else AuthResponse(_base64(line))


def _base64(text: bytes) -> bytes:
    try:
        return a2b_base64(text, strict_mode=True) if text else b""
    except Base64Error:
        raise CommandError(refusal.BAD_BASE64) from None


def parse_chunk(line: bytes) -> Chunk:
    """The BDAT of this line.

    Raises:
        CommandError: 501; how many octets follow is not known then.
    """
    found = _CHUNK.fullmatch(line)
    if found is None:
        raise CommandError(refusal.syntax("BDAT size [LAST]"))
    return Chunk(int(found[1]), found[2] is not None)


def _noop(line: bytes) -> Noop:
    return Noop()


def _vrfy(line: bytes) -> Vrfy:
    return Vrfy(_argument(line, "VRFY name"))


def _expn(line: bytes) -> Expn:
    return Expn(_argument(line, "EXPN list"))


def _help(line: bytes) -> Help:
    return Help(_text(line[5:]))


def _argument(line: bytes, usage: str) -> str:
    text = _text(line[5:])
    if not text:
        raise CommandError(refusal.syntax(usage))
    return text


def _text(octets: bytes) -> str:
    try:
        return octets.decode().strip()
    except UnicodeDecodeError:
        raise CommandError(refusal.NOT_ASCII) from None


class Grammar(NamedTuple):
    """How the lines of one verb are read.

    `word` is the whole verb where it is longer than the four octets of the key. `limit_bytes` is for
    the line without CRLF: RFC 5321 §4.5.3.1.4 has 512 with it; MAIL and RCPT grow with the
    extensions (RFC 1870 §3, 3461 §4, 4954 §3, 6531 §3.4: 2048 holds them all), AUTH per RFC 4954 §4.
    """

    verb: Verb
    read: Callable[[bytes], Readable]
    limit_bytes: int = 510


RESPONSE_LIMIT_BYTES: Final = 12286
_LONGEST: Final = 2046

GRAMMAR: Final = MappingProxyType(
    {
        b"EHLO": Grammar(Verb.HELO, _helo),
        b"HELO": Grammar(Verb.HELO, _helo),
        b"MAIL": Grammar(Verb.MAIL, parse_mail, _LONGEST),
        b"RCPT": Grammar(Verb.RCPT, parse_rcpt, _LONGEST),
        b"DATA": Grammar(Verb.DATA, _bare(Data())),
        b"BDAT": Grammar(Verb.BDAT, parse_chunk),
        b"STAR": Grammar(Verb.STARTTLS, _starttls),
        b"AUTH": Grammar(Verb.AUTH, _auth, RESPONSE_LIMIT_BYTES),
        b"RSET": Grammar(Verb.RSET, _bare(Rset())),
        b"NOOP": Grammar(Verb.NOOP, _noop),
        b"VRFY": Grammar(Verb.VRFY, _vrfy),
        b"EXPN": Grammar(Verb.EXPN, _expn),
        b"HELP": Grammar(Verb.HELP, _help),
        b"QUIT": Grammar(Verb.QUIT, _bare(Quit())),
    }
)

# Commands of SMTP that exist elsewhere, not here (RFC 5321 §4.2.4: 502).
_NOT_IMPLEMENTED: Final = frozenset(
    (b"TURN", b"ETRN", b"ATRN", b"SEND", b"SOML", b"SAML", b"BURL", b"LHLO", b"XCLIENT", b"XFORWARD")
)
# Who speaks HTTP here is a browser that was tricked into it, or worse: not one more line is read.
_HTTP: Final = frozenset(
    (b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"CONNECT", b"TRACE", b"DELETE", b"PATCH", b"PRI")
)


def unknown_command(line: bytes) -> Reply:
    """The refusal of a line that GRAMMAR has nothing for; 421 for HTTP."""
    word = line.split(b" ", 1)[0].upper()
    if word in _HTTP:
        return refusal.NOT_SMTP
    return refusal.NOT_IMPLEMENTED if word in _NOT_IMPLEMENTED else refusal.UNKNOWN_COMMAND
