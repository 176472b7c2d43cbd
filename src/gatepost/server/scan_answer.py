"""What rspamd says of a message, and what is done about it. Decides only; waits for nothing.

The protocol is rspamd's `/checkv2`: JSON with an `action`, and in `milter` the header fields it wants
added and removed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.header import Header
from enum import Enum
from math import isfinite
from typing import Any, Final

from gatepost.config.schema import OnGreylist, OnReject, OnSuspicion, Scan
from gatepost.policy.reasons import Reason

MARKS: Final = ("X-Spam-Flag", "X-Spam-Status")
"""The fields by which we mark. Those of others are taken out of what is scanned."""

_NAME: Final = re.compile(r"[!-9;-~]{1,70}")
_LINE_END: Final = re.compile(r"[ \t]*\r?\n[ \t]*")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_LINE_OCTETS: Final = 900  # RFC 5322 §2.1.1 has 998 with the name
_FIELDS: Final = 200


class Unintelligible(Exception):
    """It is no answer of rspamd's; the text says why, for the log."""


class Action(Enum):
    """What rspamd would do."""

    NONE = "no action"
    GREYLIST = "greylist"
    SOFT_REJECT = "soft reject"
    ADD_HEADER = "add header"
    REWRITE_SUBJECT = "rewrite subject"
    QUARANTINE = "quarantine"
    REJECT = "reject"
    DISCARD = "discard"


@dataclass(frozen=True, slots=True)
class Answer:
    """An opinion. `fields` are header lines to put on top, `removed` names of fields to take out."""

    action: Action
    score: float
    required: float
    fields: bytes = b""
    removed: tuple[str, ...] = ()
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done: refused for `reason`, or taken with `top` on it and without the fields in `removed`."""

    reason: Reason | None = None
    top: bytes = b""
    removed: tuple[str, ...] = ()


def read_answer(body: bytes) -> Answer:
    """Raises: Unintelligible."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Unintelligible("no JSON") from None
    if not isinstance(said, dict):
        raise Unintelligible("no JSON object")
    try:
        action = Action(said.get("action"))
    except ValueError:
        raise Unintelligible(f"action {str(said.get('action'))[:40]!r}") from None
    milter = said.get("milter")
    wanted = milter if isinstance(milter, dict) else {}
    subject = said.get("subject")
    return Answer(
        action,
        _number(said.get("score")),
        _number(said.get("required_score")),
        b"".join(_lines(_mapping(wanted.get("add_headers")))),
        tuple(
            name
            for name, which in _mapping(wanted.get("remove_headers")).items()
            if which == 0 and _NAME.fullmatch(name)  # 0: all of them; a single one is never asked for
        ),
        subject if isinstance(subject, str) else None,
    )


def treatment(answer: Answer, rules: Scan) -> Treatment:
    """What the settings say about such an answer."""
    action = answer.action
    marked = _with_marks(answer)
    taken = Treatment(None, answer.fields, (*answer.removed, *MARKS))
    match action:
        case Action.REJECT | Action.DISCARD if rules.on_reject is OnReject.REFUSE:
            return Treatment(Reason.SCAN_REJECTED)  # nothing is discarded behind the sender's back
        case Action.REJECT | Action.DISCARD if rules.on_reject is OnReject.MARK:
            return marked
        case Action.GREYLIST | Action.SOFT_REJECT if rules.on_greylist is OnGreylist.DEFER:
            return Treatment(Reason.SCAN_DEFERRED)
        case Action.ADD_HEADER | Action.REWRITE_SUBJECT | Action.QUARANTINE:
            return marked if rules.on_add_header is OnSuspicion.MARK else taken
        case _:
            return taken


def _with_marks(answer: Answer) -> Treatment:
    top = f"X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score={answer.score:.2f}\r\n".encode()
    removed = (*answer.removed, *MARKS)
    if answer.action is Action.REWRITE_SUBJECT and answer.subject is not None:
        top += b"".join(_lines({"Subject": _encoded(answer.subject)}))
        removed = (*removed, "Subject")
    return Treatment(None, answer.fields + top, removed)


def _encoded(subject: str) -> str:
    """RFC 2047 where it is not ASCII."""
    if subject.isascii():
        return subject
    return Header(subject.encode("utf-8", "replace").decode(), "utf-8", header_name="Subject").encode()


def _number(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and isfinite(value) else 0.0  # type: ignore[arg-type]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _lines(fields: Mapping[str, Any]) -> Iterator[bytes]:
    """Header lines that stand, whatever was in the answer."""
    count = 0
    for name, given in fields.items():
        if not _NAME.fullmatch(name) or name.startswith(".") or name.lower() in _OURS:
            continue
        for one in given if isinstance(given, list) else [given]:
            value = one.get("value") if isinstance(one, dict) else one
            if isinstance(value, str | int | float) and count < _FIELDS:
                count += 1
                yield _field(name, str(value))


def _field(name: str, value: str) -> bytes:
    folded = [_CONTROL.sub("", line) for line in _LINE_END.split(value.strip())]
    lines = [part for line in folded if line.strip() for part in _cut(line)]
    text = "\r\n\t".join(lines)
    return f"{name}: {text}\r\n".encode("utf-8", "replace")


def _cut(line: str) -> Iterator[str]:
    """The line in pieces that fit a header line."""
    step = _LINE_OCTETS if line.isascii() else _LINE_OCTETS // 4
    for start in range(0, len(line), step):
        yield line[start : start + step]


# An answer may not speak for the transport.
_OURS: Final = frozenset({"received", "return-path", "delivered-to"})
