"""A secret that a setting names by a file: set or replaced, never shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from gatepost.config.source import KeyPath
from gatepost.console.acting import doing, say_refused
from gatepost.console.context import Context
from gatepost.console.form import Form
from gatepost.console.texts import fields as words
from gatepost.secret import Secret


def secret_button(context: Context, path: KeyPath, label: str, put: Callable[[str], Awaitable[None]]) -> None:
    """Asks for the secret; `put` is told the file that holds it then."""
    button = ui.button(words.SECRET, on_click=lambda: _ask(context, path, label, put)).props("flat dense")
    button.props["aria-haspopup"] = "dialog"
    button.props["aria-label"] = words.SECRET_OF.format(label=label)


def _ask(context: Context, path: KeyPath, label: str, put: Callable[[str], Awaitable[None]]) -> None:
    async def write(form: Form) -> bool:
        typed = form.typed("secret")
        if not typed.strip() or "\n" in typed:
            say_refused(words.SECRET_EMPTY)
            return False
        try:
            file = await doing(words.SECRET_WRITING, lambda: context.acts.secret.put(path, Secret(typed)))
        except OSError as problem:
            say_refused(words.SECRET_FAILED.format(problem=problem.strerror))
            return False
        if file is None:
            return False
        await put(file)
        return True

    with Form(label, words.SECRET_SET, write) as form:
        ui.label(words.SECRET_ABOUT).classes("gp-quiet")
        form.secret("secret", words.SECRET_FIELD, first=True)
