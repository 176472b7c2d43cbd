"""Administrators as an operator handles them: one-time links, and sessions that end with them."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final

from gatepost.admin.roles import Area, Role
from gatepost.config.schema import Settings
from gatepost.store.account_error import BadName
from gatepost.store.accounts import Accounts
from gatepost.store.administrators import Administrator
from gatepost.store.consoledb import ConsoleStore
from gatepost.store.place import Place
from gatepost.store.tokens import Token

Row = dict[str, Any]
LINK_LASTS: Final = timedelta(hours=24)


class NoConsole(BadName):
    """There is no [console], so a link would lead nowhere."""


def console_url(settings: Settings) -> str:
    """Where the console answers, as a browser is told. Raises NoConsole."""
    console = settings.console
    if console is None:
        raise NoConsole(
            "there is no [console] in the configuration", 'write [console] with listen = "127.0.0.1:8025"'
        )
    scheme = "http" if console.certificate is None else "https"
    host = console.listen.host
    if ip_address(host).is_unspecified:
        host = settings.hostname
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{console.listen.port}"


def first_link(settings: Settings, accounts: Accounts, *, by: str) -> str | None:
    """The link by which the first administrator is made; None when there is one. Raises NoConsole."""
    url = console_url(settings)
    if not accounts.administrators.is_empty():
        return None
    return f"{url}/invitation/{accounts.administrators.invite(None, lasts=LINK_LASTS, by=by)}"


def link(settings: Settings, accounts: Accounts, name: str, *, by: str) -> str:
    """The link by which the administrator sets a password. Raises NoConsole, NotFound."""
    url = console_url(settings)
    return f"{url}/invitation/{accounts.administrators.invite(name, lasts=LINK_LASTS, by=by)}"


def add(settings: Settings, accounts: Accounts, name: str, role: Role, *, by: str) -> str:
    """The administrator is there; the link by which it sets its password. Raises AccountError."""
    console_url(settings)
    return link(settings, accounts, accounts.administrators.add(name, role.value, by=by).name, by=by)


def reset(settings: Settings, accounts: Accounts, name: str, *, by: str) -> str:
    """The sessions are over, and the link sets a new password without second factors. Raises AccountError."""
    found = accounts.administrators.get(name)
    made = link(settings, accounts, found.name, by=by)
    end_sessions(Place(settings.state), found.name)
    return made


def remove(settings: Settings, accounts: Accounts, name: str, *, by: str) -> None:
    """It is gone, signed in nowhere, and what it was changing is forgotten. Raises AccountError."""
    found, place = accounts.administrators.get(name), Place(settings.state)
    accounts.administrators.remove(found.name, by=by)
    if place.console.exists():
        store = ConsoleStore(place.console)
        store.end_all_of(found.name)
        store.forget_draft(found.name)


def end_sessions(place: Place, name: str) -> None:
    """Nobody is signed in under the name any more. Raises sqlite3.Error."""
    if place.console.exists():
        ConsoleStore(place.console).end_all_of(name)


def rows(settings: Settings, accounts: Accounts) -> list[Row]:
    """Every administrator, and everybody of a directory who has signed in."""
    place = Place(settings.state)
    sessions = ConsoleStore(place.console).sessions() if place.console.exists() else []
    signed_in = [session.name for session in sessions]
    return [row(one, signed_in.count(one.name)) for one in accounts.administrators.all()]


def row(one: Administrator, sessions: int = 0) -> Row:
    return {
        "name": one.name,
        "role": one.role,
        "directory": one.role is None,
        "password_set": one.password_hash is not None,
        "totp": one.totp_secret is not None,
        "security_keys": [key.label for key in one.keys],
        "sessions": sessions,
        "created": one.created,
    }


def token_rows(settings: Settings, accounts: Accounts) -> list[Row]:
    """Every token without its secret, the newest first."""
    place = Place(settings.state)
    try:
        uses = ConsoleStore(place.console).token_uses() if place.console.exists() else {}
    except sqlite3.Error:
        uses = {}
    return [token_row(one, uses.get(one.id)) for one in accounts.tokens.all()]


def token_row(one: Token, used_at: float | None = None) -> Row:
    return {
        "id": one.id,
        "label": one.label,
        "role": one.role,
        "scope": None if one.areas is None else list(one.areas),
        "created": one.created,
        "expires": one.expires,
        "made_by": one.made_by,
        "last_used": None if used_at is None else _time(used_at),
    }


def areas(words: list[str] | None) -> tuple[str, ...] | None:
    """The areas a token is narrowed to. Raises BadName."""
    if not words:
        return None
    known = [area.value for area in Area]
    for word in words:
        if word not in known:
            raise BadName(f"there is no area {word[:40]!r}", f"write one of {', '.join(known)}")
    return tuple(dict.fromkeys(words))


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
