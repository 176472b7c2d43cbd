"""Who did what: the list of changes, newest first, by pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gatepost.console.context import Context
from gatepost.console.page import page
from gatepost.console.search import Condition, search, turning
from gatepost.console.table import Column, Table, empty, heading
from gatepost.console.texts import looking as words
from gatepost.console.texts import table as table_words
from gatepost.store.audit import Change, Fact

_PATH: Final = "/changes"
_PAGE: Final = 50
_CONDITIONS: Final = (
    Condition("who", words.WHO),
    Condition("what", words.WHAT),
    Condition("subject", words.SUBJECT),
)


@page(_PATH, words.CHANGES, "changes")
async def changes(context: Context) -> None:
    """The list."""
    heading(words.CHANGES, words.ABOUT_CHANGES)
    query = context.query
    search(_PATH, _CONDITIONS, query)
    given = {name: query[name] for name in ("who", "what", "subject") if query.get(name)}
    before = query.get("before", "")
    audit = context.house.accounts.audit
    found = await context.house.work(
        lambda: audit.changes(**given, before_id=int(before) if before.isdecimal() else None, limit=_PAGE + 1)
    )
    if not found and given:
        empty(table_words.NOTHING_MATCHES, table_words.LESS_NARROW)
    elif not found:
        empty(words.NO_CHANGES, words.NO_CHANGES_REMEDY)
    Table(
        words.CHANGES,
        [
            Column[Change](words.TIME, lambda one: context.local_time(one.at), "gp-nowrap"),
            Column[Change](words.WHO, lambda one: one.who),
            Column[Change](words.ACT, lambda one: one.what, "gp-nowrap"),
            Column[Change](words.SUBJECT, lambda one: one.subject),
            Column[Change](words.BEFORE, lambda one: told(one.before, alone=one.after is None)),
            Column[Change](words.AFTER, lambda one: told(one.after, alone=one.before is None)),
        ],
        found[:_PAGE],
    )
    turning(_PATH, query, str(found[_PAGE - 1].id) if len(found) > _PAGE else None, name="before")


def told(facts: Mapping[str, Fact] | None, *, alone: bool = False) -> str:
    """The facts in one line; without those that say nothing when there are none to compare them with."""
    return "; ".join(f"{name}: {_fact(fact)}" for name, fact in (facts or {}).items() if fact or not alone)


def _fact(fact: Fact) -> str:
    if isinstance(fact, bool):
        return table_words.YES if fact else table_words.NO
    if isinstance(fact, list):
        return ", ".join(fact) or "-"
    return "-" if fact is None or fact == "" else str(fact)
