"""The history of messages and refusals: searched, paged; and what is on record of one session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from gatepost.admin.explain_session import session_explained
from gatepost.admin.explain_text import answers
from gatepost.admin.trace import NoTime, trace
from gatepost.admin.trace import since as time_since
from gatepost.console.context import Context, moment
from gatepost.console.page import page
from gatepost.console.pages.explain import stages_of
from gatepost.console.queue_rows import said
from gatepost.console.saying import size
from gatepost.console.search import Condition, search, turning
from gatepost.console.table import Column, Table, Text, empty, facts, heading, link, section
from gatepost.console.texts import mail as words
from gatepost.policy.reasons import Reason
from gatepost.store.tracking import Question, Tracking

Row = dict[str, Any]
_PATH: Final = "/tracking"
_PAGE: Final = 50
_CONDITIONS: Final = (
    Condition("id", words.SEARCH_ID),
    Condition("sender", words.SENDER),
    Condition("recipient", words.RECIPIENT),
    Condition("user", words.USER),
    Condition("peer", words.FROM),
    Condition("reason", words.REASON, {one.value: one.value for one in Reason if one is not Reason.ALLOWED}),
    Condition("said", words.SAID),
    Condition("since", words.SINCE_WHEN, hint=words.SINCE_HINT),
)


@page(_PATH, words.TRACKING, "tracking")
async def tracking(context: Context) -> None:
    """What was found, newest first."""
    heading(words.TRACKING, words.ABOUT_TRACKING)
    search(_PATH, _CONDITIONS, context.query)
    try:
        question = _question(context.query)
    except NoTime as problem:
        Text("p", problem, "gp-note bad").props("role=alert")
        return
    records = Tracking(context.house.place.tracking)
    either = context.query.get("id") or None
    rows = await context.house.work(lambda: trace(records, question, either=either))
    rows.reverse()
    Table(words.TRACKING_CAPTION, _columns(context), rows[:_PAGE])
    if not rows:
        empty(words.TRACKING_EMPTY, words.TRACKING_EMPTY_REMEDY)
    more = str(moment(rows[_PAGE - 1]["at"]).timestamp()) if len(rows) > _PAGE else None
    turning(_PATH, context.query, more, name="before")


def _question(query: Mapping[str, str]) -> Question:
    """Raises NoTime."""
    given = {one.name: query.get(one.name) or None for one in _CONDITIONS}
    question = Question(
        sender=given["sender"],
        recipient=given["recipient"],
        user=given["user"],
        peer=given["peer"],
        reason=given["reason"],
        said=given["said"],
        limit=_PAGE + 1,
    )
    if query.get("since"):
        question = replace(question, since=time_since(query["since"], datetime.now(UTC)))
    if query.get("before"):
        try:
            # rows are shown to the millisecond, and one of the page before must not be on this one
            question = replace(question, before=float(query["before"]))
        except ValueError:
            raise NoTime(f"{query['before']!r} is no time") from None
    return question


def _columns(context: Context) -> list[Column[Row]]:
    def what(row: Row) -> None:
        if row["kind"] == "refusal":
            Text("span", words.REFUSED, "gp-state bad")
        else:
            Text("span", _became(row), "gp-state good" if _is_well(row) else "gp-state warn")

    def which(row: Row) -> None:
        if row["kind"] == "message":
            link(row["queue_id"], f"/messages/{quote(row['queue_id'], safe='')}", "gp-mono")
        else:
            link(row["session"], session_path(row["session"]), "gp-mono")

    def recipients(row: Row) -> str:
        return row["recipient"] or "" if row["kind"] == "refusal" else ", ".join(row["recipients"])

    return [
        Column(words.TIME, lambda row: context.local_time(row["at"]), "gp-nowrap"),
        Column(words.WHAT, what),
        Column(words.SEARCH_ID, which, "gp-nowrap"),
        Column(words.SENDER, _sender, "gp-address"),
        Column(words.RECIPIENTS, recipients, "gp-address"),
        Column(words.WHERE, _where, wide=True),
        Column(words.ANSWER, _answer, "gp-answer"),
    ]


def _sender(row: Row) -> str:
    """Empty when the peer was refused before it named one."""
    named = row["kind"] == "message" or row["recipient"]
    return row["sender"] or (words.NULL_SENDER if named else "")


def _where(row: Row) -> str:
    there = f"{row['virtual_server']}, {row['peer']}"
    return words.WHERE_AND_WHO.format(where=there, user=row["user"]) if row["user"] else there


def session_path(session: str) -> str:
    """The page of what is on record of a session."""
    return f"{_PATH}/{quote(session, safe='')}"


def _became(row: Row) -> str:
    last = {one["recipient"]: one["disposition"] for one in row["outcomes"]}
    return ", ".join(sorted(set(last.values()))) or words.ACCEPTED


def _is_well(row: Row) -> bool:
    return all(one["disposition"] in ("relayed", "delivered") for one in row["outcomes"][-1:])


def _answer(row: Row) -> str:
    if row["kind"] == "refusal":
        return str(row["reply"] or row["reason"])
    return _last_words(row["outcomes"][-1]) if row["outcomes"] else ""


def _last_words(outcome: Row) -> str:
    return said({**outcome, "host": outcome["next_hop"]}) if outcome["code"] else str(outcome["text"])


@page("/tracking/{session}", words.SESSION, "tracking")
async def session(context: Context) -> None:
    """Everything on record of one session, with what each refusal means and how to change it."""
    name = context.parameters["session"]
    house = context.house
    row = await house.work(lambda: session_explained(house, name, house.settings()))
    heading(words.SESSION_TITLE.format(id=name))
    if row is None:
        empty(words.SESSION_NOWHERE.format(id=name), words.NOWHERE_REMEDY)
        return
    facts(
        [
            (words.VIRTUAL_SERVER, row["virtual_server"]),
            (words.FROM, row["peer"]),
            (words.USER, row["user"] or words.ANONYMOUS),
        ]
    )
    for event in row["events"]:
        _event(context, event)
        for said_of_it, answer in answers(event, context.local_time):
            Text("h3", said_of_it)
            if answer is not None:
                stages_of(answer)


def _event(context: Context, event: Row) -> None:
    at = context.local_time(event["at"])
    if event["kind"] == "message":
        section(f"{at}: {words.ACCEPTED}")
        queue_id = event["queue_id"]
        facts(
            [
                (words.MESSAGE, lambda: link(queue_id, f"/messages/{quote(queue_id, safe='')}", "gp-mono")),
                (words.SENDER, event["sender"] or words.NULL_SENDER),
                (words.RECIPIENTS, ", ".join(event["recipients"])),
                (words.SIZE, size(event["size_bytes"])),
                (words.OUTCOME, _became(event)),
            ]
        )
        return
    section(f"{at}: {words.REFUSED} {words.STAGE.format(stage=event['stage'])}, {event['reason']}")
    facts(
        [
            (words.SENDER, event["sender"]),
            (words.RECIPIENT, event["recipient"]),
            (words.REPLY, event["reply"]),
            (words.MEANS, event["means"]),
            (words.REMEDY, event["remedy"]),
        ]
    )
