"""What can be done on the pages, done by pressing what stands there, over a daemon that runs."""

from __future__ import annotations

import smtplib
from typing import Any

import pytest

from console.pages.gate import Gate, until
from console.pages.test_pages import opened
from daemon.house import INTERNET

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("console-pages")]  # one browser, one Gatepost
LOOKING = ("Search", "search\nSearch", "checklist\nTry each step")


def states(gate: Gate) -> dict[str, str]:
    return {row["id"]: row["state"] for row in gate.queue()}


def contained(gate: Gate) -> list[str]:
    return [row["user"] for row in gate.house.ask("contained")]


def press(page: Any, name: str, *, within: str = "main") -> None:
    page.locator(within).get_by_role("button", name=name, exact=True).click()


def fill(page: Any, label: str, text: str) -> None:
    page.locator(".q-dialog").get_by_label(label, exact=True).fill(text)


def dialog_gone(page: Any) -> None:
    page.wait_for_function("() => !document.querySelector('.q-dialog')")


def test_chosen_messages_are_held_released_and_returned(page: Any, gate: Gate) -> None:
    for subject in ("one", "two"):
        gate.hand_in("<ann@example.org>", subject, rcpt="verbs@remote.example")
    mine = until(
        lambda: [row["id"] for row in gate.deferred(2) if row["recipients"] == ["verbs@remote.example"]],
        lambda ids: len(ids) == 2,
    )
    opened(page, "/queues?rcpt=verbs@remote.example")
    assert page.locator("tbody tr").count() == 2
    assert page.get_by_role("button", name="Hold").is_disabled()
    page.get_by_label(f"Choose {mine[0]}").check()
    press(page, "Hold")
    until(lambda: states(gate)[mine[0]], lambda state: state == "held")
    page.wait_for_selector("tbody :text('held')")
    assert states(gate)[mine[1]] != "held"
    page.get_by_label("Choose all on this page").check()
    press(page, "Release")
    until(lambda: states(gate)[mine[0]], lambda state: state != "held")
    opened(page, f"/messages/{mine[0]}")
    press(page, "Return to sender...")
    press(page, "Return to sender", within=".q-dialog")
    until(lambda: states(gate), lambda found: mine[0] not in found)
    page.wait_for_selector("text=It is not in the queue any more.")
    assert b"given it up" in until(lambda: b"".join(gate.house.mail()), lambda mail: b"given it up" in mail)
    opened(page, "/queues?rcpt=verbs@remote.example")
    page.get_by_role("checkbox", name="all that are like this, also on other pages").click()
    press(page, "Delete...")
    press(page, "Delete", within=".q-dialog")
    until(lambda: states(gate), lambda found: mine[1] not in found)
    page.wait_for_selector("text=Nothing is like that.")


def test_a_session_comes_and_is_closed(page: Any, gate: Gate) -> None:
    opened(page, "/sessions/smtp/internet")
    page.wait_for_selector("text=Nobody is connected.")
    with gate.house.smtp(INTERNET) as client:
        client.ehlo("client.example")
        page.get_by_role("button", name="Close session").click()
        page.wait_for_selector("text=Nobody is connected.")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            until(client.noop, lambda answer: answer[0] == 0)


def test_a_user_is_made_joins_gets_a_device_and_goes(page: Any, gate: Gate) -> None:
    opened(page, "/users")
    press(page, "New user...")
    fill(page, "Address, as in bob@example.org", "carl@example.org")
    fill(page, "Password", "correct horse battery")
    fill(page, "The same password again", "another")
    press(page, "Add", within=".q-dialog")
    page.wait_for_selector("text=The two passwords differ")
    fill(page, "The same password again", "correct horse battery")
    press(page, "Add", within=".q-dialog")
    page.wait_for_url("**/users/carl@example.org")
    press(page, "Add to group...")
    fill(page, "Name, as in POP3 Relay", "POP3 Relay")
    press(page, "Add", within=".q-dialog")
    page.wait_for_selector("tbody >> text=directly")
    press(page, "New device password...")
    fill(page, "Which device, as in Scanner on floor 2", "Scanner")
    press(page, "Add", within=".q-dialog")
    secret = page.locator(".gp-secret").inner_text()
    assert len(secret) > 12
    press(page, "I have it", within=".q-dialog")
    page.wait_for_selector("tbody >> text=Scanner")
    assert secret not in page.content()
    press(page, "Disable")
    press(page, "Disable", within=".q-dialog")
    page.wait_for_selector(".gp-state:text('disabled')")
    press(page, "Delete...")
    press(page, "Delete", within=".q-dialog")
    page.wait_for_url("**/users")
    assert page.locator("text=carl@example.org").count() == 0


