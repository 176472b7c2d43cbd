"""The Subject as people read it (RFC 5322 §3.6.5, RFC 2047), for records. Pure.

Whatever stands there gives one short line of text: what cannot be decoded is shown as it is.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, a2b_qp
from typing import Final

from gatepost.mail.header import field

_SHOWN_CHARACTERS: Final = 200
_READ_BYTES: Final = 2_000
_WORD: Final = re.compile(r"=\?([!->@-~]{1,40})\?([BbQq])\?([!->@-~]*)\?=")
# RFC 2047 §6.2: white space between two encoded words is not shown.
_BETWEEN: Final = re.compile(r"(\?=)\s+(?==\?[!->@-~]{1,40}\?[BbQq]\?)")


def subject(header: bytes) -> str | None:
    """The subject decoded, on one line, of 200 characters at most; None when there is none."""
    bodies = field(header, "Subject")
    if not bodies:
        return None
    raw = bodies[0][:_READ_BYTES]
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    text = _WORD.sub(_decoded, _BETWEEN.sub(r"\1", text))
    shown = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(shown.split())[:_SHOWN_CHARACTERS]


def _decoded(word: re.Match[str]) -> str:
    charset, encoding, text = word.groups()
    try:
        padded = text + "=" * (-len(text) % 4)
        octets = a2b_base64(padded) if encoding in "Bb" else a2b_qp(text, header=True)
        # RFC 2231 §5: a language may stand behind the charset
        return octets.decode(charset.partition("*")[0], "replace")
    except (Base64Error, LookupError, ValueError):
        return word[0]
