"""The access table of a draft: read as entries, and changed entry by entry so that comments stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from gatepost.config.edit import Draft
from gatepost.config.rows import AccessRow
from gatepost.console.access.atoms import NEW, ordered
from gatepost.policy.access import Effect, Entry

Server = tuple[str, str]


def read_entries(draft: Draft, server: Server) -> tuple[Entry, ...] | None:
    """The entries, each with its index as `line`; None when the list holds what is no entry."""
    rows = draft.value((*server, "access"))
    if rows is None:
        return ()
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        return None
    try:
        return tuple(
            Entry(one.effect, one.rights, one.to, one.networks, one.tls, index)
            for index, row in enumerate(rows)
            for one in (AccessRow.model_validate(dict(row)).entry(),)
        )
    except ValidationError:
        return None


def write_entries(draft: Draft, server: Server, entries: tuple[Entry, ...]) -> None:
    """The draft's table is these entries; those that are as before are not touched. Raises EditError."""
    before = {entry.line: entry for entry in read_entries(draft, server) or ()}
    for entry in entries:
        if entry.line != NEW and entry != before[entry.line]:
            _rewrite(draft, (*server, "access", entry.line), before[entry.line], entry)
    for index in sorted(before.keys() - {entry.line for entry in entries}, reverse=True):
        draft.delete((*server, "access", index))
    for entry in entries:
        if entry.line == NEW:
            draft.append_access(server, row(entry))


def _rewrite(draft: Draft, path: tuple[str | int, ...], before: Entry, after: Entry) -> None:
    old, new = row(before), row(after)
    for key in old.keys() - new.keys():
        draft.delete((*path, key))
    for key, value in new.items():
        if old.get(key) != value:
            draft.set((*path, key), value)


def row(entry: Entry) -> dict[str, Any]:
    """The entry as it stands in the file."""
    key = "allow" if entry.effect is Effect.ALLOW else "deny"
    found: dict[str, Any] = {key: [right.value for right in ordered(entry.rights)], "to": str(entry.to)}
    if entry.networks is not None:
        found["from"] = [str(network) for network in entry.networks]
    return found | ({"tls": True} if entry.tls else {})
