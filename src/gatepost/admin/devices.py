"""All devices as an operator sees them: what was seen of each, and those that were never seen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gatepost.admin.app_passwords import app_password_rows
from gatepost.admin.device_watch import DEVICES, device_row, patience
from gatepost.admin.link import NotRunning, Refused, ask_daemon
from gatepost.config.schema import Settings
from gatepost.guard.rhythms import Rhythms
from gatepost.guard.sighting import DeviceKind, Watched
from gatepost.store.accounts import Accounts
from gatepost.store.guarddb import GuardStore, Memory
from gatepost.store.place import Place

Row = dict[str, Any]
_ORDER = {state: number for number, state in enumerate(("silent", "expired", "unused", "learning", "well"))}
_TIMES = ("last_used", "last_sent", "silent_since")


def device_rows(settings: Settings, accounts: Accounts) -> list[Row]:
    """Every device, those that are missed first. Times are ISO 8601, UTC; no secret is in it.

    Works whether a Gatepost runs or not. Raises sqlite3.Error, DatabaseError.
    """
    seen = {row["name"].casefold(): row for row in _seen(settings)}
    secrets = app_password_rows(settings, accounts)
    for secret in secrets:
        name = f"{secret['account']}/{secret['label']}"
        row = seen.setdefault(name.casefold(), _unseen(name, secret))
        row |= {"expires": secret["expires"]}
        if secret["state"] == "expired":
            row["state"] = "expired"
    there = {f"{secret['account']}/{secret['label']}".casefold() for secret in secrets}
    rows = [
        {"expires": None, **row}
        for name, row in seen.items()
        if row["kind"] != DeviceKind.APP_PASSWORD.value or name in there
    ]
    return sorted(rows, key=lambda row: (_ORDER[row["state"]], row["name"]))


def with_uses(settings: Settings, rows: list[Row]) -> list[Row]:
    """Rows of app passwords with when and from where each was last used, and whether it is missed."""
    seen = {(row["of"], row["label"]): row for row in _seen(settings) if row["label"] is not None}
    for row in rows:
        use = seen.get((row["account"], row["label"]), {})
        good = row["state"] == "good"
        row["last_used"] = use.get("last_used")
        row["last_source"] = use.get("source")
        row["watch"] = use.get("state", "unused") if good else None
    return rows


def forget_device(settings: Settings, name: str) -> Row:
    """The device is not missed any more; when it is seen again it is a new one.

    Raises Refused (exit code 3: it was never seen).
    """
    place = Place(settings.state)
    try:
        row: Row = ask_daemon(place.control, "device-forget", name=name)
        return _shown(row)
    except NotRunning:
        rhythms = _kept(settings)
        for what, device in rhythms:
            if str(what).casefold() == name.strip().casefold():
                rhythms.forget(what)
                now = datetime.now(UTC).timestamp()
                GuardStore(place.guard).remember(DEVICES, Memory(now, rhythms.snapshot()))
                return _shown(device_row(what, device, rhythms.state(device)))
        raise Refused(f"no device {name[:200]!r} was seen; `gatepost devices` lists them", 3) from None


def _seen(settings: Settings) -> list[Row]:
    try:
        rows: list[Row] = ask_daemon(Place(settings.state).control, "devices")
    except NotRunning:
        rhythms = _kept(settings)
        rows = [device_row(what, device, rhythms.state(device)) for what, device in rhythms]
    return [_shown(row) for row in rows]


def _kept(settings: Settings) -> Rhythms:
    """What was learnt when Gatepost last ran."""
    rhythms = Rhythms(patience(settings.guard.devices))
    guard = Place(settings.state).guard
    memory = GuardStore(guard).memory(DEVICES) if guard.exists() else None
    if memory is not None:
        rhythms.restore(memory.value, datetime.now(UTC).timestamp())
    return rhythms


def _unseen(name: str, secret: Row) -> Row:
    what = Watched(DeviceKind.APP_PASSWORD, secret["account"], secret["label"])
    return {
        "name": name,
        "kind": what.kind.value,
        "of": what.of,
        "label": what.label,
        "state": "unused",
        "source": None,
        "last_used": None,
        "last_sent": None,
        "usual_seconds": None,
        "silent_since": None,
    }


def _shown(row: Row) -> Row:
    return row | {key: _time(row[key]) for key in _TIMES}


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
