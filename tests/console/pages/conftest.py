"""Chromium, and one Gatepost for all tests of pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.pages.gate import Gate, begun
from daemon.conftest import furnished
from daemon.house import House

__all__ = ["furnished"]

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="module")  # no longer: no other event loop runs while Playwright's does
def chromium() -> Iterator[Any]:
    """The browser; without it the tests are skipped."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def gate(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """It runs from the first test of pages to the last."""
    made = begun(House.copy(furnished, tmp_path_factory.mktemp("pages") / "house"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def context(chromium: Any, gate: Gate) -> Iterator[Any]:
    """One reader, whose browser has the console's scripts after the first page."""
    made = chromium.new_context(base_url=gate.url, timezone_id="Europe/Berlin", reduced_motion="reduce")
    made.set_default_timeout(60_000)
    yield made
    made.close()


@pytest.fixture
def page(context: Any) -> Iterator[Any]:
    """A page of its own; errors in it fail the test."""
    made = context.new_page()
    problems: list[str] = []
    made.on("pageerror", lambda error: problems.append(str(error)))
    yield made
    made.close()
    assert problems == []
