"""The mbox file: many messages in one, parted by `From ` lines (RFC 4155), quoted the mboxrd way.

Memory holds one message and one block, however large the file and its lines are.
"""

from __future__ import annotations

import re
import time
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

_BLOCK_BYTES: Final = 1 << 20
_MESSAGE_LIMIT_BYTES: Final = 1 << 29
_FROM_LIMIT_BYTES: Final = 512
# `From sender Thu Jan  1 00:00:00 1970`, perhaps with a zone before or behind the year.
_DATE: Final = re.compile(
    rb"From .*?(?:[A-Z][a-z]{2},? +)?([A-Z][a-z]{2}) +(\d{1,2}),? +(\d{1,2}):(\d\d)(?::(\d\d))?.*?\b(\d{4})\b"
)
_MONTHS: Final = (b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec").split()
_QUOTED: Final = re.compile(rb"^>(>*From )", re.MULTILINE)
_TO_QUOTE: Final = re.compile(rb"^(>*From )", re.MULTILINE)
_STATUS: Final = re.compile(rb"^(X-)?Status:[ \t]*([A-Z]*)", re.MULTILINE | re.IGNORECASE)
_RETURN_PATH: Final = re.compile(rb"^Return-Path:[ \t]*<([^\s<>]+)>", re.MULTILINE | re.IGNORECASE)
# What mail readers note in Status and X-Status, as a Maildir's letters.
_FLAGS: Final = {"R": "S", "A": "R", "F": "F", "T": "D", "D": "T"}


class MboxError(Exception):
    """The file is no mbox; the text says where and why."""


@dataclass(frozen=True, slots=True)
class MboxMessage:
    """One message, line ends as they were. `came_at` is None when its From line tells no time.

    `end` is where the next one begins, in bytes.
    """

    content: bytes
    came_at: float | None
    flags: str
    end: int


def messages(file: BinaryIO) -> Iterator[MboxMessage]:
    """Each message in turn. An empty file has none.

    Raises:
        MboxError: it does not begin with a From line, or one message is larger than 512 MiB.
    """
    buffer = file.read(_BLOCK_BYTES)
    while buffer[:1] in (b"\n", b"\r"):
        buffer = buffer.lstrip(b"\r\n") or file.read(_BLOCK_BYTES)
    if not buffer:
        return
    if not buffer.startswith(b"From "):
        raise MboxError("byte 0: an mbox begins with a From line; is this another kind of file?")
    # Files whose From lines bear a date never mean a line without one.
    dated = _DATE.match(buffer[:_FROM_LIMIT_BYTES].partition(b"\n")[0]) is not None
    offset, start, searched = 0, 0, 0
    while True:
        end = _next_from(buffer, searched, dated=dated)
        if end >= 0:
            yield _message(buffer[start:end], offset + end)
            start = searched = end
            continue
        if len(buffer) - start > _MESSAGE_LIMIT_BYTES:
            raise MboxError(f"byte {offset + start}: a message of more than {_MESSAGE_LIMIT_BYTES >> 20} MiB")
        # What is used up goes, once a block; blocks grow with the message, so that it isn't copied too often.
        offset, buffer = offset + start, buffer[start:]
        block = file.read(max(_BLOCK_BYTES, len(buffer)))
        if not block:
            yield _message(buffer, offset + len(buffer))
            return
        # A From line may be cut by the block's end: it is looked at again, whole.
        start, searched = 0, max(0, buffer.rfind(b"\n", 0, len(buffer) - 1) - 3)
        buffer += block


def _next_from(buffer: bytes, start: int, *, dated: bool) -> int:
    """Where the next From line begins, -1 when none is seen whole."""
    while (place := buffer.find(b"\nFrom ", start)) >= 0:
        start = place + 1
        end = buffer.find(b"\n", start)
        if end < 0:
            return -1
        # RFC 4155: an empty line stands before it.
        if not buffer.endswith((b"\n", b"\n\r"), max(0, place - 2), place):
            continue
        if not dated or _DATE.match(buffer, start, min(end, start + _FROM_LIMIT_BYTES)) is not None:
            return start
    return -1


def _message(part: bytes, end: int) -> MboxMessage:
    first, _newline, content = part.partition(b"\n")
    for empty, line_end in ((b"\n\r\n", b"\r\n"), (b"\n\n", b"\n")):
        if content.endswith(empty):
            content = content[: -len(line_end)]
            break
    if b">From " in content:
        content = _QUOTED.sub(rb"\1", content)
    return MboxMessage(content, _came_at(first), _flags(content), end)


def _came_at(line: bytes) -> float | None:
    found = _DATE.match(line, 0, _FROM_LIMIT_BYTES)
    if found is None or found[1] not in _MONTHS:
        return None
    month = _MONTHS.index(found[1]) + 1
    day, hour, minute, second, year = (int(found[group] or 0) for group in (2, 3, 4, 5, 6))
    if not (1 <= day <= 31 and hour < 24 and minute < 60 and 1970 <= year < 2100):
        return None
    return float(timegm((year, month, day, hour, minute, min(second, 59), 0, 0, 0)))


def _flags(content: bytes) -> str:
    header_end = content.find(b"\n\n") + 1 or content.find(b"\n\r\n") + 1
    letters = "".join(found[2].decode().upper() for found in _STATUS.finditer(content, 0, header_end))
    return "".join(sorted({_FLAGS[letter] for letter in letters if letter in _FLAGS}))


def record(message: bytes, came_at: float) -> bytes:
    """One message as it stands in an mbox: its From line, LF, mboxrd quoting, the empty line."""
    lines = message.replace(b"\r\n", b"\n")
    if not lines.endswith(b"\n"):
        lines += b"\n"
    header = lines[: lines.find(b"\n\n") + 1]
    path = _RETURN_PATH.search(header)
    sender = b"MAILER-DAEMON" if path is None else path[1]
    if b"From " in lines:
        lines = _TO_QUOTE.sub(rb">\1", lines)
    date = time.strftime("%a %b %d %H:%M:%S %Y", time.gmtime(came_at)).encode()
    return b"From %b %b\n%b\n" % (sender, date, lines)
