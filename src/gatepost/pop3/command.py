"""One command line becomes an event (RFC 1939 §3, RFC 2449 §4, RFC 5034 §4). Pure.

command = verb *(SP argument)    ; verb of 3 or 4 letters, case does not matter
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable
from typing import Final

from gatepost.pop3 import event
from gatepost.pop3.state import Verb
from gatepost.secret import Secret

_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")
_MECHANISM: Final = re.compile(rb"[A-Za-z0-9_-]{1,20}")  # RFC 4422 §3.1
_TAG: Final = re.compile(rb"\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")  # RFC 5646 §2.1, loosely


class CommandError(Exception):
    """The line is no command; its text is what the client is told."""


def parse(line: bytes) -> tuple[Verb, Callable[[], event.Request]]:
    """The verb, and what reads its argument. The verb comes first so that order is judged before syntax.

    `line` comes without its line end.

    Raises:
        CommandError: no such command.
    """
    word, _space, argument = line.partition(b" ")
    row = _READERS.get(word.upper())
    if row is None:
        raise CommandError("no such command")
    verb, reader = row
    return verb, lambda: reader(argument)


def response(line: bytes) -> bytes:
    """The decoded step of a SASL exchange.

    Raises:
        CommandError: not base64 (RFC 4648 §4, strict).
    """
    try:
        return a2b_base64(line, strict_mode=True)
    except Base64Error:
        raise CommandError("that is not base64") from None


def _text(argument: bytes, what: str) -> str:
    if not argument:
        raise CommandError(f"a {what} is needed")
    if _CONTROL.search(argument):
        raise CommandError(f"control characters in the {what}")
    try:
        return argument.decode()
    except UnicodeDecodeError:
        raise CommandError(f"the {what} is not UTF-8") from None


def _number(argument: bytes) -> int:
    if argument.isdigit():
        return int(argument)
    if argument[:1] == b"-" and argument[1:].isdigit():
        raise CommandError("message numbers start at 1")
    raise CommandError("a message number is needed" if not argument else "that is not a message number")


def _user(argument: bytes) -> event.Request:
    return event.User(_text(argument.strip(b" "), "name"))


def _pass(argument: bytes) -> event.Request:
    # RFC 1939 §7: all behind the one space is the password, spaces too.
    return event.Pass("", Secret(_text(argument, "password")))


def _auth(argument: bytes) -> event.Request:
    mechanism, space, initial = argument.strip(b" ").partition(b" ")
    if not mechanism:
        return event.AuthMechanisms()
    if _MECHANISM.fullmatch(mechanism) is None:
        raise CommandError("that is not the name of a mechanism")
    if not space:
        return event.Auth(mechanism.upper().decode(), None)
    # RFC 5034 §4: "=" is a response of no length.
    return event.Auth(mechanism.upper().decode(), b"" if initial == b"=" else response(initial))


def _lang(argument: bytes) -> event.Request:
    tag = argument.strip(b" ")
    if not tag:
        return event.Lang(None)
    if _TAG.fullmatch(tag) is None:
        raise CommandError("that is not a language tag")
    return event.Lang(tag.decode())


def _top(argument: bytes) -> event.Request:
    words = argument.split()
    if len(words) != 2:
        raise CommandError("a message number and a number of lines are needed")
    number, lines = words
    if not lines.isdigit():
        raise CommandError("that is not a number of lines")
    return event.Top(_number(number), int(lines))


def _alone(make: Callable[[], event.Request]) -> Callable[[bytes], event.Request]:
    def read(argument: bytes) -> event.Request:
        if argument.strip(b" "):
            raise CommandError("that command takes no argument")
        return make()

    return read


def _of_number(make: Callable[[int], event.Request]) -> Callable[[bytes], event.Request]:
    return lambda argument: make(_number(argument.strip(b" ")))


def _of_number_or_all(make: Callable[[int | None], event.Request]) -> Callable[[bytes], event.Request]:
    def read(argument: bytes) -> event.Request:
        digits = argument.strip(b" ")
        return make(_number(digits) if digits else None)

    return read


_READERS: Final[dict[bytes, tuple[Verb, Callable[[bytes], event.Request]]]] = {
    b"CAPA": (Verb.CAPA, _alone(event.Capa)),
    b"USER": (Verb.USER, _user),
    b"PASS": (Verb.PASS, _pass),
    b"AUTH": (Verb.AUTH, _auth),
    b"STLS": (Verb.STLS, _alone(event.Stls)),
    b"LANG": (Verb.LANG, _lang),
    b"UTF8": (Verb.UTF8, _alone(event.Utf8)),
    b"STAT": (Verb.STAT, _alone(event.Stat)),
    b"LIST": (Verb.LIST, _of_number_or_all(event.List)),
    b"UIDL": (Verb.UIDL, _of_number_or_all(event.Uidl)),
    b"RETR": (Verb.RETR, _of_number(event.Retr)),
    b"TOP": (Verb.TOP, _top),
    b"DELE": (Verb.DELE, _of_number(event.Dele)),
    b"RSET": (Verb.RSET, _alone(event.Rset)),
    b"NOOP": (Verb.NOOP, _alone(event.Noop)),
    b"QUIT": (Verb.QUIT, _alone(lambda: event.Quit(update=False))),
}
