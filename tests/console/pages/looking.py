"""How pages are looked at: opened, judged by axe-core, narrowed to a phone, darkened."""

from __future__ import annotations

from typing import Any

import pytest

_LOADED = "() => ![...document.querySelectorAll('[role=status]')].some(e => e.textContent.endsWith('...'))"
_FORGED = """document.querySelectorAll(
  'img, svg[onload], b[onmouseover], main script, .q-dialog script').length"""
_FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
_ALL = {"resultTypes": ["violations"]}


def opened(page: Any, path: str) -> None:
    """The page is there, and what it counts was counted."""
    page.goto(path, wait_until="domcontentloaded")
    _connected(page)


def came_to(page: Any, pattern: str) -> None:
    """What was pressed led to this page."""
    page.wait_for_url(pattern)
    _connected(page)


def _connected(page: Any) -> None:
    page.wait_for_selector("main h1")
    page.wait_for_function("window.did_handshake")  # before, typing and pressing may be told in another order
    page.wait_for_function(_LOADED)


def unharmed(page: Any) -> None:
    """Nothing that was said became code, an element, or a link elsewhere."""
    assert page.evaluate("window.pwned") is None, page.url
    assert page.evaluate(_FORGED) == 0, page.url
    links = page.eval_on_selector_all("a", "all => all.map(one => one.getAttribute('href'))")
    assert [one for one in links if one and not one.startswith(("/", "#content"))] == [], page.url


def axe(page: Any, within: str | None = None, *, colours: bool = False) -> list[str]:
    """What axe-core has against the page, or the part of it; `colours`: against its contrasts alone."""
    module = pytest.importorskip("axe_playwright_python.sync_playwright")
    options = {"runOnly": ["color-contrast"]} if colours else _ALL
    found = module.Axe().run(page, context=within, options=options)
    return [
        f"{page.url}: {rule['id']}: {node['html'][:160]}"
        for rule in found.response["violations"]
        for node in rule["nodes"]
    ]


def in_dark(page: Any) -> None:
    page.evaluate("Quasar.Dark.set(true)")
    page.wait_for_selector("body.body--dark")


def fits(page: Any) -> None:
    """Nothing has to be scrolled sideways, once the tree has slid out and charts are drawn anew."""
    page.wait_for_function(_FITS)
