"""What can be done on the pages, done by pressing what stands there, over a daemon that runs."""

from __future__ import annotations

import smtplib
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509 import load_pem_x509_certificate

from console.pages.gate import Gate, until
from console.pages.looking import axe, came_to, opened, unharmed
from daemon.house import INTERNET
from gatepost.admin.certificate import self_signed
from gatepost.server.certificate import KeyPair

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
    page.wait_for_selector(
        "tbody :text('held')", state="detached"
    )  # the page has come anew: it would end ours
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
    came_to(page, "**/users/carl@example.org")
    press(page, "Add to group...")
    page.get_by_role("combobox", name="Group").click()
    page.get_by_role("option", name="POP3 Relay (gives relay)").click()
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
    came_to(page, "**/users")
    assert page.locator("text=carl@example.org").count() == 0


def even_so(page: Any) -> Any:
    return page.locator(".q-dialog").get_by_role("checkbox", name="Even so")


def test_a_weak_password_and_a_protected_member_want_a_tick(page: Any, gate: Gate) -> None:
    opened(page, "/users")
    press(page, "New user...")
    fill(page, "Address, as in bob@example.org", "guest@example.org")
    for label in ("Password", "The same password again"):
        fill(page, label, "abc")
    assert even_so(page).count() == 0
    press(page, "Add", within=".q-dialog")
    page.wait_for_selector(".q-notification >> text=fewer than 8 characters")
    assert "--even-so" not in page.inner_text(".q-notification")
    even_so(page).click()
    press(page, "Add", within=".q-dialog")
    came_to(page, "**/users/guest@example.org")
    opened(page, "/users/guest@example.org")
    press(page, "Add to group...")
    page.get_by_role("combobox", name="Group").click()
    page.get_by_role("option", name="POP3 Relay (gives relay)").click()
    assert even_so(page).count() == 0
    press(page, "Add", within=".q-dialog")
    page.wait_for_selector(".q-notification >> text=is a name that attackers try")
    even_so(page).click()
    press(page, "Add", within=".q-dialog")
    page.wait_for_selector("tbody >> text=directly")
    press(page, "Delete...")
    press(page, "Delete", within=".q-dialog")
    came_to(page, "**/users")
    for what, said in (("user-add", "password_even_so"), ("group-join", "even_so")):
        opened(page, f"/changes?what={what}")
        assert said in page.inner_text("tbody tr:first-child")


def test_groups_and_aliases(page: Any, gate: Gate) -> None:
    opened(page, "/groups")
    press(page, "New group...")
    fill(page, "Name, as in POP3 Relay", "Floor 2")
    press(page, "Add", within=".q-dialog")
    came_to(page, "**/groups/Floor%202")
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


def test_certificates_are_uploaded_and_made(page: Any, gate: Gate, tmp_path: Any) -> None:
    pair = self_signed(["other.example.org"])
    file = tmp_path / "<img src=x onerror=window.pwned=1>.pfx"
    file.write_bytes(pfx(pair, b"open sesame"))
    opened(page, "/certificates")
    press(page, "Import...")
    field = page.get_by_label("Certificate: PEM, or PKCS#12 (.pfx, .p12)")
    field.focus()
    with page.expect_file_chooser() as choosing:
        field.press("Enter")
    choosing.value.set_files(file)
    page.wait_for_selector(".q-uploader__file--uploaded")
    assert file.name in page.inner_text(".q-dialog")
    fill(page, "Name in the file: [certificates.NAME]", "other")
    press(page, "Import", within=".q-dialog")
    page.wait_for_selector("text=it is locked with a password")
    unharmed(page)
    fill(page, "Password, where the key is locked", "open sesame")
    press(page, "Import", within=".q-dialog")
    page.wait_for_selector("text=other is for other.example.org")
    assert axe(page, ".q-dialog") == []
    press(page, "Done", within=".q-dialog")
    page.wait_for_selector("h2:text('other')")
    press(page, "Make self-signed...")
    fill(page, "Name in the file: [certificates.NAME]", "own")
    press(page, "Make", within=".q-dialog")
    page.wait_for_selector("text=own is for mail.example.org")
    press(page, "Done", within=".q-dialog")
    page.wait_for_selector("h2:text('own')")
    written = gate.house.file.read_text()
    assert "[certificates.other]" in written
    assert "[certificates.own]" in written


def pfx(pair: KeyPair, password: bytes) -> bytes:
    """As Windows exports it."""
    key = load_pem_private_key(pair.key, None)
    leaf = load_pem_x509_certificate(pair.chain)
    locked = BestAvailableEncryption(password)
    return serialize_key_and_certificates(b"other", key, leaf, None, locked)  # type: ignore[arg-type]


def test_a_viewer_is_shown_no_verbs(context: Any, page: Any, gate: Gate) -> None:
    context.add_cookies([{"name": "role", "value": "viewer", "url": gate.url}])
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
    context.clear_cookies(name="role")
