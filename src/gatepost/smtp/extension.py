"""What a server offers in its reply to EHLO (RFC 5321 §4.1.1.1), formatted and read. Pure.

PIPELINING (RFC 2920), SIZE (1870), 8BITMIME (6152), SMTPUTF8 (6531), CHUNKING (3030), DSN (3461),
ENHANCEDSTATUSCODES (2034), STARTTLS (3207), AUTH (4954), LIMITS (9422), REQUIRETLS (8689).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gatepost.smtp.reply import Reply


@dataclass(frozen=True, slots=True)
class TransactionLimits:
    """LIMITS of RFC 9422; None: not said."""

    mail_max: int | None = None
    rcpt_max: int | None = None
    rcpt_domain_max: int | None = None


@dataclass(frozen=True, slots=True)
class Extensions:
    """The extensions of one server, at this moment of the session.

    `size_bytes` is None when SIZE is not offered and 0 when it names no limit (RFC 1870 §4). `auth`
    are mechanism names in upper case, in the server's order.
    """

    pipelining: bool = False
    size_bytes: int | None = None
    eight_bit_mime: bool = False
    smtputf8: bool = False
    chunking: bool = False
    dsn: bool = False
    enhanced_status_codes: bool = False
    starttls: bool = False
    auth: tuple[str, ...] = ()
    limits: TransactionLimits | None = None
    require_tls: bool = False


_FLAGS = {
    "PIPELINING": "pipelining",
    "8BITMIME": "eight_bit_mime",
    "SMTPUTF8": "smtputf8",
    "CHUNKING": "chunking",
    "DSN": "dsn",
    "ENHANCEDSTATUSCODES": "enhanced_status_codes",
    "STARTTLS": "starttls",
    "REQUIRETLS": "require_tls",
}
_LIMITS = {"MAILMAX": "mail_max", "RCPTMAX": "rcpt_max", "RCPTDOMAINMAX": "rcpt_domain_max"}


def ehlo_reply(hostname: str, extensions: Extensions) -> Reply:
    """The 250 to EHLO: the host name, then one line for each extension offered."""
    return Reply(250, None, (hostname, *_keywords(extensions)))


def _keywords(extensions: Extensions) -> list[str]:
    words = [word for word, name in _FLAGS.items() if getattr(extensions, name)]
    if extensions.size_bytes is not None:
        words.append(f"SIZE {extensions.size_bytes}" if extensions.size_bytes else "SIZE")
    if extensions.auth:
        words.append("AUTH " + " ".join(extensions.auth))
    if extensions.limits is not None:
        limits = extensions.limits
        named = ((word, getattr(limits, name)) for word, name in _LIMITS.items())
        words.append(" ".join(["LIMITS", *(f"{word}={limit}" for word, limit in named if limit is not None)]))
    return words


def parse_extensions(reply: Reply) -> Extensions:
    """What this reply to EHLO offers. Unknown keywords and unreadable values are passed over."""
    offered = Extensions()
    for line in reply.lines[1:]:
        offered = _with(offered, line)
    return offered


def _with(offered: Extensions, line: str) -> Extensions:
    # `AUTH=LOGIN` was Microsoft's spelling before RFC 2554, and old servers still say it.
    words = line.upper().replace("AUTH=", "AUTH ", 1).split()
    if not words:
        return offered
    keyword, values = words[0], words[1:]
    if keyword in _FLAGS:
        flag: dict[str, Any] = {_FLAGS[keyword]: True}
        return replace(offered, **flag)
    if keyword == "SIZE":
        return replace(offered, size_bytes=_number(values[0]) if values else 0)
    if keyword == "AUTH":
        return replace(offered, auth=tuple(dict.fromkeys((*offered.auth, *values))))
    if keyword == "LIMITS":
        return replace(offered, limits=_limits(values))
    return offered


def _limits(values: list[str]) -> TransactionLimits:
    limits = TransactionLimits()
    for value in values:
        word, _, number = value.partition("=")
        # RFC 9422 §4: 1 to 6 digits, not beginning with 0; what cannot be read does not count.
        if word in _LIMITS and number.isdecimal() and number.isascii() and 0 < len(number) <= 6:
            limits = replace(limits, **{_LIMITS[word]: int(number)})
    return limits


def _number(text: str) -> int:
    # RFC 1870 §4: up to 20 digits; 0 is "no limit known".
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 20 else 0
