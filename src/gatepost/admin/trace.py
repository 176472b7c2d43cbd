"""What the tracking knows, as an operator asks it. Works whether a Gatepost runs or not."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from gatepost.policy.meanings import MEANINGS
from gatepost.store.tracking import Question, TrackedMessage, TrackedOutcome, TrackedRefusal, Tracking

Row = dict[str, Any]

_EVENTS_AT_MOST = 1_000
_MEANINGS = {reason.value: meaning for reason, meaning in MEANINGS.items()}

_SPAN = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class NoTime(ValueError):
    """The text names no time; the message says what would."""


def since(text: str, now: datetime) -> float:
    """Unix seconds of `2h`, `3d` (before `now`), or of an ISO date or time, local unless it says its zone.

    Raises:
        NoTime: neither.
    """
    span = _SPAN.fullmatch(text.strip())
    if span is not None:
        return (now - timedelta(**{_UNITS[span[2]]: int(span[1])})).timestamp()
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError):
        raise NoTime(f"{text!r} is no time; write 30m, 2h, 3d or 2026-01-31T08:00") from None


def trace(tracking: Tracking, question: Question, *, either: str | None = None) -> list[Row]:
    """Messages and refusals as rows, newest last, at most `question.limit`.

    `either` is the id of a session or of a message. Raises sqlite3.Error.
    """
    rows: list[Row] = []
    for one in _questions(question, either):
        found = tracking.search(one)
        rows += [message_row(message) for message in found.messages]
        rows += [refusal_row(refusal) for refusal in found.refusals]
    rows.sort(key=lambda row: str(row["at"]))
    return rows[-question.limit :]


def _questions(question: Question, either: str | None) -> list[Question]:
    if either is None:
        return [question]
    name = either.strip().strip("[]").upper()
    fields = {field: getattr(question, field) for field in Question.__slots__}
    return [Question(**{**fields, key: name}) for key in ("session", "queue_id")]


def session_row(tracking: Tracking, session: str) -> Row | None:
    """What is on record of the session, in `events`; refusals with what they mean and what to do.

    Raises sqlite3.Error.
    """
    name = session.strip().strip("[]").upper()
    events = trace(tracking, Question(session=name, limit=_EVENTS_AT_MOST))
    if not events:
        return None
    for event in events:
        if event["kind"] == "refusal":
            meaning = _MEANINGS.get(event["reason"])
            event["means"] = meaning.means if meaning else None
            event["remedy"] = meaning.remedy if meaning else None
    last = events[-1]
    common = {key: last[key] for key in ("session", "virtual_server", "peer", "user", "device")}
    return common | {"events": events}


def message_row(message: TrackedMessage) -> Row:
    """A message that was taken in. Times are ISO 8601, UTC."""
    return {
        "kind": "message",
        "at": _time(message.at),
        "queue_id": message.queue_id,
        "session": message.session,
        "virtual_server": message.virtual_server,
        "peer": message.peer,
        "user": message.user,
        "device": message.device,
        "sender": message.sender,
        "recipients": list(message.recipients),
        "size_bytes": message.size_bytes,
        "subject": message.subject,
        "outcomes": [_outcome_row(outcome) for outcome in message.outcomes],
    }


def _outcome_row(outcome: TrackedOutcome) -> Row:
    return {
        "at": _time(outcome.at),
        "recipient": outcome.recipient,
        "disposition": outcome.disposition,
        "code": outcome.code,
        "enhanced": outcome.enhanced,
        "text": outcome.text,
        "next_hop": outcome.next_hop,
    }


def refusal_row(refusal: TrackedRefusal) -> Row:
    """Something that was refused. Times are ISO 8601, UTC."""
    return {
        "kind": "refusal",
        "at": _time(refusal.at),
        "session": refusal.session,
        "virtual_server": refusal.virtual_server,
        "peer": refusal.peer,
        "user": refusal.user,
        "device": refusal.device,
        "stage": refusal.stage,
        "reason": refusal.reason,
        "sender": refusal.sender,
        "recipient": refusal.recipient,
        "reply": refusal.reply,
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
