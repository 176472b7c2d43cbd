"""Reports about delivery: bounce, warning of a delay, success (RFC 3464, RFC 3461 §5, §6). Pure.

A report goes to the envelope sender, with the null sender (RFC 5321 §4.5.5): `bounce`,
`delay_warning` and `success` give its content in plain form, lines ended by CRLF. About a message that needed
SMTPUTF8 it is written as RFC 6533 has it and needs SMTPUTF8 itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gatepost.mail.date import mail_date
from gatepost.mail.envelope import Envelope, Recipient
from gatepost.mail.header import field, header_block
from gatepost.mail.outcome import Disposition, Outcome

_FOLD: Final = 76
_TEXT_CHARACTERS: Final = 500
_PLUS = re.compile(r"\+([0-9A-F]{2})")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


@dataclass(frozen=True, slots=True)
class Subject:
    """The message that is reported on, and who reports when.

    `original` is its content in plain form; its header is enough unless `ret` says FULL. `arrival`
    and `now` are aware. `token` is random: Message-ID and MIME boundary are made of it.
    """

    envelope: Envelope
    queue_id: str
    hostname: str
    original: bytes
    arrival: datetime
    now: datetime
    token: str


def bounce(subject: Subject, outcomes: Sequence[Outcome]) -> bytes:
    """The report that these recipients will not get the message.

    The whole message is returned when RET=FULL asked for it and it is there, else its header.

    Raises:
        ValueError: the message has the null sender: nobody is owed a report (RFC 5321 §6.1).
    """
    words = (
        f"This is the mail gate at {subject.hostname}.\n\n"
        "Your message could not be delivered to the recipients below, and will not be tried again."
    )
    return _report(subject, outcomes, _FAILED, words, until=None)


def delay_warning(subject: Subject, outcomes: Sequence[Outcome], *, until: datetime) -> bytes:
    """The report that these recipients have not got the message yet; it is tried `until` then.

    Only the header is returned (RFC 3461 §6.2).

    Raises:
        ValueError: the message has the null sender.
    """
    words = (
        f"This is the mail gate at {subject.hostname}.\n\n"
        "Your message could not be delivered to the recipients below yet.\n"
        f"It will be tried again until {mail_date(until)}.\n"
        "This is a warning only: you do not need to send the message again."
    )
    return _report(subject, outcomes, _DELAYED, words, until=until)


def success(subject: Subject, outcomes: Sequence[Outcome]) -> bytes:
    """The report, asked for by NOTIFY=SUCCESS, that these recipients' mail arrived or was handed on.

    Only the header is returned (RFC 3461 §6.2).

    Raises:
        ValueError: the message has the null sender.
    """
    words = (
        f"This is the mail gate at {subject.hostname}.\n\n"
        "You asked to hear about your message to the recipients below. It was put into their\n"
        "mailboxes, or handed to the next server, which may not tell you more."
    )
    return _report(subject, outcomes, _SUCCESS, words, until=None)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a report is called in its subject, and its Action by what became of a recipient.

    RFC 3464 §2.3.3. A recipient that was deferred for too long has failed.
    """

    title: str
    actions: Mapping[Disposition, str]
    full_allowed: bool = False


_FAILED: Final = _Kind(
    "Undelivered mail: returned to sender", dict.fromkeys(Disposition, "failed"), full_allowed=True
)
_DELAYED: Final = _Kind("Delayed mail: still being tried", dict.fromkeys(Disposition, "delayed"))
_SUCCESS: Final = _Kind(
    "Delivered mail", {Disposition.DELIVERED: "delivered", Disposition.RELAYED: "relayed"}
)


def _report(
    subject: Subject, outcomes: Sequence[Outcome], kind: _Kind, words: str, *, until: datetime | None
) -> bytes:
    wide = subject.envelope.smtputf8
    boundary = f"=_{subject.token}"
    parts = [
        _part("text/plain; charset=utf-8", _explanation(subject, outcomes, words)),
        _part(
            "message/global-delivery-status" if wide else "message/delivery-status",
            _status(subject, outcomes, kind, until),
        ),
        _returned(subject, full=kind.full_allowed and subject.envelope.ret == "FULL"),
    ]
    mark = f"--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
    return _header(subject, kind, boundary, eight_bit=not body.isascii()) + body


