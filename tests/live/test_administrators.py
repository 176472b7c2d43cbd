"""The page of administrators and tokens in a real browser: what is secret is seen once."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from console.rig import PASSWORD, Rig, make_file
from gatepost.console.console import mount_console
from live.test_security_key import ARGUMENTS, CHROMIUM, served

pytestmark = [pytest.mark.live, pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing")]
NASTY = "<img src=x onerror=alert(1)>"


def test_links_and_tokens_are_shown_once(tmp_path: Path) -> None:
    rig = Rig(make_file(tmp_path / "house"), mount_console)
    rig.add("ann")
    with served(rig) as host, sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        page = browser.new_page()
        said: list[str] = []
        page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
        page.goto(f"http://{host}:8025/administrators")
        page.fill("#name", "ann")
        page.fill("#password", PASSWORD)
        page.click("button[type=submit]")
        page.get_by_role("button", name="New administrator...").click()
        page.get_by_label("Name").fill("carl")
        page.get_by_role("button", name="Add", exact=True).click()
        link = page.locator("output").inner_text()
        assert rig.accounts.administrators.invitation(link.rpartition("/")[2]) is not None
        page.get_by_role("button", name="I have it").click()
        page.get_by_role("button", name="Remove carl").wait_for()
        page.get_by_role("button", name="New token...").click()
        page.get_by_label("What it is for").fill(NASTY)
        page.get_by_role("button", name="Add", exact=True).click()
        token = page.locator("output").inner_text()
        assert rig.accounts.tokens.proven(token) is not None
        page.get_by_role("button", name="I have it").click()
        page.get_by_role("cell", name=NASTY, exact=True).wait_for()
        assert link not in page.content()
        assert token not in page.content()
        assert [line for line in said if "Content Security Policy" in line] == []
        browser.close()
    rig.close()
