"""Names of files in a Maildir, and the unique identifiers that POP3 shows for them (RFC 1939 §7).

A name is `KEY[,S=SIZE][,W=VSIZE][:2,FLAGS]`. Flags change as people read, and Dovecot may take sizes out of
a name; the key stays for ever, so the identifier is made of it alone. No state is kept for identifiers:
whatever is lost, they come back the same.
"""

from __future__ import annotations

import os
import re
from hashlib import blake2b
from typing import Final

# RFC 1939 §7: one to 70 characters in the range 0x21 to 0x7E.
_SHOWABLE: Final = re.compile(rb"[\x21-\x7e]{1,70}")
_MARK: Final = re.compile(rb"\d+\.M\d+P\d+R([A-Za-z0-9]+)\.")
_HOST_LIMIT: Final = 32


def key(name: bytes) -> bytes:
    """What never changes in the name of a message's file."""
    return name.partition(b":")[0].partition(b",S=")[0].partition(b",W=")[0]


def uidl(of_key: bytes) -> str:
    """The identifier shown for a key: itself where RFC 1939 allows it, else a digest of it."""
    if _SHOWABLE.fullmatch(of_key) is not None:
        return of_key.decode("ascii")
    return "h" + blake2b(of_key, digest_size=20).hexdigest()


def virtual_size(name: bytes) -> int | None:
    """The size with CRLF that the name tells, None when it tells none."""
    _before, there, rest = name.rpartition(b",W=")
    digits = rest.partition(b":")[0].partition(b",")[0]
    return int(digits) if there and digits.isdigit() and len(digits) < 16 else None


def flags(name: bytes) -> str:
    """The letters behind `:2,`, empty when there are none."""
    return name.partition(b":2,")[2].decode("ascii", "replace")


def mark(of_key: bytes) -> bytes | None:
    """The mark with which a key was made, None when it was made without."""
    found = _MARK.match(of_key)
    return None if found is None else found[1]


class UniqueNames:
    """Makes keys that no other process, and no other moment, makes: `TIME.MxxxPxxxQxxx.HOST`.

    They sort in the order they were made.
    """

    __slots__ = ("_count", "_host", "_last_us")

    def __init__(self, hostname: str, entropy: bytes | None = None) -> None:
        safe = re.sub(r"[^A-Za-z0-9.-]", "_", hostname) or "localhost"
        self._host = safe[:_HOST_LIMIT]
        # A process that got the number of a dead one starts its count elsewhere.
        self._count = int.from_bytes(os.urandom(4) if entropy is None else entropy)
        self._last_us = 0

    def make(self, now: float, mark: str = "") -> bytes:
        """The next key. `mark` (at most 34 letters and digits) takes the counter's place: `mark` reads it."""
        self._last_us = max(self._last_us + 1, int(now * 1_000_000))
        self._count += 1
        seconds, micros = divmod(self._last_us, 1_000_000)
        end = f"R{mark}" if mark else f"Q{self._count:x}"
        return f"{seconds:010d}.M{micros:06d}P{os.getpid()}{end}.{self._host}"[:70].encode()
