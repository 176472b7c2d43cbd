"""MAIL and RCPT read: paths and their parameters (RFC 5321 §4.1.1.2, §4.1.1.3, §4.1.2). Pure.

Parameters: SIZE (RFC 1870), BODY (6152), SMTPUTF8 (6531), RET, ENVID, NOTIFY, ORCPT (3461), AUTH
(4954 §5), REQUIRETLS (8689).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from gatepost.mail.address import Address, AddressError, parse_address
from gatepost.mail.envelope import Body
from gatepost.smtp.command import Mail, Rcpt
from gatepost.smtp.error import CommandError
from gatepost.smtp.reply import Reply

_MAIL_SYNTAX: Final = Reply(501, "5.5.4", ("Syntax: MAIL FROM:<address>",))
_RCPT_SYNTAX: Final = Reply(501, "5.5.4", ("Syntax: RCPT TO:<address>",))
_BAD_VALUE: Final = Reply(501, "5.5.4", ("A parameter has a value that cannot be, or comes twice",))
_UNKNOWN: Final = Reply(555, "5.5.4", ("Parameter not recognized or not implemented",))


class _Side(NamedTuple):
    """What is said about an address that cannot be: the sender's or a recipient's (RFC 3463 §3.2)."""

    brackets: Reply
    address: Reply


_SENDER: Final = _Side(
    Reply(501, "5.1.7", ("The address stands in angle brackets: MAIL FROM:<address>",)),
    Reply(553, "5.1.7", ("Sender address is not valid",)),
)
_RECIPIENT: Final = _Side(
    Reply(501, "5.1.3", ("The address stands in angle brackets: RCPT TO:<address>",)),
    Reply(553, "5.1.3", ("Recipient address is not valid",)),
)

# A quoted local part may hold a `>` (RFC 5321 §4.1.2 Quoted-string).
_PATH = re.compile(r'<((?:[^">\\]|\\.|"(?:[^"\\]|\\.)*")*)>(.*)')
# A-d-l of RFC 5321 §4.1.2, with its colon: accepted and ignored (§3.6.1, Appendix C).
_ROUTE = re.compile(r"@(?:\[[^]]*\]|[^][@,:<>\s]+)(?:,@(?:\[[^]]*\]|[^][@,:<>\s]+))*:")
# RFC 3461 §4; RFC 6533 §3 lets UTF-8 into the address of ORCPT.
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_ORCPT = re.compile(r"[A-Za-z0-9-]{1,60};(?:[!-*,-<>-~\x80-\U0010ffff]|\+[0-9A-F]{2})+")
_NOTIFY = re.compile(r"NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY)){0,2}")
_BODIES: Final = {"8BITMIME": Body.EIGHT_BIT, "7BIT": Body.SEVEN_BIT}


# Senders and recipients come again and again; an Address never changes.
_remembered = lru_cache(maxsize=1024)(parse_address)

# Nearly every MAIL and RCPT there is.
_COMMON_MAIL = re.compile(
    r'MAIL FROM:<([^<>"@ ][^<>" ]*)?>(?: SIZE=([0-9]{1,20}))?(?: BODY=(8BITMIME|7BIT))?', re.IGNORECASE
)
_COMMON_RCPT = re.compile(r'RCPT TO:<([^<>"@ ][^<>" ]*)>', re.IGNORECASE)


def parse_mail(line: str) -> Mail:
    """The MAIL of this line.

    Raises:
        CommandError: 501, 553 or 555 as the fault is.
    """
    found = _COMMON_MAIL.fullmatch(line)
    if found is None:
        return _uncommon_mail(line)
    path, size, body = found.groups()
    return Mail(
        None if path is None else _mailbox(path, _SENDER),
        None if size is None else int(size),
        None if body is None else _BODIES[body.upper()],
    )


def parse_rcpt(line: str) -> Rcpt:
    """The RCPT of this line. The bare `<postmaster>` has no domain (RFC 5321 §4.1.1.3).

    Raises:
        CommandError: 501, 553 or 555 as the fault is.
    """
    found = _COMMON_RCPT.fullmatch(line)
    return _uncommon_rcpt(line) if found is None else Rcpt(_mailbox(found[1], _RECIPIENT))


def _uncommon_mail(line: str) -> Mail:
    if line[4:10].upper() != " FROM:":
        raise CommandError(_MAIL_SYNTAX)
    path, words = _split(line[10:], _SENDER, _MAIL_SYNTAX)
    return _mail(_mailbox(path, _SENDER) if path else None, words)


def _uncommon_rcpt(line: str) -> Rcpt:
    if line[4:8].upper() != " TO:":
        raise CommandError(_RCPT_SYNTAX)
    path, words = _split(line[8:], _RECIPIENT, _RCPT_SYNTAX)
    return _rcpt(_mailbox(path, _RECIPIENT), words)


def _split(argument: str, side: _Side, syntax: Reply) -> tuple[str, list[str]]:
    """The path without its brackets, and the parameters."""
    # Not in the standard, but devices put a space behind the colon.
    found = _PATH.match(argument.lstrip(" "))
    if found is None:
        raise CommandError(side.brackets)
    if found[2] and found[2][0] != " ":
        raise CommandError(syntax)
    return found[1], [word for word in found[2].split(" ") if word]


def _mailbox(text: str, side: _Side) -> Address:
    if text[:1] == "@" and (route := _ROUTE.match(text)) is not None:
        text = text[route.end() :]
    try:
        return _remembered(text)
    except AddressError:
        if side is _RECIPIENT and text.lower() == "postmaster":
            return Address(text, "")
        raise CommandError(side.address) from None


def _mail(sender: Address | None, words: list[str]) -> Mail:
    size, body, ret, envid, auth = None, None, None, None, None
    smtputf8 = require_tls = False
    for word in words:
        keyword, equals, value = word.partition("=")
        match keyword.upper():
            case "SIZE" if size is None:
                size = _size(value)
            case "BODY" if body is None:
                body = _body(value)
            case "SMTPUTF8" if not (smtputf8 or equals):
                smtputf8 = True
            case "REQUIRETLS" if not (require_tls or equals):
                require_tls = True
            case "RET" if ret is None:
                ret = _one_of(value.upper(), ("FULL", "HDRS"))
            case "ENVID" if envid is None:
                envid = _matching(value, _XTEXT, 100)  # RFC 3461 §4.4
            case "AUTH" if auth is None:
                auth = _matching(value, _XTEXT, 500)  # `<>` is xtext too
            case known:
                raise CommandError(_BAD_VALUE if known in _MAIL_KEYWORDS else _UNKNOWN)
    return Mail(sender, size, body, smtputf8, ret, envid, auth, require_tls)


_MAIL_KEYWORDS: Final = frozenset(("SIZE", "BODY", "SMTPUTF8", "REQUIRETLS", "RET", "ENVID", "AUTH"))


def _rcpt(address: Address, words: list[str]) -> Rcpt:
    notify, orcpt = None, None
    for word in words:
        keyword, _, value = word.partition("=")
        match keyword.upper():
            case "NOTIFY" if notify is None:
                notify = _matching(value.upper(), _NOTIFY, 28)  # RFC 3461 §4.1
            case "ORCPT" if orcpt is None:
                orcpt = _matching(value, _ORCPT, 500)  # RFC 3461 §4.2
            case "NOTIFY" | "ORCPT":
                raise CommandError(_BAD_VALUE)
            case _:
                raise CommandError(_UNKNOWN)
    return Rcpt(address, notify, orcpt)


def _size(value: str) -> int:
    # RFC 1870 §4: 1*20DIGIT.
    if not (value.isascii() and value.isdecimal() and len(value) <= 20):
        raise CommandError(_BAD_VALUE)
    return int(value)


def _body(value: str) -> Body:
    body = _BODIES.get(value.upper())
    if body is None:
        # BINARYMIME among them: it is not offered.
        raise CommandError(_UNKNOWN)
    return body


def _one_of(value: str, values: tuple[str, ...]) -> str:
    if value not in values:
        raise CommandError(_BAD_VALUE)
    return value


def _matching(value: str, pattern: re.Pattern[str], limit: int) -> str:
    if not value or len(value) > limit or pattern.fullmatch(value) is None:
        raise CommandError(_BAD_VALUE)
    return value
