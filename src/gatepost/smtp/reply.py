"""A reply: three digits, an enhanced status, lines of text (RFC 5321 §4.2, RFC 2034). Pure."""

from __future__ import annotations

import re
from dataclasses import field, replace
from typing import Final

from gatepost.value import value

# RFC 5321 §4.5.3.1.5: 512 octets with the code and CRLF.
_LINE_LIMIT_BYTES: Final = 510
# RFC 3463 §2, as the first word of a text line.
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?: |$)")


@value
class Reply:
    """What the server says to one command.

    `enhanced` is an RFC 3463 status such as `5.1.1`, None where RFC 2034 has none (greeting, EHLO, 354).
    `lines` are the texts without code and status; at least one, which may be empty. `wire` is what
    `encode` gave, once it did.
    """

    code: int
    enhanced: str | None
    lines: tuple[str, ...]
    wire: bytes | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def is_positive(self) -> bool:
        return self.code < 400

    @property
    def is_temporary(self) -> bool:
        return 400 <= self.code < 500

    @property
    def text(self) -> str:
        """All lines as one, for logs and reports."""
        return " ".join(self.lines)

    def one_line(self, reason: str, session: str) -> Reply:
        """This reply as one line that ends with ` [reason session]`, its text cut where it must be."""
        tag = f" [{reason} {session}]"
        room = _LINE_LIMIT_BYTES - len(f"{self.code} {self.enhanced or ''} ") - len(tag)
        return replace(self, lines=(_cut(self.text, room) + tag,))

    def encode(self) -> bytes:
        """The whole reply for one write: some clients read one packet."""
        wire = self.wire
        if wire is None:
            wire = self._encoded()
            # A memo, not a change: replies are mostly constants, said many times.
            object.__setattr__(self, "wire", wire)
        return wire

    def _encoded(self) -> bytes:
        status = f"{self.enhanced} " if self.enhanced else ""
        if len(self.lines) == 1:
            text = self.lines[0]
            if len(text) < 120 and text.isprintable():
                return f"{self.code} {status}{text}\r\n".encode()
            row = _cut(_printable(status + self.lines[0]), _LINE_LIMIT_BYTES - 4)
            return f"{self.code} {row}\r\n".encode()
        rows = [_cut(_printable(status + line), _LINE_LIMIT_BYTES - 4) for line in self.lines]
        code = str(self.code)
        return f"{code}-".join(["", *(f"{row}\r\n" for row in rows[:-1])]).encode() + (
            f"{code} {rows[-1]}\r\n".encode()
        )

    def __str__(self) -> str:
        status = f"{self.enhanced} " if self.enhanced else ""
        return f"{self.code} {status}{self.text}"


def parse_reply(code: int, texts: list[str]) -> Reply:
    """The reply of these text lines, its enhanced status taken out of every line that bears it."""
    found = _ENHANCED.match(texts[0])
    if found is None or found[1][0] != str(code)[0]:
        return Reply(code, None, tuple(texts))
    status = found[1]
    if len(texts) == 1:
        return Reply(code, status, (texts[0][found.end() :],))
    return Reply(code, status, tuple(_without(status, text) for text in texts))


def _without(status: str, text: str) -> str:
    rest = text.removeprefix(status)
    return rest.removeprefix(" ") if rest != text and rest[:1] in ("", " ") else text


def _cut(text: str, limit_bytes: int) -> str:
    if len(text) * 4 <= limit_bytes:
        return text
    return text.encode()[:limit_bytes].decode(errors="ignore")


def _printable(text: str) -> str:
    # A line break in a text would be a second reply; a control character could be shown as one.
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text)
