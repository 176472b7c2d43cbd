"""Every page opens, holds no code of a peer, and serves those who see little, on any screen."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from console.pages.gate import CORPUS, IMAGE, REFUSAL, ZONE, Gate, paths
from console.pages.looking import axe, fits, in_dark, opened, unharmed

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("console-pages")]  # one browser, one Gatepost
_SAID = {
    "/": (IMAGE,),
    "/queues": (*CORPUS, REFUSAL),
    "message": (f"X-Bad: {IMAGE}", REFUSAL),
    "/attacks": (*CORPUS, "wrote to recipients whom nobody knows"),
    "/bans": (IMAGE,),
    "/certificates": CORPUS,
    "/changes": (IMAGE,),
    "/contained": (IMAGE,),
    "/groups": (IMAGE,),
    "/tracking": (*CORPUS, REFUSAL),
    "/users": (IMAGE,),
}
"""What peers, and those who administer, have said stands there as they said it."""


@pytest.mark.parametrize("part", [0, 1, 2, 3])
def test_every_page_shows_what_was_said_as_text_and_serves_everybody(
    page: Any, gate: Gate, part: int
) -> None:
    found: list[str] = []
    for path in paths(gate)[part::4]:
        page.set_viewport_size({"width": 1280, "height": 900})
        opened(page, path)
        unharmed(page)
        text = page.inner_text("main")
        found += [f"{path} lacks {said}" for said in _said(path) if said not in text]
        # one with a query looks like the page without it, but for the answer of explain
        if "?" not in path or "&user=" in path:
            page.evaluate("Quasar.Dark.set(false)")
            found += axe(page)
            in_dark(page)
            found += [f"dark: {one}" for one in axe(page, colours=True)]
            page.set_viewport_size({"width": 390, "height": 844})
            fits(page)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", ["/queues", "/tracking"])
def test_the_widest_tables_fit_into_a_window_of_any_width(page: Any, gate: Gate, path: str) -> None:
    opened(page, path)
    for width in (1280, 1130, 1024, 801, 761):
        page.set_viewport_size({"width": width, "height": 700})
        fits(page)


def _said(path: str) -> tuple[str, ...]:
    is_there = path.startswith("/messages/") and path.strip("/0") != "messages"
    return _SAID["message"] if is_there else _SAID.get(path, ())


def test_times_are_those_of_the_reader(chromium: Any, gate: Gate) -> None:
    context = chromium.new_context(base_url=gate.url, timezone_id=ZONE)
    context.add_cookies([{"name": "who", "value": IMAGE, "url": gate.url}])
    page = context.new_page()
    opened(page, "/queues?order=oldest")  # at the very first look, too
    assert IMAGE in page.inner_text("header")
    unharmed(page)
    shown = page.inner_text("tbody tr:first-child td:nth-child(6)")
    arrived = datetime.fromisoformat(gate.queue()[0]["received_at"])
    assert shown == arrived.astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%d %H:%M:%S")
    context.close()
