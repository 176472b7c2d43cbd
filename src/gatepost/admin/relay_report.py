"""Everybody who could relay through a virtual server, as rows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from gatepost.admin.audit_directory import Surveyed, asked_of_directories, surveyed
from gatepost.admin.audit_meanings import Weak
from gatepost.admin.audit_weakness import Weakness
from gatepost.admin.explain_rows import entry_row, relayer_row
from gatepost.admin.learn import Learning
from gatepost.admin.relayers import relay_entries, strangers, users
from gatepost.admin.silence import silent_log
from gatepost.config.schema import SmtpServer
from gatepost.policy.access import Kind
from gatepost.policy.facts import Identity
from gatepost.policy.meanings import MEANINGS
from gatepost.policy.reasons import Reason

Row = dict[str, Any]


def relay_report(server: SmtpServer, known: Learning) -> list[Row]:
    """One row for each user, named host and group without members, and for whoever is not logged in.

    Other directories are asked for the members of their groups; one that is silent has a row, too.

    Those whom an entry means and who may not all the same are among them, with the reason.
    """
    rows = [relayer_row(one, {}) for one in strangers(server)]
    for name, login in known.users_meant(server).items():
        if isinstance(login, Identity):
            rows += [relayer_row(one, known.paths(login)) for one in users(server, [login])]
        else:
            rows.append(without_login(name, login))
    elsewhere = _surveyed(known)
    asked = asked_of_directories(known.settings, known, elsewhere)
    rows += [one.row() for one in asked if one.server.name == server.name]
    rows += [_silent(one) for one in elsewhere.weaknesses if one.weak is Weak.DIRECTORY_SILENT]
    return [*rows, *empty_groups(server, known, elsewhere.there)]


def _surveyed(known: Learning) -> Surveyed:
    """What the other directories say of the relay groups."""
    with silent_log() as log:
        return surveyed(known.settings, known, log)


def _silent(weakness: Weakness) -> Row:
    """A directory that did not answer, or not with all: there may be more who relay."""
    name, _, problem = weakness.text.partition(": ")
    return _refused("directory", name, Reason.DIRECTORY_UNAVAILABLE.value, problem)


def without_login(name: str, reason: Reason) -> Row:
    """The row of a user whom an entry means and as whom nobody can log in."""
    return _refused("user", name, reason.value, MEANINGS[reason].remedy)


def empty_groups(server: SmtpServer, known: Learning, elsewhere: Collection[str] = frozenset()) -> list[Row]:
    """A row for each relay group without members; those named in `elsewhere` another directory has."""
    rows = []
    for entry in relay_entries(server.access):
        name = entry.to.text.partition(":")[2]
        if entry.to.kind is not Kind.GROUP or entry.to.name in elsewhere:
            continue
        if known.accounts.groups.find(name) is None:
            row = _refused("group", name, "no-such-group", f'`gatepost group add "{name}"`')
        elif not known.accounts.groups.members(name, nested=True, limit=1):
            row = _refused("group", name, "no-members", f'`gatepost group join "{name}" USER`')
        else:
            continue
        rows.append(row | {"entries": [entry_row(entry)]})
    return rows


def _refused(kind: str, name: str, reason: str, remedy: str) -> Row:
    return {
        "kind": kind, "name": name, "may_relay": False, "reason": reason, "entries": [], "through": [],
        "from": [], "only_over_tls": False, "remedy": remedy,
    }  # fmt: skip
