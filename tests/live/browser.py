"""Debian's Chromium, driven by playwright, before a console that a real daemon started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

from daemon.house import House
from gatepost.admin import administrators
from gatepost.admin.roles import Role
from gatepost.config.load import load
from gatepost.store.accounts import Accounts

CHROMIUM = Path("/usr/bin/chromium")
PORT = 8025
PASSWORD = "a long walk at dusk"
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_WAIT_MS = 60_000
CONSOLE = f'\n[console]\nlisten = "{{host}}:{PORT}"\n'


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, ended afterwards."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        yield browser
        browser.close()


def address(house: House) -> str:
    return f"http://{house.host}:{PORT}"


def administrator(house: House, name: str, role: Role = Role.ADMINISTRATOR) -> str:
    """An administrator is there; the link by which it sets its password."""
    settings = load(house.file)
    accounts = Accounts.open(house.place.accounts)
    try:
        return administrators.add(settings, accounts, name, role, by="test")
    finally:
        accounts.close()


def sign_in(browser: Browser, house: House, name: str, role: Role = Role.ADMINISTRATOR) -> Path:
    """Somebody new signs in by the link he got; where the cookies are kept."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(_WAIT_MS)
    page.goto(administrator(house, name, role))
    for label in ("password", "again"):
        page.locator(f"#{label}").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url(lambda url: "/invitation/" not in url)
    cookies = house.folder / f"{name}.cookies"
    context.storage_state(path=cookies)
    context.close()
    return cookies


class Desk:
    """Somebody signed in, at a window of its own."""

    def __init__(self, browser: Browser, house: House, cookies: Path, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(
            storage_state=cookies, reduced_motion="reduce", **options
        )
        self.context.set_default_timeout(_WAIT_MS)
        self.house = house
        self.problems: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))

    def go(self, path: str) -> Page:
        self.page.goto(address(self.house) + path)
        self._connected()
        return self.page

    def came_to(self, pattern: str) -> None:
        """What was pressed led to this page."""
        self.page.wait_for_url(pattern)
        self._connected()

    def _connected(self) -> None:
        self.page.locator("#content").wait_for()
        # Before that the browser keeps what is typed and pressed, and may tell it in another order.
        self.page.wait_for_function("window.did_handshake")

    def begin_anew(self) -> None:
        """What somebody of this name has changed and not applied is discarded."""
        self.go("/history")
        if self.button("Discard").count():
            self.button("Discard").click()
            self.button("Discard").wait_for(state="detached")

    def button(self, name: str, within: Locator | None = None) -> Locator:
        return (within or self.page).get_by_role("button", name=name, exact=True)

    def dialog(self, name: str) -> Locator:
        found = self.page.get_by_role("dialog", name=name, exact=True)
        found.wait_for()
        return found

    def ok(self, dialog: Locator, name: str = "OK") -> None:
        """The dialog is closed by its button."""
        self.button(name, dialog).click()
        dialog.wait_for(state="hidden")

    def review(self) -> Locator:
        """The review is open and has been worked out."""
        self.button("Review and apply...").click()
        dialog = self.dialog("Review and apply")
        dialog.get_by_text("What changes in the file").wait_for()
        return dialog

    def apply(self) -> None:
        """What was changed is in force."""
        dialog = self.review()
        self.ok(dialog, "Apply")
        self.page.get_by_text("is in force.").first.wait_for()

    def close(self) -> None:
        self.context.close()
        assert not self.problems
