"""Limits of single users and of groups' members: `[limits.users]` and `[limits.groups]`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, Final

from nicegui import ui
from pydantic import ValidationError

from gatepost.config.allotments import Allotted, SharedLimits
from gatepost.config.servers import Limits
from gatepost.console.bench import Bench
from gatepost.console.described import key_of
from gatepost.console.fields import readable
from gatepost.console.in_force import InForce, Origin, in_force
from gatepost.console.section import Section, open_button, open_section, remove
from gatepost.console.table import Column, Table, section
from gatepost.console.texts import sections as words

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
        Table(words.LIMITS, _IN_FORCE, in_force(shared, _servers(bench, shared), names, groups))

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


def _what(row: InForce) -> str:
    label = key_of(Allotted, row.key).label
    return words.ON_SERVER.format(what=label, server=row.server) if row.server else label


def _whose(row: InForce) -> str:
    if row.origin is Origin.SERVER:
        return words.OF_SERVER.format(server=row.server)
    if row.origin is Origin.GROUP:
        return words.OF_GROUPS.format(groups=", ".join(row.groups))
    return words.OWN if row.origin is Origin.OWN else words.AS_ALL


_IN_FORCE: Final = [
    Column[InForce](words.WHAT, _what),
    Column[InForce](words.HOW_MUCH, lambda row: number(row.key, row.value) or words.NO_LIMIT, "gp-nowrap"),
    Column[InForce](words.WHOSE, _whose),
]


def _servers(bench: Bench, shared: SharedLimits) -> dict[str, Limits]:
    """The SMTP virtual servers of the draft, each with what it says itself before what all share."""
    of_all = shared.model_dump(include=set(Limits.model_fields))
    found = {}
    for name, table in (bench.value(("smtp",)) or {}).items():
        own = {key: value for key, value in table.items() if key in Limits.model_fields}
        with suppress(ValidationError):
            found[name] = Limits.model_validate(of_all | own)
    return found


def _shared(bench: Bench) -> SharedLimits | None:
    """The limits of the draft; None: they cannot be read."""
    try:
        return SharedLimits.model_validate(bench.value(("limits",)) or {})
    except ValidationError:
        return None