def _header(subject: Subject, kind: _Kind, boundary: str, *, eight_bit: bool) -> bytes:
    sender, host = subject.envelope.sender, subject.hostname
    if sender is None:
        raise ValueError("nobody is owed a report")
    lines = [
        f"From: Mail Delivery System <MAILER-DAEMON@{host}>",
        f"To: <{sender}>",
        f"Subject: {kind.title}",
        f"Date: {mail_date(subject.now)}",
        f"Message-ID: <{subject.token}@{host}>",
        "Auto-Submitted: auto-replied",  # RFC 3834 §5: no out-of-office note comes back
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=delivery-status;",
        f'\tboundary="{boundary}"',
    ]
    for reference in field(header_block(subject.original), "Message-ID")[:1]:
        if len(reference) <= _FOLD * 4 and reference.isascii() and b"\n" not in reference:
            lines.insert(5, f"References: {reference.decode()}")
    if eight_bit:
        lines.append("Content-Transfer-Encoding: 8bit")
    return "\r\n".join([*lines, "", ""]).encode()


def _part(content_type: str, body: bytes) -> bytes:
    coding = b"" if body.isascii() else b"Content-Transfer-Encoding: 8bit\r\n"
    return b"Content-Type: " + content_type.encode() + b"\r\n" + coding + b"\r\n" + body


def _explanation(subject: Subject, outcomes: Sequence[Outcome], words: str) -> bytes:
    lines = [*words.split("\n"), ""]
    for outcome in outcomes:
        recipient = subject.envelope.recipients[outcome.recipient]
        lines += [f"<{recipient.address}>:", *(f"    {line}" for line in _wrapped(_said(outcome))), ""]
    lines += [f"The message is known here as {subject.queue_id}.", ""]
    return "\r\n".join(lines).encode("utf-8", "replace")


def _said(outcome: Outcome) -> str:
    host = f"{outcome.host} said: " if outcome.host else ""
    return f"{host}{outcome.code} {outcome.enhanced} {_one_line(outcome.text)}".strip()


def _status(subject: Subject, outcomes: Sequence[Outcome], kind: _Kind, until: datetime | None) -> bytes:
    """The fields of the message, then those of each recipient, with empty lines between (§2.1)."""
    groups = [list(_message_fields(subject))]
    for outcome in outcomes:
        recipient = subject.envelope.recipients[outcome.recipient]
        groups.append(list(_recipient_fields(subject, recipient, outcome, kind, until)))
    text = "\r\n\r\n".join("\r\n".join(group) for group in groups) + "\r\n"
    return text.encode("utf-8" if subject.envelope.smtputf8 else "ascii", "replace")


def _message_fields(subject: Subject) -> Iterator[str]:
    if subject.envelope.envid is not None:
        yield f"Original-Envelope-Id: {_one_line(_from_xtext(subject.envelope.envid))}"
    yield f"Reporting-MTA: dns; {subject.hostname}"
    yield f"Arrival-Date: {mail_date(subject.arrival)}"
    yield f"X-Gatepost-Queue-ID: {subject.queue_id}"  # RFC 3464 §2.4: extension fields


def _recipient_fields(
    subject: Subject, recipient: Recipient, outcome: Outcome, kind: _Kind, until: datetime | None
) -> Iterator[str]:
    if recipient.orcpt is not None:
        scheme, _, address = recipient.orcpt.partition(";")
        yield f"Original-Recipient: {scheme}; {_one_line(_from_xtext(address))}"
    scheme = "rfc822" if recipient.address.is_ascii else "utf-8"  # RFC 6533 §3
    yield f"Final-Recipient: {scheme}; {recipient.address}"
    yield f"Action: {kind.actions[outcome.disposition]}"
    yield f"Status: {_enhanced(outcome)}"
    if outcome.host is not None:
        yield f"Remote-MTA: dns; {outcome.host}"
    said = f"Diagnostic-Code: smtp; {outcome.code} {outcome.enhanced} {_one_line(outcome.text)}"
    yield "\r\n\t".join(_wrapped(said))
    yield f"Last-Attempt-Date: {mail_date(subject.now)}"
    if until is not None:
        yield f"Will-Retry-Until: {mail_date(until)}"


def _enhanced(outcome: Outcome) -> str:
    return outcome.enhanced if _STATUS.fullmatch(outcome.enhanced) else f"{str(outcome.code)[:1]}.0.0"


def _returned(subject: Subject, *, full: bool) -> bytes:
    wide = subject.envelope.smtputf8
    if full:
        return _part("message/global" if wide else "message/rfc822", _ended(subject.original))
    header = _ended(header_block(subject.original))
    return _part("message/global-headers" if wide else "text/rfc822-headers", header)


def _ended(content: bytes) -> bytes:
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def _one_line(text: str) -> str:
    """Words of another server: printable, on one line, not endless."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:_TEXT_CHARACTERS]).split())


def _wrapped(text: str) -> list[str]:
    """The text in lines cut at spaces; a word that is longer stays whole."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= _FOLD:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _from_xtext(text: str) -> str:
    return _PLUS.sub(lambda found: chr(int(found[1], 16)), text)  # RFC 3461 §4
