"""A secret that a setting names by a file: set or replaced, never shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from nicegui import ui

from gatepost.config.source import KeyPath
from gatepost.console.acting import doing, say_refused
from gatepost.console.context import Context
from gatepost.console.form import Form
from gatepost.console.texts import fields as words
from gatepost.console.upload import ChosenFile
from gatepost.secret import Secret

_KEYTAB: Final = b"\x05\x02"  # MIT krb5, keytab file format: version 5.2, which all write


def secret_button(context: Context, path: KeyPath, label: str, put: Callable[[str], Awaitable[None]]) -> None:
    """Asks for the secret; `put` is told the file that holds it then."""
    button = ui.button(words.SECRET, on_click=lambda: _ask(context, path, label, put)).props("flat dense")
    button.props["aria-haspopup"] = "dialog"
    button.props["aria-label"] = words.SECRET_OF.format(label=label)


def keytab_button(context: Context, path: KeyPath, label: str, put: Callable[[str], Awaitable[None]]) -> None:
    """Asks for a file with keys of Kerberos; `put` is told the file that holds them here then."""
    button = ui.button(words.UPLOAD, on_click=lambda: _upload(context, path, label, put)).props("flat dense")
    button.props["aria-haspopup"] = "dialog"
    button.props["aria-label"] = words.UPLOAD_OF.format(label=label)


def _upload(context: Context, path: KeyPath, label: str, put: Callable[[str], Awaitable[None]]) -> None:
    async def write(form: Form) -> bool:
        content = file.content
        if content is None or not content.startswith(_KEYTAB):
            say_refused(words.NO_KEYTAB)
            return False
        return await _written(put, lambda: context.acts.secret.put_file(path, content))

    with Form(label, words.SECRET_SET, write):
        ui.label(words.SECRET_ABOUT).classes("gp-quiet")
        file = ChosenFile(words.KEYTAB_FIELD)


async def _written(put: Callable[[str], Awaitable[None]], act: Callable[[], Awaitable[str]]) -> bool:
    try:
        file = await doing(words.SECRET_WRITING, act)
    except OSError as problem:
        say_refused(words.SECRET_FAILED.format(problem=problem.strerror))
        return False
    if file is None:
        return False
    await put(file)
    return True


def _ask(context: Context, path: KeyPath, label: str, put: Callable[[str], Awaitable[None]]) -> None:
    async def write(form: Form) -> bool:
        typed = form.typed("secret")
        if not typed.strip() or "\n" in typed:
            say_refused(words.SECRET_EMPTY)
            return False
        return await _written(put, lambda: context.acts.secret.put(path, Secret(typed)))

    with Form(label, words.SECRET_SET, write) as form:
        ui.label(words.SECRET_ABOUT).classes("gp-quiet")
        form.secret("secret", words.SECRET_FIELD, first=True)
