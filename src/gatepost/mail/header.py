"""The header of a message: what is read from it and what Gatepost puts on top. Pure.

RFC 5322 §2.2, §3.6; RFC 5321 §4.4 (Received); RFC 6409 §8 (Date and Message-ID added at
submission). Fields are found in the whole block, not line by line. The block may be in wire form: a
dot before a field name is what the next hop takes away, so the name counts without it.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Final

from gatepost.mail.address import Address
from gatepost.mail.date import mail_date
from gatepost.mail.mailboxes import HeaderError, mailboxes

__all__ = [
    "HeaderError",
    "field",
    "from_addresses",
    "header_block",
    "received",
    "received_count",
    "submission_lines",
]

# RFC 5322 §2.2.
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_COLON = re.compile(rb"[ \t]*:")  # RFC 5322 §4.5: white space may stand before it
_UNFOLD = re.compile(r"\r\n(?=[ \t])")
# What HELO may say and be put outside a comment (RFC 5321 §4.4 Extended-Domain).
_SAFE = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")
_COMMENT_OCTETS: Final = 60
# A thousand authors; taking a longer one to pieces would hold up the loop.
_FROM_OCTETS: Final = 32_768
_COMMENT = re.compile(rf"[ !#-'*-\[\]-~]{{1,{_COMMENT_OCTETS}}}")


def header_block(content: bytes) -> bytes:
    """The content up to the empty line behind its header, which is not in it; all of it without one."""
    if content.startswith(b"\r\n"):
        return b""
    end = content.find(b"\r\n\r\n")
    return content if end < 0 else content[: end + 2]


def received_count(header: bytes) -> int:
    """How many Received fields there are: how many servers saw the message (RFC 5321 §6.3)."""
    lower = b"\n" + header.lower()
    return lower.count(b"\nreceived:") + lower.count(b"\n.received:")


def field(header: bytes, name: str) -> tuple[bytes, ...]:
    """The bodies of the fields of this name, from the top, still folded, without white space around."""
    lines = b"\n" + header
    if b"\n." in lines:
        lines = lines.replace(b"\n.", b"\n")
    lower, key = lines.lower(), b"\n" + name.lower().encode()
    bodies, at = [], lower.find(key)
    while at >= 0:
        colon = _COLON.match(lower, at + len(key))
        if colon is not None:
            end = _end_of_field(lower, colon.end())
            bodies.append(lines[colon.end() : end].strip())
        at = lower.find(key, at + len(key))
    return tuple(bodies)


def _end_of_field(lines: bytes, at: int) -> int:
    """Where the line feed stands that ends the field, or the block."""
    end = lines.find(b"\n", at)
    while end >= 0 and lines[end + 1 : end + 2] in (b" ", b"\t"):  # RFC 5322 §2.2.3: folded
        end = lines.find(b"\n", end + 1)
    return end if end >= 0 else len(lines)


def from_addresses(header: bytes) -> tuple[Address, ...]:
    """The addresses in the From field, those of all of them if there are several.

    Raises:
        HeaderError: one of them cannot be read: nobody can say whose it is.
    """
    found: list[Address] = []
    for body in field(header, "From"):
        if len(body) > _FROM_OCTETS:
            raise HeaderError("a From field without end")
        # Names may hold anything; an address with an octet that is no UTF-8 is none.
        text = body.decode("utf-8", "surrogateescape")
        found += mailboxes(_UNFOLD.sub("", text) if "\n" in text else text)
    return tuple(found)


def received(
    *,
    hostname: str,
    helo: str,
    peer: str,
    protocol: str,
    queue_id: str,
    tls: str | None,
    at: datetime,
    for_: Address | None,
) -> bytes:
    """The Received field to put on top (RFC 5321 §4.4), folded, ended by CRLF.

    `helo` is what the peer called itself, whatever it was; `protocol` a word of RFC 3848 such as
    ESMTPSA; `tls` protocol and cipher, None in the clear. `for_` only with a single recipient, or
    blind copies would be told.
    """
    to = f"\r\n\tfor <{for_}>" if for_ is not None else ""
    return (
        f"Received: from {_came_from(helo, peer, tls)}\r\n\tby {hostname} (Gatepost) "
        f"with {protocol} id {queue_id}{to};\r\n\t{mail_date(at)}\r\n"
    ).encode()


@lru_cache(maxsize=1024)  # the same for every message of a session
def _came_from(helo: str, peer: str, tls: str | None) -> str:
    """What stands between `from` and `by`, without the line end before that."""
    literal = f"IPv6:{peer}" if ":" in peer else peer
    name = helo if _SAFE.fullmatch(helo) else f"[{literal}]"
    said = "" if name is helo else f" HELO {_comment(helo)}"
    channel = f"\r\n\t(using {_comment(tls)})" if tls else ""
    return f"{name} ([{literal}]{said}){channel}"


def submission_lines(header: bytes, *, hostname: str, token: str, at: datetime) -> bytes:
    """The fields that a submitted message lacks, to put on top of it: Date and Message-ID.

    `token` is what makes the Message-ID unlike all others. Content that does not begin with a field
    gets an empty line too, so that it becomes the body.
    """
    lines = b""
    if not (b"\nDate:" in header or field(header, "Date")):
        lines += f"Date: {mail_date(at)}\r\n".encode()
    if not (b"\nMessage-ID:" in header or b"\nMessage-Id:" in header or field(header, "Message-ID")):
        lines += f"Message-ID: <{token}@{hostname}>\r\n".encode()
    return lines if not header or _FIELD.match(header) else lines + b"\r\n"


def _comment(text: str) -> str:
    """Words of others, fit for a comment: ASCII, no parentheses, no controls, short."""
    if _COMMENT.fullmatch(text):
        return text
    return "".join(c if _COMMENT.match(c) else "?" for c in text[:_COMMENT_OCTETS]) or "?"
