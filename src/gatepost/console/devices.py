"""The device passwords of an account: listed without their secrets, made and shown once, revoked."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from gatepost.admin.app_passwords import Issued
from gatepost.console.acting import doing
from gatepost.console.context import Context
from gatepost.console.device_change import change_button, revoke_button
from gatepost.console.form import Form
from gatepost.console.table import Column, Table, Text, empty, section
from gatepost.console.texts import people as words
from gatepost.store.app_password import NewAppPassword, grouped, networks_of

Row = dict[str, Any]


async def devices(context: Context, name: str) -> None:
    """The section of a user's page."""
    section(words.APP_PASSWORDS)
    Text("p", words.ABOUT_APP_PASSWORDS, "gp-quiet")
    if context.acts.may("user-app-password"):
        with ui.element("div").classes("gp-verbs"):
            ui.button(words.NEW_APP_PASSWORD, icon="o_print", on_click=lambda: _new(context, name)).props(
                "outline dense padding='4px 10px'"
            )
    rows = await context.acts.device.app_passwords(name)
    if not rows:
        empty(words.NO_APP_PASSWORDS)

    def acts(row: Row) -> None:
        with ui.element("span"):
            change_button(context, row)
            revoke_button(context, name, row["label"])

    columns = [
        Column[Row](words.DEVICE, lambda row: row["label"]),
        Column[Row](words.STATE, lambda row: words.DEVICE_STATES.get(row["state"], row["state"])),
        Column[Row](words.FROM, lambda row: ", ".join(row["networks"]) or words.ANYWHERE),
        Column[Row](words.CREATED, lambda row: context.local_time(row["created"]), "gp-nowrap"),
        Column[Row](words.BY, lambda row: row["made_by"]),
        Column[Row](
            words.EXPIRES, lambda row: context.local_time(row["expires"]) if row["expires"] else words.NEVER
        ),
    ]
    if context.acts.may("app-password-revoke"):
        columns.append(Column(words.REVOKE, acts))
    Table(words.APP_PASSWORDS, columns, rows)


def _new(context: Context, name: str) -> None:
    async def make(form: Form) -> bool:
        async def act() -> Issued:
            networks = networks_of(form.lines("networks"))
            new = NewAppPassword(str(form["label"]), networks, collects=bool(form["collects"]))
            return await context.acts.device.add(name, new)

        issued = await doing(words.ADDING.format(name=form["label"]), act)
        if issued is None:
            return False
        _show(issued)
        return True

    with Form(words.NEW_APP_PASSWORD.rstrip("."), words.ADD, make) as form:
        form.line("label", words.LABEL, first=True)
        form.text("networks", words.FROM_NETWORKS)
        form.tick("collects", words.COLLECTS)


def _show(issued: Issued) -> None:
    """The only time that the secret is seen. It goes with the dialog."""
    title = words.NEW_APP_PASSWORD.rstrip(".")
    with ui.dialog(value=True).props("persistent") as dialog, ui.card().classes("gp-form"):
        dialog.props["aria-label"] = title
        Text("h2", title)
        Text("p", words.SHOWN_ONCE.format(label=issued.app_password.label))
        Text("output", grouped(issued.secret), "gp-secret gp-mono")
        for note in issued.notes:
            Text("p", note, "gp-note warn")

        ui.button(words.I_HAVE_IT, on_click=ui.navigate.reload).props("unelevated autofocus")
