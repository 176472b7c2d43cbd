"""Validation that goes on behind a fault, so that all faults are told at once.

What is wrong is told and taken out, then the rest is validated again.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from gatepost.config.fault import Complaint
from gatepost.config.model import SOURCE
from gatepost.config.schema import Settings
from gatepost.config.source import KeyPath
from gatepost.config.value import Reading
from gatepost.config.wording import complaint, is_unknown_key

_ROUNDS = 50
# Tables of named tables: a fault inside one leaves its siblings alone.
_NAMED = frozenset({"domains", "certificates", "smtp", "pop3", "routes", "directory", "oauth", "alarms"})
_STAND_INS = {"hostname": "stand-in.invalid", "state": "."}


@dataclass(slots=True)
class Found:
    """`tainted` are the settings that were taken out, so that rules compare something else than the file."""

    complaints: list[Complaint] = field(default_factory=list)
    tainted: set[KeyPath] = field(default_factory=set)

    def taints(self, path: KeyPath) -> bool:
        """Whether a complaint of a rule about this place may come of what was taken out."""
        return any(path[: len(one)] == one or one[: len(path)] == path for one in self.tainted)


def salvaged(raw: Mapping[str, Any]) -> tuple[Found, Settings | None]:
    """Every complaint about the values, and the settings without what was complained of."""
    found = Found()
    source = raw[SOURCE]
    rest = copy.deepcopy({key: value for key, value in raw.items() if key != SOURCE})
    for _ in range(_ROUNDS):
        try:
            context = Reading(source.path.parent)
            return found, Settings.model_validate({**rest, SOURCE: source}, context=context)
        except ValidationError as error:
            _tell(error, raw, rest, found)
    return found, None


def _tell(error: ValidationError, raw: Mapping[str, Any], rest: dict[str, Any], found: Found) -> None:
    for details in error.errors(include_url=False):
        told = complaint(details, raw)
        if told is not None:
            found.complaints.append(told)
        if is_unknown_key(details):
            _delete(rest, details["loc"])
        else:
            _take_out(rest, details["loc"], found)


def _take_out(rest: dict[str, Any], path: KeyPath, found: Found) -> None:
    """Takes out the setting around the fault; what cannot do without it goes too."""
    if path and path[-1] == "[key]":
        path = path[:-1]
    depth = 3 if path[0] in _NAMED else 2
    found.tainted.add(path[:depth])
    if path[0] in _STAND_INS:
        rest[str(path[0])] = _STAND_INS[str(path[0])]
    elif not _delete(rest, path[:depth]):
        _delete(rest, path[: depth - 1])


def _delete(rest: Any, path: KeyPath) -> bool:
    for key in path[:-1]:
        try:
            rest = rest[key]
        except (KeyError, IndexError, TypeError):
            return False
    try:
        del rest[path[-1]]
    except (KeyError, IndexError, TypeError):
        return False
    return True
