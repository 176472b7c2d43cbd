"""What one configuration changes against another, in words: above all who could relay and now can't."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gatepost.admin.relayers import Relayer, strangers, users
from gatepost.config.model import Model
from gatepost.config.renames import renames
from gatepost.config.schema import Settings, SmtpServer, VirtualServer
from gatepost.policy.access import Table
from gatepost.policy.facts import Identity
from gatepost.policy.sentence import sentence

_NAMES_SHOWN = 20
_TOLD_ELSEWHERE = ("source", "access", "name")
_Relaying = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Change:
    """One sentence. `about_relay`: it says who gains or loses the right to relay."""

    text: str
    about_relay: bool = False


def difference(before: Settings, after: Settings, identities: Iterable[Identity] = ()) -> list[Change]:
    """Every change, relay first. `identities` are the users to ask about."""
    people = list(identities)
    names = renames(before, after)
    before = _with_names(before, names)
    found = [*_relay(before, after, people), *_servers(before, after), *_settings(before, after)]
    return [*_renamed(names), *sorted(found, key=lambda change: not change.about_relay)]


def _renamed(names: Mapping[str, str]) -> Iterator[Change]:
    for old, new in names.items():
        yield Change(
            f"virtual server {old} is called {new} from now on; whether it is stopped or paused goes "
            "with it, while open sessions, tracking and the records of logins keep the old name"
        )


def _with_names(settings: Settings, names: Mapping[str, str]) -> Settings:
    """The settings with their virtual servers under the new names, to compare what else is another."""
    changed: dict[str, Mapping[str, VirtualServer]] = {}
    for protocol in ("smtp", "pop3"):
        servers: Mapping[str, VirtualServer] = getattr(settings, protocol)
        changed[protocol] = {
            names.get(f"{protocol}.{name}", f"{protocol}.{name}").partition(".")[2]: server
            for name, server in servers.items()
        }
    return settings.model_copy(update=changed) if names else settings


# who could relay


def _relay(before: Settings, after: Settings, people: list[Identity]) -> Iterator[Change]:
    for name in dict.fromkeys((*before.smtp, *after.smtp)):
        old = _relaying(before.smtp.get(name), people)
        new = _relaying(after.smtp.get(name), people)
        if old and not new:
            yield Change(f"nobody can relay through {name!r} any more", about_relay=True)
            continue
        yield from _relay_changes(name, old, new)


def _relaying(server: SmtpServer | None, people: list[Identity]) -> _Relaying:
    """Who may, with the places it may from."""
    if server is None:
        return {}
    found = [*strangers(server), *users(server, people)]
    return {_named(one): one.places for one in found if one.may}


def _named(one: Relayer) -> str:
    if one.identity is not None:
        return one.identity.name
    return one.principal.text if one.principal is not None else "whoever is not logged in"


def _relay_changes(
    name: str, old: dict[str, tuple[str, ...]], new: dict[str, tuple[str, ...]]
) -> Iterator[Change]:
    lost, gained = [who for who in old if who not in new], [who for who in new if who not in old]
    for who in lost[:_NAMES_SHOWN]:
        yield Change(f"{who} could relay through {name!r}, now it can't", about_relay=True)
    for who in gained[:_NAMES_SHOWN]:
        places = ", ".join(new[who])
        yield Change(f"{who} could not relay through {name!r}, now it can (from {places})", about_relay=True)
    for many, words in ((lost, "can't any more"), (gained, "can now")):
        if len(many) > _NAMES_SHOWN:
            yield Change(f"{len(many) - _NAMES_SHOWN} more {words} relay through {name!r}", about_relay=True)
    for who in old.keys() & new.keys():
        if set(old[who]) != set(new[who]):
            then, now = ", ".join(old[who]), ", ".join(new[who])
            yield Change(f"{who} can relay through {name!r} from {now}; before from {then}", about_relay=True)


# virtual servers


def _servers(before: Settings, after: Settings) -> Iterator[Change]:
    for protocol in ("smtp", "pop3"):
        old: Mapping[str, VirtualServer] = getattr(before, protocol)
        new: Mapping[str, VirtualServer] = getattr(after, protocol)
        for name in old.keys() - new.keys():
            yield Change(f"virtual server {protocol}.{name} goes; it listened on {_listed(old[name])}")
        for name in new.keys() - old.keys():
            yield Change(f"virtual server {protocol}.{name} is new; it listens on {_listed(new[name])}")
        for name in sorted(old.keys() & new.keys()):
            yield from _access(f"{protocol}.{name}", old[name].access, new[name].access)


def _listed(server: VirtualServer) -> str:
    return ", ".join(str(end) for end in server.listen) or "nothing"


def _access(name: str, old: Table, new: Table) -> Iterator[Change]:
    was, now = (
        [sentence(entry) for entry in old.entries],
        [sentence(entry) for entry in new.entries],
    )
    for entry in was:
        if entry not in now:
            yield Change(f"{name}: this entry goes: {entry}")
    for entry in now:
        if entry not in was:
            yield Change(f"{name}: this entry is new: {entry}")


# everything else


def _settings(before: Settings, after: Settings) -> Iterator[Change]:
    old, new = dict(_flat(before)), dict(_flat(after))
    gone_or_new = {
        f"{protocol}.{name}."
        for protocol in ("smtp", "pop3")
        for name in getattr(before, protocol).keys() ^ getattr(after, protocol).keys()
    }
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) == new.get(key) or any(key.startswith(prefix) for prefix in gone_or_new):
            continue
        if key not in old:
            yield Change(f"{key} is new: {new[key]}")
        elif key not in new:
            yield Change(f"{key} goes; it was {old[key]}")
        else:
            yield Change(f"{key}: {old[key]} becomes {new[key]}")


def _flat(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Every setting but the access tables, as text by its dotted key."""
    if isinstance(value, Model):
        children: Mapping[str, Any] = {
            name: getattr(value, name)
            for name in type(value).model_fields
            if name not in ("source", "access", "name")
        }
    elif isinstance(value, Mapping):
        children = value
    elif value is None:
        return
    else:
        yield key, _text(value)
        return
    for name, child in children.items():
        yield from _flat(child, f"{key}.{name}" if key else str(name))


def _text(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple | frozenset | list):
        return ", ".join(_text(one) for one in value) or "nothing"
    return str(value)
