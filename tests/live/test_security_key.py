"""A security key in a real browser: set up, then asked for at the next sign-in."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from console.rig import PASSWORD, Rig, make_file
from gatepost.console.doors import web_server
from gatepost.server.bind import listening_socket
from live import loopback

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing"),
]
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
NAME = "mail.example.org"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(make_file(tmp_path / "house"))
    yield rig
    rig.close()


@contextmanager
def served(rig: Rig) -> Iterator[str]:
    """The address at which the web application answers meanwhile."""
    host = loopback.address(8025)
    door = listening_socket(host, 8025)
    server = web_server(rig.web, None)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([door])))
    thread.start()
    yield host
    server.should_exit = True
    thread.join()


def test_a_key_is_set_up_and_asked_for(rig: Rig) -> None:
    rig.add("ann")
    with served(rig) as host, sync_playwright() as tools:
        url = f"http://{NAME}:8025"
        browser = tools.chromium.launch(
            executable_path=CHROMIUM,
            args=[*ARGUMENTS, f"--host-resolver-rules=MAP {NAME} {host}",
                  f"--unsafely-treat-insecure-origin-as-secure={url}"],
        )  # fmt: skip
        page = browser.new_page()
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {
            "protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True,
        }})  # fmt: skip

        def sign_in() -> None:
            page.goto(f"{url}/sign-in")
            page.fill("#name", "ann")
            page.fill("#password", PASSWORD)
            page.click("button[type=submit]")

        sign_in()
        page.goto(f"{url}/account")
        page.fill("#label", "Blue key")
        page.click("#add-key")
        page.wait_for_selector("text=Blue key")
        [key] = rig.accounts.administrators.get("ann").keys
        page.click("main > form button")
        sign_in()
        page.click("#use-key")
        page.wait_for_url(f"{url}/")
        assert "front page" in page.content()
        assert rig.accounts.administrators.get("ann").keys[0].sign_count > key.sign_count
        browser.close()
