"""Every dialog of the pages: opened by keyboard, clean for axe-core, whole on a phone, closed by Escape."""

from __future__ import annotations

from typing import Any

import pytest

from console.pages.gate import Gate
from console.pages.looking import axe, opened

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("console-pages")]  # one browser, one Gatepost
DIALOGS = {
    "/users": ("New user...",),
    "/users/ann@example.org": (
        "Edit...",
        "Set password...",
        "Disable",
        "Contain...",
        "Delete...",
        "Add to group...",
        "New device password...",
    ),
    "/groups": ("New group...",),
    "/groups/POP3%20Relay": ("Add member...", "Delete..."),
    "/aliases": ("New alias...", "Delete eva@example.org"),
    "/bans": ("Ban a source...", "Pardon a name..."),
    "/attacks": ("Ban 127.0.0.1",),
    "/queues": ("Hold", "Return to sender...", "Delete..."),
    "/certificates": ("Import...", "Make self-signed..."),
    "/administrators": ("New administrator...", "New token..."),
    "/servers/smtp/submission?tab=access": (
        "Delete...",
        "Authentication...",
        "Certificate...",
        "Communication...",
        "Connection...",
        "Relay...",
        "Add an entry...",
    ),
}
"""The page, and the buttons that open one."""
_FOCUSED = "() => document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
_INSIDE = "() => document.activeElement.closest('.q-dialog') !== null"
_GONE = "() => !document.querySelector('.q-dialog')"
_PARTS = 4


def begun(page: Any, path: str) -> None:
    """What has to be so before the buttons can be pressed."""
    if path == "/queues":
        page.get_by_role("checkbox", name="all messages there are, also on other pages").click()
    if path == "/attacks":
        page.get_by_role("button", name="Ban 127.0.0.1", exact=True).first.wait_for()


@pytest.mark.parametrize("part", range(_PARTS))
def test_dialogs_serve_everybody_and_give_the_focus_back(page: Any, gate: Gate, part: int) -> None:
    found: list[str] = []
    for path in list(DIALOGS)[part::_PARTS]:
        page.set_viewport_size({"width": 1280, "height": 900})
        opened(page, path)
        page.evaluate("Quasar.Dark.set(false)")
        begun(page, path)
        for name in DIALOGS[path]:
            found += [f"{path} {name}: {one}" for one in _looked_at(page, name)]
    assert not found, "\n".join(found)


def _looked_at(page: Any, name: str) -> list[str]:
    button = page.locator("main").get_by_role("button", name=name, exact=True).first
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(_INSIDE)
    page.wait_for_selector(".q-dialog__inner:not([class*=q-transition])")
    if name == "Import...":
        page.wait_for_selector("input[type=file][aria-label]", state="attached")
    found = axe(page, ".q-dialog")
    page.evaluate("Quasar.Dark.set(true)")
    found += [f"dark: {one}" for one in axe(page, ".q-dialog", colours=True)]
    page.evaluate("Quasar.Dark.set(false)")
    page.set_viewport_size({"width": 390, "height": 844})
    box = page.locator(".q-dialog .q-card").bounding_box()
    if box["x"] < 0 or box["x"] + box["width"] > 390 or box["y"] < 0 or box["y"] + box["height"] > 844:
        found.append(f"cut off: {box}")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.keyboard.press("Escape")
    page.wait_for_function(_GONE)
    said = page.evaluate(_FOCUSED)
    return found if name in said else [*found, f"the focus is at {said!r}"]
