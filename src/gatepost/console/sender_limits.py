"""Limits of single users and of groups' members: `[limits.users]` and `[limits.groups]`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from nicegui import ui
from pydantic import ValidationError

from gatepost.config.allotments import Allotted, SharedLimits, everybody
from gatepost.config.servers import Limits
from gatepost.console.bench import Bench
from gatepost.console.described import key_of
from gatepost.console.fields import readable
from gatepost.console.section import Section, open_button, open_section, remove
from gatepost.console.table import Column, Table, section
from gatepost.console.texts import sections as words
from gatepost.policy.allotment import NOTHING_SAID, Allotment

KEYS: Final = tuple(Allotted.model_fields)
KINDS: Final = tuple(name for name in SharedLimits.model_fields if name not in Limits.model_fields)


def of_kind(bench: Bench, kind: str) -> dict[str, dict[str, Any]]:
    """What the draft says, by name, in the file's order."""
    found = bench.value(("limits", kind))
    return dict(found) if isinstance(found, dict) else {}


def written_name(bench: Bench, kind: str, names: Collection[str], otherwise: str) -> str:
    """The name under which the draft has one of these, which are in lower case."""
    return next((name for name in of_kind(bench, kind) if name.lower() in names), otherwise)


def open_limits(bench: Bench, kind: str, name: str, done: Callable[[], object]) -> None:
    """The dialog over the limits of one name is open; one that says nothing is not kept."""

    def tidied() -> None:
        if of_kind(bench, kind).get(name) == {}:
            remove(bench, ("limits", kind, name))
        done()

    title = words.LIMITS_OF.format(name=name)
    open_section(bench, Section(title, Allotted, ("limits", kind, name)), tidied)


def number(key: str, value: int | None) -> str:
    """The limit as it is read."""
    return "" if value is None else readable(value, key_of(Allotted, key).unit)


def limits_of_user(bench: Bench, names: list[str], groups: frozenset[str]) -> None:
    """The section of a user's page: what holds of it, and by whose word."""
    section(words.LIMITS)

    @ui.refreshable
    def table() -> None:
        shared = _shared(bench)
        if shared is None:
            return
        said = shared.allotments()
        own, all_ = said.of(names, frozenset(), NOTHING_SAID), everybody(shared)
        of_groups = said.of((), groups, NOTHING_SAID)
        rows = [(key, _holds(key, own, of_groups, all_)) for key in KEYS]
        Table(words.LIMITS, [_label, Column[tuple[str, str]](words.LIMITS, lambda row: row[1])], rows)

    _with_button(bench, "users", names, table)


def limits_of_group(bench: Bench, name: str) -> None:
    """The section of a group's page: what each member of it may send."""
    section(words.GROUPS_MEMBERS)

    @ui.refreshable
    def table() -> None:
        there = of_kind(bench, "groups").get(written_name(bench, "groups", [name.lower()], name), {})
        rows = [(key, number(key, there.get(key)) or words.AS_ALL) for key in KEYS]
        Table(words.LIMITS, [_label, Column[tuple[str, str]](words.LIMITS, lambda row: row[1])], rows)

    _with_button(bench, "groups", [name.lower(), name], table)


_label: Final = Column[tuple[str, str]](words.WHAT, lambda row: key_of(Allotted, row[0]).label)


def _with_button(bench: Bench, kind: str, names: list[str], table: Any) -> None:
    if bench.may_change:
        name = names[-1] if kind == "groups" else names[0]
        with ui.element("div").classes("gp-verbs"):
            open_button(
                words.EDIT_LIMITS,
                lambda: open_limits(bench, kind, written_name(bench, kind, names, name), table.refresh),
                name,
            )
    table()


def _holds(key: str, own: Allotment, of_groups: Allotment, all_: Allotment) -> str:
    for said, text in ((own, words.OWN), (of_groups, words.OF_GROUP)):
        if (value := getattr(said, key)) is not None:
            return text.format(value=number(key, value))
    value = getattr(all_, key)
    return words.NO_LIMIT if value is None else words.OF_ALL.format(value=number(key, value))


def _shared(bench: Bench) -> SharedLimits | None:
    """The limits of the draft; None: they cannot be read."""
    try:
        return SharedLimits.model_validate(bench.value(("limits",)) or {})
    except ValidationError:
        return None
