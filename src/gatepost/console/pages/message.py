"""One message: what it is, where it stands, what became of it, and its header."""

from __future__ import annotations

from typing import Any

from gatepost.admin.link import NotRunning, Refused
from gatepost.admin.trace import trace
from gatepost.console.context import Context
from gatepost.console.page import page
from gatepost.console.queue_rows import Verbs, next_try, said
from gatepost.console.saying import size
from gatepost.console.table import Column, Table, Text, empty, facts, heading, link, section
from gatepost.console.texts import mail as words
from gatepost.store.tracking import Question, Tracking

Row = dict[str, Any]


@page("/messages/{id}", words.MESSAGE, "queues")
async def message(context: Context) -> None:
    """A message by its queue id, in the queue or on record."""
    queue_id = context.parameters["id"].upper()
    tracking = Tracking(context.house.place.tracking)
    rows = await context.house.work(lambda: trace(tracking, Question(queue_id=queue_id)))
    tracked = next((row for row in rows if row["kind"] == "message"), None)
    waiting = await _waiting(context, queue_id)
    heading(words.MESSAGE_TITLE.format(id=queue_id))
    if waiting is None and tracked is None:
        empty(words.NOWHERE.format(id=queue_id), words.NOWHERE_REMEDY)
        return
    Text("p", words.WAITING if waiting else words.NOT_WAITING, "gp-quiet")
    if waiting is not None:
        Verbs(context, lambda: [queue_id])
    _facts(context, waiting, tracked)
    section(words.WHAT_HAPPENED)
    _outcomes(context, tracked, waiting)
    if waiting is not None:
        section(words.HEADER)
        Text("pre", waiting["header"], "gp-code gp-mono gp-panel").props("tabindex=0")


async def _waiting(context: Context, queue_id: str) -> Row | None:
    try:
        row: Row | None = await context.house.ask("queue-show", queue_id=queue_id)
    except (NotRunning, Refused):
        return None
    return row


def _facts(context: Context, waiting: Row | None, tracked: Row | None) -> None:
    one = waiting or tracked or {}
    arrived = waiting["received_at"] if waiting else one["at"]
    queue = (
        [
            (words.STATE, words.STATES[waiting["state"]]),
            (words.STILL_FOR, ", ".join(waiting["recipients"])),
            (words.ATTEMPTS, str(waiting["attempts"])),
            (words.NEXT_TRY, next_try(context, waiting)),
        ]
        if waiting
        else []
    )
    session = one["session"]
    facts(
        [
            (words.SENDER, one["sender"] or words.NULL_SENDER),
            (words.RECIPIENTS, ", ".join(tracked["recipients"]) if tracked else None),
            (words.SUBJECT, (tracked or {}).get("subject")),
            *queue,
            (words.ARRIVED, context.local_time(arrived)),
            (words.SIZE, size(one["size_bytes"])),
            (words.USER, one["user"] or words.ANONYMOUS),
            (words.FROM, one["peer"]),
            (words.VIRTUAL_SERVER, one["virtual_server"]),
            (words.SESSION, lambda: link(session, f"/tracking/{session}", "gp-mono")),
        ]
    )


def _outcomes(context: Context, tracked: Row | None, waiting: Row | None) -> None:
    """What is on record, else the last answers that the queue keeps."""
    rows = list(tracked["outcomes"]) if tracked else []
    if not rows and waiting:
        rows = [one | {"at": None, "next_hop": one["host"]} for one in waiting["last_outcomes"]]
    if not rows:
        Text("p", words.NOTHING_HAPPENED, "gp-quiet")
        return
    Table(
        words.WHAT_HAPPENED,
        [
            Column(words.TIME, lambda row: context.local_time(row["at"]) if row["at"] else "", "gp-nowrap"),
            Column(words.RECIPIENT, lambda row: row["recipient"]),
            Column(words.OUTCOME, lambda row: row["disposition"]),
            Column(words.BY, lambda row: row["next_hop"] or ""),
            Column(words.ANSWER, _words),
        ],
        rows,
    )


def _words(row: Row) -> str:
    """As they were said; an operator's act has no code."""
    return said({**row, "host": None}) if row["code"] else str(row["text"])
