"""Certificates: what there is, until when, who uses it; import by upload, and a self-signed one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from nicegui import ui

from gatepost.admin.acts_certificates import NewCertificate
from gatepost.admin.certificate import certificate_rows
from gatepost.admin.certimport import CannotImport
from gatepost.config.edit import EditError
from gatepost.console.acting import doing, say_refused
from gatepost.console.context import Context
from gatepost.console.form import Form
from gatepost.console.page import page
from gatepost.console.saying import count
from gatepost.console.table import Text, empty, facts, heading, link, section
from gatepost.console.texts import looking as words
from gatepost.console.upload import ChosenFile
from gatepost.secret import Secret

Row = dict[str, Any]
_SOON_DAYS: Final = 30
_BAD_DAYS: Final = 7


@page("/certificates", words.CERTIFICATES, "certificates")
async def certificates(context: Context) -> None:
    """Each with its facts."""
    heading(words.CERTIFICATES, words.ABOUT_CERTIFICATES)
    if context.acts.may("cert-import"):
        with ui.element("div").classes("gp-verbs"):
            ui.button(words.IMPORT, icon="o_upload", on_click=lambda: _import(context)).props("outline")
            ui.button(words.MAKE, icon="o_note_add", on_click=lambda: _make(context)).props("outline")
    link(words.AS_FILES, "/certificate-files")
    settings = context.house.settings()
    rows = await context.house.work(lambda: certificate_rows(settings))
    if not rows:
        empty(words.NO_CERTIFICATES, words.NO_CERTIFICATES_REMEDY)
    for row in rows:
        with ui.element("div").classes("gp-panel"):
            _certificate(context, row)


def _certificate(context: Context, row: Row) -> None:
    section(row["name"])
    used = ", ".join(row["used_by"]) or words.UNUSED
    if "problem" in row:
        Text("span", words.UNREADABLE, "gp-state bad")
        facts([(words.FILE, row["file"]), (words.USED_BY, used)])
        return
    days = row["days_left"]
    kind = "bad" if days < _BAD_DAYS else "warn" if days < _SOON_DAYS else "good"
    left = count(days, *words.DAYS) if days >= 0 else words.ENDED
    facts(
        [
            (words.LEFT, lambda: Text("span", left, f"gp-state {kind}")),
            (words.ENDS, context.local_time(row["not_after"])),
            (words.FOR, ", ".join(row["names"])),
            (words.USED_BY, used),
            (words.ISSUER, words.SELF_SIGNED if row["self_signed"] else row["issuer"]),
            (words.FILE, row["file"]),
            (words.FINGERPRINT, lambda: Text("span", row["sha256"], "gp-mono gp-break")),
        ]
    )


def _import(context: Context) -> None:
    async def bring(form: Form) -> bool:
        if file.content is None:
            say_refused(words.NO_FILE)
            return False
        password = form.typed("password")
        new = NewCertificate(
            file.content, form["name"], key.content, Secret(password) if password else None,
            even_so=form["even_so"],
        )  # fmt: skip
        return await _brought(context, lambda: context.acts.certificate.bring(new))

    with Form(words.IMPORT.rstrip("."), words.IMPORT_VERB, bring) as form:
        file = ChosenFile(words.CHOOSE_FILE)
        key = ChosenFile(words.CHOOSE_KEY)
        form.secret("password", words.PASSWORD)
        form.line("name", words.AS_NAME, "default")
        form.tick("even_so", words.EVEN_SO)


def _make(context: Context) -> None:
    async def make(form: Form) -> bool:
        names, name = form.lines("hostnames"), form["name"]
        return await _brought(context, lambda: context.acts.certificate.make(names, name=name))

    with Form(words.MAKE.rstrip("."), words.MAKE_VERB, make) as form:
        form.text("hostnames", words.HOSTNAMES, context.house.settings().hostname)
        form.line("name", words.AS_NAME, "default")


async def _brought(context: Context, act: Callable[[], Awaitable[Row]]) -> bool:
    try:
        row = await doing(words.IMPORTING, act)
    except (CannotImport, EditError, OSError) as problem:
        say_refused(str(problem))
        return False
    if row is None:
        return False
    _tell(context, row)
    return True


def _tell(context: Context, row: Row) -> None:
    """What was imported, and what may keep clients from trusting it."""
    with ui.dialog(value=True).props("persistent") as dialog, ui.card().classes("gp-form"):
        dialog.props["aria-label"] = words.CERTIFICATES
        names, ends = ", ".join(row["names"]), context.local_time(row["not_after"])[:10]
        Text("p", words.IMPORTED.format(name=row["name"], names=names, ends=ends), "gp-note good gp-break")
        for doubt in row["doubts"]:
            Text("p", words.DOUBT.format(doubt=doubt), "gp-note warn gp-break")

        ui.button(words.DONE, on_click=ui.navigate.reload).props("unelevated autofocus")
