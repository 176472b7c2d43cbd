"""Addresses in a header field (RFC 5322 §3.4, obsolete forms of §4.4 included). Pure.

It is asked whose a message says it is, so it is strict: what two programs may read in two ways is
an error and not a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from gatepost.mail.address import Address, AddressError, parse_address

# §3.2.4 quoted-string, white space, and the specials that have a meaning here; else an atom.
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|\[[^\[\]\\]*\]|[ \t\r\n]+|[<>,:;@()"\[\]\\]|[^ \t\r\n<>,:;@()"\[\]\\]+'
)
# How nearly every From field looks.
_COMMON = re.compile(
    r"""(?:"[^"\\\r\n]*"[ \t]*|[A-Za-z0-9!#$%&'*+/=?^_`{|}~. \t\x80-\U0010ffff-]*+)"""
    r"""<([^<>@ \t"]+@[^<>@ \t"\[]+)>"""
)
_ROUTE = re.compile(r"@[^:<>]*:")
_COMMENT_DEPTH = 20


class HeaderError(ValueError):
    """A header field that cannot be read in one way only."""


def mailboxes(text: str) -> tuple[Address, ...]:
    """The addresses of an unfolded address list, those in groups too; names and comments are left out.

    Raises:
        HeaderError: one of them cannot be read.
    """
    common = _COMMON.fullmatch(text)
    if common is not None:
        return (_parsed(common[1]),)
    return tuple(_address(words) for words in _mailboxes(text) if words)


def _mailboxes(text: str) -> Iterator[list[str]]:
    """The words of each mailbox: without comments and group names."""
    words: list[str] = []
    angle = group = False
    for word in _words(text):
        if word in ("<", ">"):
            if angle is (word == "<"):
                raise HeaderError("angle brackets that do not match")
            angle = not angle
        elif word in (",", ";") and not angle:
            yield words
            words, group = [], group and word == ","
            continue
        elif word == ":" and not angle:
            if group or "@" in words:
                raise HeaderError("a group that is none")
            words, group = [], True  # §3.4: what came before was its name
            continue
        words.append(word)
    if angle:
        raise HeaderError("angle brackets that do not match")
    yield words


def _words(text: str) -> Iterator[str]:
    """The tokens outside comments; white space is dropped."""
    depth = at = 0
    while at < len(text):
        if depth and text[at] == "\\":
            at += 2
            continue
        if depth and text[at] not in "()":
            at += 1
            continue
        token = _TOKEN.match(text, at)
        if token is None:
            raise HeaderError("a control character")
        at = token.end()
        word = token.group()
        if word in ("(", ")"):
            depth += 1 if word == "(" else -1
            if not 0 <= depth <= _COMMENT_DEPTH:
                raise HeaderError("parentheses that do not match")
        elif word in ('"', "[", "]", "\\"):
            raise HeaderError("a quoted string or literal that does not end")
        elif not word.isspace():
            yield word
    if depth:
        raise HeaderError("parentheses that do not match")


def _address(words: list[str]) -> Address:
    if "<" in words:
        start = words.index("<")
        if words[-1] != ">" or words.count("<") > 1 or "@" in words[:start]:
            raise HeaderError("more than an address in a mailbox")
        words = words[start + 1 : -1]
    if any(_apart(left, right) for left, right in pairwise(words)):
        raise HeaderError("words where an address should be")
    text = "".join(words)
    route = _ROUTE.match(text)
    return _parsed(text[route.end() :] if route else text)


def _apart(left: str, right: str) -> bool:
    """Nothing joins the two words: `a b@c` is no address, `a . b@c` is (§4.4)."""
    return not (left[-1] in "@.,:" or right[0] in "@.,:")


def _parsed(text: str) -> Address:
    try:
        return parse_address(text)
    except AddressError as error:
        raise HeaderError(str(error)) from None
