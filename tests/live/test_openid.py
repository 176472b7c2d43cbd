"""Signing in by a provider in a real browser: by Glewlwyd, which others wrote, and by one of our own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, sync_playwright

from console.rig import Rig, make_file
from gatepost.config.load import load
from issuer import SECRET
from live import glewlwyd
from live.glewlwyd import Glewlwyd
from live.test_security_key import ARGUMENTS, CHROMIUM, served
from openid import OpenIdProvider

pytestmark = [pytest.mark.live, pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing")]
_WAIT_MS = 60_000


@contextmanager
def browsing() -> Iterator[BrowserContext]:
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        context = browser.new_context(ignore_https_errors=True)
        context.set_default_timeout(_WAIT_MS)
        yield context
        browser.close()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(make_file(tmp_path / "house"))
    yield rig
    rig.close()


def take(rig: Rig, table: str, secret: str) -> None:
    """`[console.openid]` is in force."""
    file = rig.office.house.file
    kept = file.parent / "openid-secret"
    kept.write_text(secret)
    kept.chmod(0o600)
    file.write_text(f"{file.read_text()}\n{table}")
    rig.settings = load(file)
    rig.people.change(rig.settings)


@pytest.mark.skipif(glewlwyd.PROGRAM is None, reason="glewlwyd is missing")
def test_glewlwyd_signs_people_in(rig: Rig, tmp_path: Path) -> None:
    with served(rig) as host, browsing() as context:
        provider = Glewlwyd(tmp_path, f"http://{host}:8025/sign-in/openid/back")
        take(rig, provider.table(), glewlwyd.SECRET)
        page = context.new_page()

        def sign_in(name: str) -> None:
            page.goto(f"http://{host}:8025/?from=x")
            page.get_by_role("link", name="Sign in with Glewlwyd").click()
            page.fill("#username", name)
            page.fill("#password", glewlwyd.PASSWORD)
            page.keyboard.press("Enter")
            page.get_by_role("button", name="Continue").click()

        sign_in("bob")
        page.get_by_text("nothing that it says of you gives a role here").wait_for()
        context.clear_cookies()
        sign_in("ann")
        page.wait_for_url(f"http://{host}:8025/?from=x")
        page.get_by_text("front page").wait_for()
        cookies = {one["name"]: (one["sameSite"], one["httpOnly"]) for one in context.cookies()}
        assert cookies["gatepost"] == ("Strict", True)
        assert "gatepost-openid" not in cookies
        page.goto(f"http://{host}:8025/account")
        page.get_by_text("openid:ann (administrator)").wait_for()
        page.get_by_text("Your password is kept by Glewlwyd.").wait_for()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_text("You are signed out here.").wait_for()
        provider.stop()


def test_a_dangerous_act_leads_to_the_provider_and_back(rig: Rig, tmp_path: Path) -> None:
    provider = OpenIdProvider(tmp_path / "provider")
    lines = "".join(f"{key} = {value!r}\n" for key, value in provider.table().items())
    with served(rig) as host, browsing() as context:
        take(rig, f"[console.openid]\nclient_secret_file = 'openid-secret'\n{lines}", SECRET)
        page = context.new_page()
        page.goto(f"http://{host}:8025/account")
        page.get_by_role("link", name="Sign in with Example ID").click()
        page.wait_for_url(f"http://{host}:8025/")
        rig.late = 700

        def act() -> None:
            page.goto(f"http://{host}:8025/account")
            page.fill("#code", "000000")
            page.get_by_role("button", name="Go on").click()

        act()
        provider.signed_in_at = time.time() - 300
        page.get_by_role("link", name="Sign in with Example ID").click()
        page.get_by_text("have just given your password").wait_for()
        provider.signed_in_at = None
        page.get_by_role("link", name="Sign in with Example ID").click()
        page.wait_for_url(f"http://{host}:8025/account")
        act()
        page.get_by_text("That is not the code of now").wait_for()
    provider.close()
    assert provider.requests[-1]["prompt"] == "login"
