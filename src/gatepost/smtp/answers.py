"""The replies of a server, read line by line with limits (RFC 5321 §4.2, §4.5.3.1.5). Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from gatepost.smtp.error import RemoteProtocolError
from gatepost.smtp.reply import Reply, parse_reply

# RFC 5321 has 512; real servers put a whole policy into one line.
_LINE_LIMIT_BYTES: Final = 4096
# Replies to a group for few recipients; more are read one by one.
_GROUP_LIMIT_BYTES: Final = 512
# An EHLO reply of a server with every extension has some thirty.
_LINES_LIMIT: Final = 256


class ReplyReader:
    """Bytes in, replies out. After RemoteProtocolError it is of no more use."""

    __slots__ = ("_at", "_buffer", "_code", "_searched", "_texts")

    def __init__(self) -> None:
        self._buffer = b""  # what was not read yet begins at _at,
        self._at = 0
        self._searched = 0  # and has no line end before _searched
        self._code = 0  # of the reply whose lines are coming; 0 between replies
        self._texts: list[str] = []

    def __len__(self) -> int:
        """Bytes of the reply that is not complete, and of those behind it."""
        return len(self._buffer) - self._at + len(self._texts)

    def feed(self, data: bytes) -> None:
        """These bytes came after those fed before."""
        if self._at == len(self._buffer):
            self._buffer, self._at, self._searched = data, 0, 0
        else:
            self._buffer = self._buffer[self._at :] + data
            self._searched -= self._at
            self._at = 0

    def next_reply(self) -> Reply | None:
        """The next reply, None when it is not complete.

        Raises:
            RemoteProtocolError: this is no reply, or one without end.
        """
        buffer, at = self._buffer, self._at
        if at == len(buffer):
            return None
        end = buffer.find(b"\n", at)
        # Nearly every reply is one whole line.
        if end < 0 or self._code or buffer[at + 3 : at + 4] == b"-" or end - at > _LINE_LIMIT_BYTES:
            return self._by_lines()
        self._at = self._searched = end + 1
        return _one_line(buffer[at:end])

    def group(self, count: int) -> Reply | None:
        """The last of `count` replies, when exactly these are there and a group got all that it hoped for:
        2xx, and 3xx in the end. None: nothing was read, `next_reply` reads them one by one.
        """
        size = len(self._buffer) - self._at
        if self._code or not 0 < size <= _GROUP_LIMIT_BYTES:
            return None
        last = _group(self._buffer[self._at :], count)
        if last is not None:
            self._at = self._searched = len(self._buffer)
        return last

    def _by_lines(self) -> Reply | None:
        while (line := self._line()) is not None:
            if not self._code and line[3:4] != b"-":
                return _one_line(line)
            code, more = _code(line)
            if self._code not in (0, code):
                raise RemoteProtocolError(f"code {self._code} became {code} within a reply")
            self._texts.append(_text(line))
            if len(self._texts) > _LINES_LIMIT:
                raise RemoteProtocolError("a reply of too many lines")
            self._code = code
            if not more:
                texts, self._texts, self._code = self._texts, [], 0
                return parse_reply(code, texts)
        return None

    def _line(self) -> bytes | None:
        """The next line without its end; a bare LF is taken for one, as old servers mean it."""
        buffer, start = self._buffer, self._at
        end = buffer.find(b"\n", self._searched)
        if (end if end >= 0 else len(buffer)) - start > _LINE_LIMIT_BYTES:
            raise RemoteProtocolError("a reply line that is too long")
        if end < 0:
            self._searched = len(buffer)
            return None
        self._at = self._searched = end + 1
        return buffer[start:end].removesuffix(b"\r")


# Servers say the same few lines all day; a Reply never changes.
@lru_cache(maxsize=256)
def _group(octets: bytes, count: int) -> Reply | None:
    *lines, rest = octets.split(b"\r\n")
    if rest or len(lines) != count or any(line[:1] != b"2" for line in lines[:-1]) or lines[-1][:1] != b"3":
        return None
    try:
        # one that goes on in the next line has no room for that here
        return None if any(_code(line)[1] for line in lines) else _one_line(lines[-1])
    except RemoteProtocolError:
        return None


@lru_cache(maxsize=256)
def _one_line(line: bytes) -> Reply:
    """The reply of this line, whose LF is taken off; the CR before it may be there."""
    line = line.removesuffix(b"\r")
    code, _more = _code(line)
    return parse_reply(code, [_text(line)])


def _code(line: bytes) -> tuple[int, bool]:
    """The code, and whether more lines of this reply follow."""
    digits, mark = line[:3], line[3:4]
    if not (digits.isdigit() and len(digits) == 3 and digits[0] + 0 >= 50 and b"2" <= digits < b"6"):
        raise RemoteProtocolError("no reply code where one must be")
    if mark not in (b" ", b"-", b""):
        raise RemoteProtocolError("no reply code where one must be")
    return int(digits), mark == b"-"


def _text(line: bytes) -> str:
    # Shown in logs and reports: never a control character, whatever was sent.
    text = line[4:].decode(errors="replace")
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