def test_groups_and_aliases(page: Any, gate: Gate) -> None:
    opened(page, "/groups")
    press(page, "New group...")
    fill(page, "Name, as in POP3 Relay", "Floor 2")
    press(page, "Add", within=".q-dialog")
    page.wait_for_url("**/groups/Floor%202")
    press(page, "Add member...")
    fill(page, "User or group, as in bob@example.org", "bob")
    press(page, "Add", within=".q-dialog")
    page.wait_for_selector("tbody >> text=bob@example.org")
    press(page, "Remove bob@example.org")
    page.wait_for_selector("text=Nobody is in it.")
    opened(page, "/aliases")
    press(page, "New alias...")
    fill(page, "Address", "info@example.org")
    fill(page, "Goes to, one address a line", "ann@example.org")
    press(page, "Add", within=".q-dialog")
    page.wait_for_selector("tbody >> text=info@example.org")


def test_an_account_is_contained_and_released_with_one_press(page: Any, gate: Gate) -> None:
    opened(page, "/users/ann@example.org")
    press(page, "Contain...")
    press(page, "Contain", within=".q-dialog")
    until(lambda: contained(gate), lambda names: "ann@example.org" in names)
    opened(page, "/contained")
    press(page, "Release ann@example.org")
    until(lambda: contained(gate), lambda names: "ann@example.org" not in names)


def test_a_source_is_banned_and_pardoned(page: Any, gate: Gate) -> None:
    opened(page, "/bans")
    press(page, "Ban a source...")
    fill(page, "Address or network, as in 192.0.2.0/24", "no address")
    press(page, "Ban", within=".q-dialog")
    page.wait_for_selector(".q-notification.bg-negative")
    fill(page, "Address or network, as in 192.0.2.0/24", "203.0.113.0/24")
    press(page, "Ban", within=".q-dialog")
    page.wait_for_selector("tbody >> text=203.0.113.0/24")
    press(page, "Pardon 203.0.113.0/24")
    page.wait_for_function("() => !document.body.innerText.includes('203.0.113.0/24')")
    opened(page, "/changes?what=pardon")
    assert "203.0.113.0/24" in page.inner_text("tbody tr:first-child")


def test_a_certificate_is_uploaded(page: Any, gate: Gate, tmp_path: Any) -> None:
    from gatepost.admin.certificate import self_signed

    pair = self_signed(["other.example.org"])
    file = tmp_path / "other.pem"
    file.write_bytes(pair.chain + pair.key)
    opened(page, "/certificates")
    press(page, "Import...")
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Certificate: PEM, or PKCS#12 (.pfx, .p12)").click()
    choosing.value.set_files(file)
    page.wait_for_selector(".q-uploader__file--uploaded")
    fill(page, "Name in the file: [certificates.NAME]", "other")
    press(page, "Import", within=".q-dialog")
    page.wait_for_selector("text=other is for other.example.org")
    press(page, "Done", within=".q-dialog")
    page.wait_for_selector("h2:text('other')")
    assert "[certificates.other]" in gate.house.file.read_text()


def test_the_keyboard_reaches_everything(page: Any, gate: Gate) -> None:
    opened(page, "/queues")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "gp-skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Sender"
    page.keyboard.type("nobody@nowhere.example")
    page.keyboard.press("Enter")
    page.wait_for_url("**/queues?sender=nobody%40nowhere.example")
    page.wait_for_selector("text=Nothing is like that.")
    opened(page, "/groups")
    page.get_by_role("button", name="New group...").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".q-dialog input:focus")
    page.keyboard.press("Escape")
    dialog_gone(page)


def test_a_viewer_is_shown_no_verbs(chromium: Any, gate: Gate) -> None:
    import sys

    from console.pages.gate import TESTS
    from daemon.house import SOURCES
    from live.program import Program

    console = Program(
        [sys.executable, "-m", "console.unguarded", str(gate.house.file), "0", "viewer"],
        folder=TESTS,
        environment={"PYTHONPATH": f"{SOURCES}:{TESTS}"},
    )
    port = console.wait_for_line(lambda line: line.startswith("listening ")).split()[1]
    context = chromium.new_context(base_url=f"http://127.0.0.1:{port}")
    page = context.new_page()
    for path in (
        "/queues",
        "/users/ann@example.org",
        "/groups/POP3%20Relay",
        "/bans",
        "/contained",
        "/certificates",
        "/services",
        "/directory",
        "/limits",
        "/alarms",
        "/devices",
        "/routes",
        "/settings",
    ):
        opened(page, path)
        names = page.eval_on_selector_all("main button", "all => all.map(one => one.innerText.trim())")
        assert [name for name in names if name not in LOOKING] == [], path
    context.close()
    console.kill()
