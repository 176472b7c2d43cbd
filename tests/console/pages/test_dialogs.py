"""Every dialog of the pages: opened by keyboard, clean for axe-core, whole on a phone, closed by Escape."""

from __future__ import annotations

from typing import Any

import pytest

from console.pages.gate import IMAGE, Gate
from console.pages.looking import axe, opened, unharmed

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
    "/administrators": (
        "New administrator...",
        "Role of viv",
        "New link for viv",
        "Remove viv",
        "New token...",
        f"Revoke {IMAGE}",
    ),
    "/devices": (f"Change {IMAGE}...", f"Revoke {IMAGE}"),
    "/history": ("Compare generation 1 with now",),
    "/guard-settings": ("Review and apply...",),
    "/servers/smtp/submission?tab=access": (
        "Delete...",
        "Authentication...",
        "Certificate...",
        "Communication...",
        "Connection...",
        "Relay... > Users... > Add...",
        "Add an entry...",
    ),
}
"""The page, and the buttons that open one; after > those in it that open the next."""
_FOCUSED = "() => document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
# The last dialog is the one on top; it is marked for axe-core.
_INSIDE = """count => {
  const all = [...document.querySelectorAll('.q-dialog')], top = all.at(-1);
  all.forEach(one => one.classList.toggle('on-top', one === top));
  return all.length === count && top.contains(document.activeElement)
    && !top.querySelector('.q-dialog__inner[class*=q-transition], .q-linear-progress--indeterminate');
}"""
_LEFT = "count => document.querySelectorAll('.q-dialog').length === count"
_PARTS = 4


def begun(page: Any, path: str) -> None:
    """What has to be so before the buttons can be pressed."""
    if path == "/queues":
        page.get_by_role("checkbox", name="all messages there are, also on other pages").click()
    if path == "/attacks":
        page.get_by_role("button", name="Ban 127.0.0.1", exact=True).first.wait_for()
    if path == "/guard-settings":
        field = page.get_by_label("Names that make a spray", exact=True)
        field.fill("51")
        field.press("Tab")
        page.get_by_role("button", name="Review and apply...", exact=True).wait_for()


def ended(page: Any, path: str) -> None:
    """Nothing is left to be applied."""
    if path == "/guard-settings":
        page.get_by_role("button", name="Discard", exact=True).click()
        page.get_by_role("button", name="Discard", exact=True).wait_for(state="detached")


@pytest.mark.parametrize("part", range(_PARTS))
def test_dialogs_serve_everybody_and_give_the_focus_back(page: Any, gate: Gate, part: int) -> None:
    found: list[str] = []
    for path in list(DIALOGS)[part::_PARTS]:
        page.set_viewport_size({"width": 1280, "height": 900})
        opened(page, path)
        page.evaluate("Quasar.Dark.set(false)")
        begun(page, path)
        for names in DIALOGS[path]:
            found += [f"{path} {names}: {one}" for one in _looked_at(page, names)]
        ended(page, path)
    assert not found, "\n".join(found)


def _looked_at(page: Any, names: str, below: int = 0) -> list[str]:
    """What is wrong with the dialog, and with those that are opened from it."""
    name, _, deeper = names.partition(" > ")
    base = page.locator(".q-dialog").nth(below - 1) if below else page.locator("main")
    base.get_by_role("button", name=name, exact=True).first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(_INSIDE, arg=below + 1)
    if name == "Import...":
        page.wait_for_selector("input[type=file][aria-label]", state="attached")
    unharmed(page)
    found = axe(page, ".on-top")
    page.evaluate("Quasar.Dark.set(true)")
    found += [f"dark: {one}" for one in axe(page, ".on-top", colours=True)]
    page.evaluate("Quasar.Dark.set(false)")
    found += _cut_off(page)
    found += [f"{name}: {one}" for one in _looked_at(page, deeper, below + 1)] if deeper else []
    page.keyboard.press("Escape")
    page.wait_for_function(_LEFT, arg=below)
    said = page.evaluate(_FOCUSED)
    return found if name in said else [*found, f"the focus is at {said!r}"]


def _cut_off(page: Any) -> list[str]:
    """A phone shows the whole dialog."""
    page.set_viewport_size({"width": 390, "height": 844})
    box = page.locator(".on-top .q-card").bounding_box()
    page.set_viewport_size({"width": 1280, "height": 900})
    is_whole = box["x"] >= 0 and box["x"] + box["width"] <= 390
    return [] if is_whole and box["y"] >= 0 and box["y"] + box["height"] <= 844 else [f"cut off: {box}"]
