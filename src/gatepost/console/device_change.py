"""What a device's password is good for, changed; the secret stays."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from nicegui import ui

from gatepost.admin.app_passwords import expiry_of
from gatepost.config.allotments import Allotted
from gatepost.console.acting import doing
from gatepost.console.confirm import confirmed
from gatepost.console.context import Context
from gatepost.console.described import key_of
from gatepost.console.form import Form
from gatepost.console.texts import devices as words
from gatepost.console.texts import people
from gatepost.policy.allotment import Allotment
from gatepost.store.account_error import BadName
from gatepost.store.app_password import AppPasswordChange, networks_of, senders_of

Row = dict[str, Any]
_LIMITS = tuple(Allotted.model_fields)


def change_button(context: Context, row: Row) -> None:
    """Opens the form for an app password, where the role reaches so far."""
    if not context.acts.may("app-password-change"):
        return
    button = ui.button(words.CHANGE, on_click=lambda: _open(context, row)).props("flat dense")
    button.props["aria-haspopup"] = "dialog"
    button.props["aria-label"] = words.CHANGE_THIS.format(label=row["label"])


def revoke_button(context: Context, account: str, label: str) -> None:
    """Asks, and revokes it."""
    if not context.acts.may("app-password-revoke"):
        return
    button = ui.button(people.REVOKE, on_click=lambda: _revoke(context, account, label)).props("flat dense")
    button.props["aria-label"] = people.REVOKE_THIS.format(label=label)


def _open(context: Context, row: Row) -> None:
    async def change(form: Form) -> bool:
        async def act() -> Row:
            changed = _changed(form, row)
            return await context.acts.device.change(row["account"], row["label"], changed)

        done = await doing(people.CHANGING.format(name=row["label"]), act)
        if done is not None:
            ui.navigate.reload()
        return done is not None

    with Form(row["label"], people.SAVE, change) as form:
        form.text("networks", people.FROM_NETWORKS, "\n".join(row["networks"]))
        form.text("senders", words.SENDERS, "\n".join(row["senders"]))
        form.line("expires", words.EXPIRES, row["expires"] or "")
        form.tick("collects", people.COLLECTS, value=row["collects"])
        for key in _LIMITS:
            said = row["limits"].get(key)
            form.line(key, key_of(Allotted, key).label, "" if said is None else str(said))


def _changed(form: Form, row: Row) -> AppPasswordChange:
    """Raises BadName."""
    expires = str(form["expires"])
    is_same = expires == (row["expires"] or "")
    return AppPasswordChange(
        networks=networks_of(form.lines("networks")),
        senders=senders_of(form.lines("senders")),
        limits=Allotment(**{key: _number(key, str(form[key])) for key in _LIMITS}),
        collects=bool(form["collects"]),
        expires=None if is_same or not expires else expiry_of(expires, datetime.now(UTC)),
        unending=not expires,
    )


def _number(key: str, text: str) -> int:
    """0: nothing is said of it."""
    digits = text.replace("_", "").replace(" ", "")
    if digits and not digits.isdecimal():
        raise BadName(f"{key_of(Allotted, key).label}: {text!r} is no number", "write digits, or nothing")
    return int(digits or 0)


async def _revoke(context: Context, account: str, label: str) -> None:
    if not await confirmed(people.SURE_REVOKE.format(label=label), people.REVOKE):
        return
    what = people.CHANGING.format(name=label)
    if await doing(what, lambda: context.acts.device.revoke(account, label)) is not None:
        ui.navigate.reload()
