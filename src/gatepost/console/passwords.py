"""Passwords that are typed twice."""

from __future__ import annotations

from gatepost.console.acting import say_refused
from gatepost.console.form import Form
from gatepost.console.texts import people as words
from gatepost.secret import Secret


def password_of(form: Form) -> Secret | None:
    """The password in the fields `password` and `again`; None when they differ, which has been said."""
    typed = form.typed("password")
    if typed != form.typed("again"):
        say_refused(words.DIFFERENT)
        return None
    return Secret(typed)
