"""Authentication-Results (RFC 8601): what others say in our name is taken out of a header. Pure.

§5: a field with our own authserv-id that we did not add is a forgery. One whose authserv-id cannot be
read goes too, since somebody else may read it as ours. Content is in wire form: a dot at the start of
a line is what the next reader takes away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_NAME: Final = b"authentication-results"
_HEADER_END: Final = b"\r\n\r\n"
_HELD_BYTES: Final = 64 * 1024
# A line end behind which no white space continues the field (RFC 5322 §2.2.3).
_BORDER: Final = re.compile(rb"\r\n(?!\.?[ \t])")
_BORDER_REACH: Final = 3  # so many octets at the end may yet turn out to be part of a border
_REST: Final = re.compile(rb"[ \t]*:((?:[^\r]++|\r\n\.?[ \t]|\r(?!\n))*+)(?:\r\n|\Z)")
_SPACE: Final = re.compile(rb"[ \t\r\n]+")
_COMMENT_PART: Final = re.compile(rb"(?:[^()\\]|\\.)*", re.DOTALL)
# RFC 2045 §5.1 value, with the UTF-8 that RFC 8601 §2.2 allows.
_VALUE: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"|([^\x00-\x20\x7f()<>@,;:\\"/\[\]?=]+)', re.DOTALL)


def forged(body: bytes, own: str) -> bool:
    """Whether a field with this body speaks in the name of `own`, our A-label host name."""
    body = body.replace(b"\r\n.", b"\r\n")
    value = _VALUE.match(body, _behind_comments(body))
    if value is None:
        return True
    text = re.sub(rb"\\(.)", rb"\1", value[1]) if value[1] is not None else value[2]
    return _domain(text) in ("", own)


def _behind_comments(body: bytes) -> int:
    """Where white space and comments end (RFC 5322 §3.2.2 CFWS); the length when they don't."""
    at = depth = 0
    while at < len(body):
        if not depth and (space := _SPACE.match(body, at)) is not None:
            at = space.end()
        elif depth and (part := _COMMENT_PART.match(body, at)) is not None and part.end() > at:
            at = part.end()
        elif body[at : at + 1] == b"(":
            at, depth = at + 1, depth + 1
        elif depth and body[at : at + 1] == b")":
            at, depth = at + 1, depth - 1
        else:
            return at if not depth else len(body)
    return at


def _domain(value: bytes) -> str:
    """The id as a domain in lower case A-labels, as far as it is one."""
    text = value.decode("utf-8", "replace").strip().rstrip(".")
    # Some put a job's number or a version behind the host name.
    text = text.partition("/")[0].partition(" ")[0]
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            return text.lower()
    return text.lower()


def may_be_forged(header: bytes) -> bool:
    """Whether the name stands in the header at all: most have nothing more to be looked at."""
    return _NAME in header.lower()


def unforged(header: bytes, own: str) -> bytes:
    """The fields of a header without the forged ones; the same object when there is none."""
    lower = header.lower()
    kept, done_up_to, at = [], 0, lower.find(_NAME)
    while at >= 0:
        start = at - 1 if header[at - 1 : at] == b"." else at  # stuffed
        behind = at + len(_NAME)
        if start == 0 or header[start - 1 : start] == b"\n":
            rest = _REST.match(header, behind)
            if rest is not None:
                behind = rest.end()
                if forged(rest[1], own):
                    kept.append(header[done_up_to:start])
                    done_up_to = behind
        at = lower.find(_NAME, behind)
    return b"".join([*kept, header[done_up_to:]]) if done_up_to else header


def without(header: bytes, names: Iterable[str]) -> bytes:
    """The fields of a header without those of these names."""
    lower = header.lower()
    for name in names:
        key = name.lower().encode()
        if key in lower:
            header = re.sub(
                rb"(?:\A|(?<=\n))\.?%b[ \t]*:(?:[^\r]++|\r\n\.?[ \t]|\r(?!\n))*+(?:\r\n|\Z)" % re.escape(key),
                b"",
                header,
                flags=re.IGNORECASE,
            )
    return header


class Sieve:
    """Passes content on without the forged fields of its header, wherever it is cut.

    Holds back the header, of a long one 64 KiB at a time. `done` once the header has ended: then content
    need not be fed any more.
    """

    __slots__ = ("_dropping", "_held", "_inside", "_own", "done")

    def __init__(self, own: str) -> None:
        self._own = own
        self._held = b""
        self._inside = False  # a field so long that it is dealt with as it comes
        self._dropping = False
        self.done = False

    def feed(self, data: bytes) -> bytes:
        """What may be passed on now."""
        searched = max(len(self._held) - 3, 0)
        held = self._held + data if self._held else data
        passed = b""
        if self._inside:
            passed, held = self._through_field(held)
            searched = 0
            if self._inside:
                self._held = held
                return passed
        if held.startswith(b"\r\n"):  # no header, or no more of it
            return self._end(passed, held)
        end = held.find(_HEADER_END, searched)
        if end >= 0:
            fields = unforged(held[: end + 2], self._own)
            return self._end(passed, held if len(fields) == end + 2 else fields + held[end + 2 :])
        self._held = held
        return passed + self._release() if len(held) > _HELD_BYTES else passed

    def finish(self) -> bytes:
        """The content has ended: what was held back."""
        held, self._held = self._held, b""
        if self._inside:
            return b"" if self._dropping else held
        return unforged(held, self._own)

    def _end(self, passed: bytes, rest: bytes) -> bytes:
        self.done = True
        self._held = b""
        return passed + rest if passed else rest

    def _release(self) -> bytes:
        """The fields that have come whole; the last one stays, or is dealt with as it comes."""
        held = self._held
        border = max(
            (end for found in _BORDER.finditer(held) if (end := found.end()) + 2 <= len(held)), default=0
        )
        if border:
            self._held = held[border:]
            passed = unforged(held[:border], self._own)
            return passed + self._release() if len(self._held) > _HELD_BYTES else passed
        self._inside = True
        self._dropping = not unforged(held[:-_BORDER_REACH], self._own)
        passed, self._held = self._through_field(held)
        return passed

    def _through_field(self, held: bytes) -> tuple[bytes, bytes]:
        """What is passed on of the field one is inside of, and what is not looked at yet."""
        border = _BORDER.search(held)
        stop = max(len(held) - _BORDER_REACH, 0)
        if border is not None and border.end() + 2 <= len(held):
            self._inside = False
            stop = border.end()
        return b"" if self._dropping else held[:stop], held[stop:]
