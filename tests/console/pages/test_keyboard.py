"""Without a mouse: everything is reached, one sees where one is, and what was opened gives the focus back."""

from __future__ import annotations

from typing import Any

import pytest

from console.pages.gate import Gate, until
from console.pages.looking import opened

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("console-pages")]  # one browser, one Gatepost
# Where the focus is, whether that is to be seen, and what was never reached.
_LOOK = """() => {
  const one = document.activeElement;
  one.dataset.reached = 'yes';
  const framed = getComputedStyle(one);
  const seen = framed.boxShadow !== 'none'
    || (framed.outlineStyle !== 'none' && parseFloat(framed.outlineWidth) >= 2)
    || one.closest('.q-field--focused, .q-checkbox:focus, .q-checkbox:focus-visible') !== null;
  return [one === document.body, seen ? '' : one.outerHTML.slice(0, 160)];
}"""
_MISSED = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, [tabindex="0"]')]
  .filter(one => !one.dataset.reached && !one.disabled && one.tabIndex >= 0 && one.checkVisibility())
  .map(one => one.outerHTML.slice(0, 160))"""
_NAME = "() => document.activeElement.getAttribute('aria-label') || document.activeElement.innerText.trim()"


def test_tab_reaches_everything_and_shows_where_it_is(page: Any, gate: Gate) -> None:
    opened(page, "/queues?state=held")
    unseen = []
    for _ in range(120):
        page.keyboard.press("Tab")
        is_round, hidden = page.evaluate(_LOOK)
        if is_round:
            break
        unseen += [hidden] if hidden else []
    assert unseen == []
    assert page.evaluate(_MISSED) == []


def test_a_message_is_held_and_a_menu_closed_by_keyboard(page: Any, gate: Gate) -> None:
    one = gate.deferred(1)[0]["id"]
    opened(page, "/queues?order=oldest")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "gp-skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(_NAME) == "Sender"  # the tree is skipped
    page.get_by_label(f"Choose {one}").focus()
    page.keyboard.press("Space")
    for name, state in (("Hold", "held"), ("Release", "deferred")):
        button = page.get_by_role("button", name=name, exact=True)
        page.wait_for_function("one => !one.disabled", arg=button.element_handle())
        button.focus()
        page.keyboard.press("Enter")
        until(
            lambda: next(row for row in gate.queue() if row["id"] == one)["state"],
            lambda now, s=state: now == s,
        )
        page.wait_for_load_state()
        opened(page, "/queues?order=oldest")
        page.get_by_label(f"Choose {one}").focus()
        page.keyboard.press("Space")
    menu = page.get_by_role("button", name="Menu of smtp.internet")
    menu.focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Stop").wait_for()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.activeElement.closest('.q-menu') !== null")
    page.keyboard.press("Escape")
    page.get_by_role("menuitem", name="Stop").wait_for(state="hidden")
    assert page.evaluate(_NAME) == "Menu of smtp.internet"
