"""Every page opens, holds no code of a peer, and serves those who see little, on any screen."""

from __future__ import annotations

from typing import Any

import pytest

from console.pages.gate import CORPUS, IMAGE, REFUSAL, Gate, paths

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("console-pages")]  # one browser, one Gatepost
_LOADED = "() => ![...document.querySelectorAll('[role=status]')].some(e => e.textContent.endsWith('...'))"
_FORGED = "document.querySelectorAll('main img, main svg[onload], main b[onmouseover], main script').length"
_FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def opened(page: Any, path: str) -> None:
    """The page is there, and what it counts was counted."""
    page.goto(path, wait_until="domcontentloaded")
    page.wait_for_selector("main h1")
    page.wait_for_function("window.did_handshake")  # before, typing and pressing may be told in another order
    page.wait_for_function(_LOADED)


def faults(page: Any, options: dict[str, Any] | None = None) -> list[str]:
    """What axe-core has against the page."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page, options=options or {"resultTypes": ["violations"]})
    return [
        f"{page.url}: {rule['id']}: {node['html'][:160]}"
        for rule in found.response["violations"]
        for node in rule["nodes"]
    ]


def test_no_page_executes_what_a_peer_said_and_each_shows_it(page: Any, gate: Gate) -> None:
    shown = ""
    for path in paths(gate):
        opened(page, path)
        assert page.evaluate("window.pwned") is None, path
        assert page.evaluate(_FORGED) == 0, path
        links = page.eval_on_selector_all("a", "all => all.map(one => one.getAttribute('href'))")
        assert [one for one in links if not one.startswith(("/", "#content"))] == [], path
        shown += page.inner_text("main")
    for bad in CORPUS:
        assert bad in shown, bad


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/queues", REFUSAL),
        ("/attacks", IMAGE),
        ("/bans", IMAGE),
        ("/contained", IMAGE),
        ("/tracking", REFUSAL),
    ],
)
def test_what_a_peer_said_is_shown_as_it_was_said(page: Any, gate: Gate, path: str, said: str) -> None:
    opened(page, path)
    assert said in page.inner_text("main")


def test_a_message_shows_header_and_remote_words(page: Any, gate: Gate) -> None:
    opened(page, f"/messages/{gate.deferred(1)[0]['id']}")
    text = page.inner_text("main")
    assert f"X-Bad: {IMAGE}" in text
    assert text.count(CORPUS[0]) > 2  # the subject, too
    assert REFUSAL in text


@pytest.mark.parametrize("part", [0, 1, 2, 3])
def test_every_page_is_clean_in_light_and_dark_and_fits_a_phone(page: Any, gate: Gate, part: int) -> None:
    found: list[str] = []
    # one with a query looks like the page without it, but for the answer of explain
    there = [path for path in paths(gate) if "?" not in path or "&user=" in path]
    for path in there[part::4]:
        page.set_viewport_size({"width": 1280, "height": 900})
        opened(page, path)
        page.evaluate("Quasar.Dark.set(false)")
        found += faults(page)
        page.evaluate("Quasar.Dark.set(true)")
        page.wait_for_selector("body.body--dark")
        found += [f"dark: {one}" for one in faults(page, {"runOnly": ["color-contrast"]})]
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_function(_FITS)  # the tree slides out, charts are drawn anew
    assert found == []


def test_times_are_those_of_the_reader(chromium: Any, gate: Gate) -> None:
    said = []
    for zone in ("Asia/Tokyo", "America/New_York"):
        context = chromium.new_context(base_url=gate.url, timezone_id=zone)
        page = context.new_page()
        opened(page, "/queues")
        opened(page, "/queues")
        said.append(page.inner_text("tbody tr:first-child td:nth-child(6)"))
        context.close()
    assert said[0] != said[1]
