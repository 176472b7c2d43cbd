"""Accounts that were attacked, and what their owners noticed of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from gatepost.config.schema import Settings
from gatepost.store.accounts import Accounts
from gatepost.store.attacked import OwnerView, owner_view
from gatepost.store.attempts import Attempts
from gatepost.store.place import Place

_NAMES: Final = 500  # so many of the names tried are compared with accounts
Row = dict[str, Any]


def owners(settings: Settings, accounts: Accounts, since: float, *, limit: int = 20) -> list[Row]:
    """Local accounts by the number of guesses, those hindered first. Raises sqlite3.Error."""
    place = Place(settings.state)
    if not place.attempts.exists():
        return []
    attempts, tried = Attempts(place.attempts), dict[str, list[str]]()
    for tally in attempts.by_name(since, _NAMES):
        user = accounts.users.find(_plain(tally.what), tuple(settings.domains))
        if user is not None:
            tried.setdefault(user.name, []).append(tally.what)
    views = [owner_view(attempts, account, names, since) for account, names in list(tried.items())[:limit]]
    return [owner_row(view) for view in sorted(views, key=lambda view: (-view.hindered, -view.guesses))]


def owner_row(view: OwnerView) -> Row:
    """Times are ISO 8601, UTC."""
    last = view.last_login
    return {
        "account": view.account,
        "guesses": view.guesses,
        "guessers": view.guessers,
        "logins": view.logins,
        "own_failures": view.own_failures,
        "hindered": view.hindered,
        "noticed": view.noticed,
        "last_login": None
        if last is None
        else datetime.fromtimestamp(last, UTC).isoformat(timespec="seconds"),
    }


def _plain(name: str) -> str:
    """`CORP\\bob` was tried as bob."""
    return name.rpartition("\\")[2]
