"""Replies of a POP3 server (RFC 1939 §3) with response codes (RFC 2449 §8, RFC 3206, RFC 6856 §5). Pure."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from gatepost.pop3.state import Sign

# RFC 1939 §3: a reply line has at most 512 octets with its CRLF.
_LINE_LIMIT_BYTES: Final = 510
_CONTROLS: Final = dict.fromkeys((*range(32), 127), " ")


class Code(Enum):
    """The bracketed response code in front of the text."""

    IN_USE = "IN-USE"
    LOGIN_DELAY = "LOGIN-DELAY"
    SYS_TEMP = "SYS/TEMP"
    SYS_PERM = "SYS/PERM"
    AUTH = "AUTH"
    UTF8 = "UTF8"


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply. `body` is what follows the first line, in wire form with its closing dot."""

    sign: Sign
    text: str = ""
    code: Code | None = None
    body: bytes | None = None

    def marked(self, reason: str, session_id: str) -> Reply:
        """The same refusal, ending with ` [reason session]`."""
        return replace(self, text=f"{self.text} [{reason} {session_id}]")

    def encode(self) -> bytes:
        """The wire form, whole: some clients read a reply as one packet."""
        line = self._line() + b"\r\n"
        return line if self.body is None else line + self.body

    def _line(self) -> bytes:
        text = self.text if self.text.isprintable() else self.text.translate(_CONTROLS)
        if self.code is not None:
            text = f"[{self.code.value}] {text}"
        # RFC 5034 §4: a challenge is "+", a space and base64, which may be empty and is never cut.
        if self.sign is Sign.CONTINUE:
            return b"+ " + text.encode()
        line: bytes = self.sign.value + b" " + text.encode("utf-8", "replace")
        if len(line) > _LINE_LIMIT_BYTES:
            line = line[:_LINE_LIMIT_BYTES].decode("utf-8", "ignore").encode()
        return line.rstrip(b" ")


def ok(text: str = "", body: bytes | None = None) -> Reply:
    """A positive reply; `body` must be in wire form."""
    return Reply(Sign.OK, text, None, body)


def err(text: str, code: Code | None = None) -> Reply:
    """A refusal."""
    return Reply(Sign.ERR, text, code)


def challenge(content: bytes = b"") -> Reply:
    """A step of a SASL exchange (RFC 5034 §4)."""
    return Reply(Sign.CONTINUE, b2a_base64(content, newline=False).decode())


def listing(text: str, lines: Iterable[bytes]) -> Reply:
    """A positive reply with lines; none of them may start with a dot or hold a line end."""
    block = b"\r\n".join(lines)
    return Reply(Sign.OK, text, None, block + b"\r\n.\r\n" if block else b".\r\n")
