"""Acts done from the console: what they answer, or in plain words why they were refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import quote

from nicegui import ui

from gatepost.admin.actor import Forbidden, SignInAgain
from gatepost.admin.link import NotRunning, Refused
from gatepost.console.parts import dialog_frame
from gatepost.console.texts import acting as words
from gatepost.console.visitor import SignedOut
from gatepost.store.account_error import AccountError

T = TypeVar("T")
AGAIN = "/sign-in/again"


async def doing(
    what: str, act: Callable[[], Awaitable[T]], *, offer: Callable[[str], None] | None = None
) -> T | None:
    """What the act gives; None when it was refused, which has been said then.

    While it lasts, a line says what is being done. `offer` is told the risk, where it may be done even so.
    """
    notice = ui.notification(what, spinner=True, timeout=None, position="bottom")
    try:
        return await act()
    except SignInAgain:
        sign_in_again()
    except SignedOut:
        ui.navigate.to("/sign-in")
    except AccountError as problem:
        say_refused(f"{problem.problem}; {problem.remedy}.")
        if problem.risk and offer is not None:
            offer(problem.risk)
    except (Forbidden, Refused, NotRunning) as problem:
        say_refused(str(problem))
    finally:
        notice.dismiss()
    return None


def say_refused(problem: str) -> None:
    """The words stand until they are closed."""
    ui.notification(problem, type="negative", timeout=None, close_button=words.CLOSE, multi_line=True)


def sign_in_again() -> None:
    """Leads to the password and back to this page; what was being changed is kept."""
    url = ui.context.client.request.url
    here = url.path + (f"?{url.query}" if url.query else "")
    with dialog_frame(words.AGAIN_TITLE, narrow=True) as frame:
        with frame.body:
            ui.label(words.AGAIN)
        with frame.foot:
            ui.button(words.CANCEL, on_click=frame.dialog.close).props("flat")
            ui.button(words.GO_AGAIN, on_click=lambda: ui.navigate.to(f"{AGAIN}?next={quote(here, safe='')}"))
