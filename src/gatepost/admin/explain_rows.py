"""Explanations as rows: what `gatepost explain --json` prints and every other face shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatepost.admin.explain import Case, Explanation, Stage
from gatepost.admin.relayers import Relayer
from gatepost.policy.access import Entry, Kind, Match
from gatepost.policy.facts import Identity
from gatepost.policy.meanings import MEANINGS
from gatepost.policy.reasons import Reason
from gatepost.policy.sentence import sentence

Row = dict[str, Any]
Paths = Mapping[str, tuple[str, ...]]


def explanation_row(
    server: str, case: Case, explanation: Explanation, login: Identity | Reason | None, paths: Paths
) -> Row:
    """The whole answer; `reached` is false for stages behind the first that is no yes."""
    stops_at = explanation.stops_at
    stages, reached = [], True
    for stage in explanation.stages:
        stages.append({"stage": stage.name, "reached": reached, **stage_row(stage)})
        reached = reached and stage is not stops_at
    return {
        "virtual_server": server,
        "peer": str(case.peer),
        "tls": case.tls,
        "certificate": case.certificate,
        "mail_from": case.sender,
        "rcpt": case.recipient,
        "user": identity_row(login, paths) if isinstance(login, Identity) else case.user,
        "allowed": explanation.allowed,
        "reason": stops_at.reason.value if stops_at else Reason.ALLOWED.value,
        "reply": stops_at.reply if stops_at else None,
        "stages": stages,
    }


def identity_row(identity: Identity, paths: Paths) -> Row:
    groups = [{"name": way[-1], "through": list(way[:-1])} for way in paths.values()]
    return {
        "name": identity.name,
        "directory": identity.directory,
        "addresses": sorted(map(str, identity.addresses)),
        "administrator": identity.privileged,
        "guessable": identity.guessable,
        "groups": sorted(groups, key=lambda group: str(group["name"]).lower()),
    }


def stage_row(stage: Stage) -> Row:
    return {
        "answer": stage.answer.value,
        "reason": stage.reason.value,
        "text": stage.text,
        "right": stage.right.value if stage.right else None,
        "entry": entry_row(stage.entry),
        "matches": [match_row(match) for match in stage.matches],
        "reply": stage.reply,
        "means": MEANINGS[stage.reason].means if stage.reason is not Reason.ALLOWED else None,
        "remedy": stage.remedy or None,
    }


def entry_row(entry: Entry | None) -> Row | None:
    if entry is None:
        return None
    return {"line": entry.line, "effect": entry.effect.value, "to": str(entry.to), "text": sentence(entry)}


def match_row(match: Match) -> Row:
    return {**(entry_row(match.entry) or {}), "holds": match.holds.value, "reaches": match.reaches}


def relayer_row(relayer: Relayer, ways: Mapping[str, tuple[str, ...]]) -> Row:
    """Who, by which entries, and for groups through which ones; or why not."""
    entries = relayer.entries or ((relayer.entry,) if relayer.entry else ())
    groups = [list(ways[e.to.name]) for e in entries if e.to.kind is Kind.GROUP and e.to.name in ways]
    return {
        "kind": _kind(relayer),
        "name": _name(relayer),
        "may_relay": relayer.may,
        "reason": relayer.reason.value,
        "entries": [entry_row(entry) for entry in entries],
        "through": groups,
        "from": list(relayer.places),
        "only_over_tls": relayer.over_tls,
        "remedy": None if relayer.may else MEANINGS[relayer.reason].remedy,
    }


def _kind(relayer: Relayer) -> str:
    if relayer.identity is not None:
        return "user"
    return relayer.principal.kind.value if relayer.principal else "not-logged-in"


def _name(relayer: Relayer) -> str:
    if relayer.identity is not None:
        return relayer.identity.name
    return relayer.principal.text.partition(":")[2] if relayer.principal else "whoever is not logged in"
