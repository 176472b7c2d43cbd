"""Everything that the file may say is edited on a page: changed, refused at its field, applied, undone."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.pages.gate import Gate, until
from console.pages.looking import axe, came_to, fits, opened

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("console-pages")]


@pytest.fixture
def page(chromium: Any, gate: Gate, request: Any) -> Iterator[Any]:
    """A page of somebody whose draft nobody else has; afterwards the file is as it was.

    axe-core does not see what lies below a dialog anew when the colours change: some tests are in the dark.
    """
    theme = getattr(request, "param", "light")
    before = gate.house.file.read_text()
    context = chromium.new_context(base_url=gate.url, reduced_motion="reduce")
    context.set_default_timeout(60_000)
    for name, value in (("who", f"editor{id(context)}"), ("gatepost_theme", theme)):
        context.add_cookies([{"name": name, "value": value, "url": gate.url}])
    made = context.new_page()
    problems: list[str] = []
    made.on("pageerror", lambda error: problems.append(str(error)))
    yield made
    context.close()
    if gate.house.file.read_text() != before:
        gate.house.file.write_text(before)
        gate.house.ask("reload", by="test")
    assert problems == []


def button(page: Any, name: str, within: Any = None) -> Any:
    return (within or page).get_by_role("button", name=name, exact=True)


def dialog(page: Any, name: str) -> Any:
    found = page.get_by_role("dialog", name=name, exact=True)
    found.wait_for()
    return found


def fill(within: Any, label: str, text: str) -> None:
    """The field holds the text and has told so."""
    field = within.get_by_label(label, exact=True)
    field.fill(text)
    field.press("Tab")


def ok(page: Any, within: Any, name: str = "OK") -> None:
    button(page, name, within).click()
    within.wait_for(state="hidden")


def apply(page: Any) -> str:
    """What was changed is in force; what the review said."""
    button(page, "Review and apply...").click()
    return applied(page)


def applied(page: Any) -> str:
    """What the review that is open said, and is in force now."""
    review = dialog(page, "Review and apply")
    review.get_by_text("What changes in the file").wait_for()
    said = str(review.inner_text())
    if review.get_by_role("checkbox", name="I have read this").count():
        review.get_by_role("checkbox", name="I have read this").click()
    ok(page, review, "Apply")
    page.get_by_text("is in force.").first.wait_for()
    return said


def is_clean(page: Any) -> None:
    """As it is coloured, and on a phone, with whatever dialog is open."""
    assert axe(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)
    page.set_viewport_size({"width": 1280, "height": 900})


dark = pytest.mark.parametrize("page", ["dark"], indirect=True)


def test_a_directory_is_added_ordered_applied_and_undone(page: Any, gate: Gate) -> None:
    file = gate.house.file
    opened(page, "/directory")
    fill(page, "Name of the directory", "ad")
    button(page, "Add a directory").click()
    form = dialog(page, "ad")
    button(page, "OK", form).click()
    form.get_by_text('is missing; write url = "ldaps://dc1.corp.example"').wait_for()
    fill(form, "Servers", "http://dc1.corp.example")
    form.get_by_text("is no directory server").wait_for()
    fill(form, "Servers", "ldaps://127.0.0.1:9636")
    fill(form, "Account that searches", "svc-gatepost")
    button(page, "OK", form).click()
    form.get_by_text("is missing; the account that searches needs both or neither").wait_for()

    button(page, "Set or replace: Its password", form).click()
    ask = dialog(page, "Its password")
    is_clean(page)
    ask.get_by_label("The secret").fill("correct horse")
    button(page, "Set", ask).click()
    ask.wait_for(state="detached")
    secret = file.parent / "secrets" / "directory-ad-bind-password"
    assert form.get_by_label("Its password", exact=True).input_value() == "secrets/directory-ad-bind-password"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert secret.read_text() == "correct horse\n"
    assert "correct horse" not in page.content()
    button(page, "Try it", form).click()
    form.get_by_text("what to do stands beside it").wait_for()
    ok(page, form)
    assert "[directory.ad]" not in file.read_text()
    button(page, "Ask ad earlier").click()
    page.wait_for_function("() => document.querySelector('main h2').innerText === 'ad'")
    said = apply(page)
    assert "directory.ad.url is new: ldaps://127.0.0.1:9636" in said
    text = file.read_text()
    assert text.index("[directory.ad]") < text.index("[directory.local]")
    opened(page, "/changes")
    assert "correct horse" not in page.content()

    opened(page, "/history")
    button(page, f"Go back to generation {generations(gate)[-2]}...").click()
    applied(page)
    assert "[directory.ad]" not in file.read_text()


def generations(gate: Gate) -> list[int]:
    from gatepost.admin.generation import Generations

    return [one.number for one in Generations(gate.house.place.generations).history()]


@dark
def test_services_are_set_up_changed_and_removed(page: Any, gate: Gate) -> None:
    opened(page, "/services")
    button(page, "Set up... Numbers for Prometheus").click()
    form = dialog(page, "Numbers for Prometheus")
    fill(form, "Address (required)", "somewhere")
    form.get_by_text("is not an address with a port").wait_for()
    fill(form, "Address (required)", f"{gate.house.host}:0")
    ok(page, form)
    button(page, "Set up... Web console and API").click()
    form = dialog(page, "Web console and API")
    form.get_by_text("Sign-in by a provider (OpenID Connect)").wait_for()
    is_clean(page)
    fill(form, "Address (required)", "192.0.2.1:8025")
    button(page, "OK", form).click()
    form.get_by_text("would be served in clear to other machines").wait_for()
    button(page, "Cancel", form).click()
    form.wait_for(state="hidden")
    said = apply(page)
    assert "metrics.listen is new" in said
    assert f'[metrics]\nlisten = "{gate.house.host}:0"\n' in gate.house.file.read_text()
    button(page, "Remove Numbers for Prometheus").click()
    apply(page)
    assert "[metrics]" not in gate.house.file.read_text()


def test_a_keytab_is_uploaded_and_goes_with_a_discarded_draft(page: Any, gate: Gate, tmp_path: Path) -> None:
    pytest.importorskip("gssapi", reason="the extra kerberos is not installed")
    wrong, keytab = tmp_path / "wrong", tmp_path / "smtp.keytab"
    wrong.write_bytes(b"smtp/mail.example.org")
    keytab.write_bytes(b"\x05\x02\x00\x00\x00\x00never shown")
    opened(page, "/services")
    button(page, "Set up... Kerberos tickets").click()
    form = dialog(page, "Kerberos tickets")
    for file in (wrong, keytab):
        button(page, "Upload or replace: Keytab", form).click()
        ask = dialog(page, "Keytab")
        ask.locator("input[type=file]").set_input_files(file)
        page.wait_for_selector(".q-uploader__file--uploaded")
        button(page, "Set", ask).click()
        if file is wrong:
            page.get_by_text("This is no keytab").wait_for()
            page.wait_for_function("() => !document.querySelector('.q-notification[class*=-active]')")
            assert axe(page, ".q-notification", colours=True) == []
            button(page, "Close").click()
            button(page, "Cancel", ask).click()
        ask.wait_for(state="detached")
    kept = gate.house.file.parent / "secrets" / "kerberos-keytab"
    assert form.get_by_label("Keytab (required)", exact=True).input_value() == "secrets/kerberos-keytab"
    assert (stat.S_IMODE(kept.stat().st_mode), kept.read_bytes()) == (0o600, keytab.read_bytes())
    is_clean(page)
    ok(page, form)
    assert "never shown" not in page.content()
    button(page, "Discard").click()
    page.get_by_role("region", name="You have changes that are not applied yet.").wait_for(state="detached")
    until(kept.exists, lambda is_there: not is_there)
    opened(page, "/changes")
    assert "secret-forget" in page.inner_text("tbody tr:first-child")


def test_limits_of_a_user_are_set_on_its_page_and_listed(page: Any, gate: Gate) -> None:
    opened(page, "/users/ann@example.org")
    page.get_by_text("as everybody").first.wait_for()
    button(page, "Limits... ann@example.org").click()
    form = dialog(page, "Limits of ann@example.org")
    fill(form, "Messages a minute", "0")
    form.get_by_text("0 is too small; write 1 or more").wait_for()
    is_clean(page)
    fill(form, "Messages a minute", "7")
    ok(page, form)
    row = page.locator("tr", has_text="Messages a minute").filter(has_text="its own limits")
    row.wait_for()
    assert row.locator("td").nth(1).inner_text() == "7"
    opened(page, "/groups/POP3%20Relay")
    button(page, "Limits... POP3 Relay").click()
    form = dialog(page, "Limits of POP3 Relay")
    fill(form, "Recipients a day", "900")
    ok(page, form)
    opened(page, "/limits")
    assert "900" in page.locator("tr", has_text="POP3 Relay").inner_text()
    fill(page, "Network", "10.0.5.0/24")
    page.get_by_label("Network", exact=True).press("Enter")
    form = dialog(page, "Limits of 10.0.5.0/24")
    fill(form, "Domains a day", "3")
    ok(page, form)
    said = apply(page)
    assert "limits.users.ann@example.org.messages_per_minute is new: 7" in said
    assert '[limits.networks."10.0.5.0/24"]\ndomains_per_day = 3\n' in gate.house.file.read_text()
    button(page, "Remove 10.0.5.0/24").click()
    page.locator("tr", has_text="10.0.5.0/24").wait_for(state="detached")
    opened(page, "/users/ann@example.org")
    page.locator("tr", has_text="of its groups, by pop3 relay").get_by_text("900").wait_for()


@dark
def test_an_alarm_and_an_issuer(page: Any, gate: Gate) -> None:
    opened(page, "/alarms")
    fill(page, "Name of the alarm", "chief")
    button(page, "Add an alarm").click()
    form = dialog(page, "chief")
    button(page, "OK", form).click()
    form.get_by_text("nobody is told; set webhook, command or mail_to").wait_for()
    fill(form, "Command", "/bin/sh\n-c\necho a, b")
    form.get_by_role("checkbox", name="The queue grows").click()
    is_clean(page)
    ok(page, form)
    opened(page, "/issuers")
    fill(page, "Name of the issuer", "entra")
    page.get_by_label("Name of the issuer").press("Enter")
    form = dialog(page, "entra")
    is_clean(page)
    fill(form, "Issuer (required)", "https://127.0.0.1:1/tenant")
    fill(form, "Tokens for", "gatepost")
    ok(page, form)
    apply(page)
    text = gate.house.file.read_text()
    assert 'command = ["/bin/sh", "-c", "echo a, b"]' in text
    assert '"queue-growing"' not in text
    assert '[oauth.entra]\nissuer = "https://127.0.0.1:1/tenant"\naudience = ["gatepost"]\n' in text
    opened(page, "/alarms")
    button(page, "Tell a test chief").click()
    page.get_by_text("chief was told by command.").wait_for()


def test_a_virtual_server_is_renamed_and_stays_stopped(page: Any, gate: Gate) -> None:
    gate.house.ask("stop", name="printers")
    opened(page, "/servers/smtp/printers")
    button(page, "Rename...").click()
    form = dialog(page, "Rename smtp.printers")
    fill(form, "New name", "internet")
    button(page, "OK", form).click()
    form.get_by_text("there is a virtual server smtp.internet already").wait_for()
    is_clean(page)
    fill(form, "New name", "scanners")
    button(page, "OK", form).click()
    came_to(page, "**/servers/smtp/scanners")
    said = apply(page)
    assert "virtual server smtp.printers is called smtp.scanners from now on" in said
    assert "could relay" not in said
    assert gate.house.status()["states"]["smtp.scanners"] == "stopped"
    gate.house.ask("start", name="scanners")


@dark
def test_devices_are_listed_changed_and_revoked(page: Any, gate: Gate) -> None:
    opened(page, "/users/bob@example.org")
    button(page, "New device password...").click()
    form = page.locator(".q-dialog")
    form.get_by_label("Which device, as in Scanner on floor 2").fill("Scanner 7")
    button(page, "Add", form).click()
    button(page, "I have it").click()
    page.locator("tbody", has_text="Scanner 7").wait_for()
    opened(page, "/devices?containing=scanner")
    row = page.locator("tbody tr")
    assert row.count() == 1
    assert "never used" in row.inner_text()
    button(page, "Change Scanner 7...").click()
    form = dialog(page, "Scanner 7")
    is_clean(page)
    form.get_by_label("Recipients a day", exact=True).fill("many")
    button(page, "Save", form).click()
    page.get_by_text("'many' is no number").wait_for()
    form.get_by_label("Recipients a day", exact=True).fill("20")
    form.get_by_label("Only from these networks, one a line (empty: from anywhere)").fill("10.0.5.0/24")
    button(page, "Save", form).click()
    form.wait_for(state="detached")
    opened(page, "/users/bob@example.org")
    page.get_by_text("10.0.5.0/24").wait_for()
    opened(page, "/devices?containing=scanner")
    button(page, "Revoke Scanner 7").click()
    button(page, "Revoke", page.locator(".q-dialog")).click()
    page.wait_for_function("() => !document.querySelector('tbody tr')")


def test_a_field_refuses_what_cannot_be_and_takes_what_can(page: Any, gate: Gate) -> None:
    opened(page, "/guard-settings")
    fill(page, "Names that make a spray", "many")
    page.get_by_text("is not a whole number").wait_for()
    fill(page, "Names that make a spray", "70")
    page.get_by_role("checkbox", name="Addresses that send without a login").click()
    opened(page, "/servers/smtp/internet?tab=messages")
    fill(page, "Content check (rspamd)", "http://127.0.0.1:11333")
    fill(page, "The content check has (seconds)", "5")
    said = apply(page)
    assert "guard.spray_names: 50 becomes 70" in said
    text = gate.house.file.read_text()
    assert 'watch = ["app-password", "account"]' in text
    assert "deadline_seconds = 5\n\n[smtp.printers]" in text


def test_the_tree_shows_where_one_is(page: Any, gate: Gate) -> None:
    page.set_viewport_size({"width": 1280, "height": 420})
    opened(page, "/services")
    page.wait_for_function("""() => {
      const all = document.querySelector('.q-drawer__content').getBoundingClientRect();
      const one = document.querySelector('.gp-tree [aria-current=page]').getBoundingClientRect();
      return one.top >= all.top && one.bottom <= all.bottom;
    }""")


def test_the_keyboard_is_enough(page: Any, gate: Gate) -> None:
    opened(page, "/services")
    button(page, "Set up... Kerberos tickets").focus()
    page.keyboard.press("Enter")
    form = dialog(page, "Kerberos tickets")
    form.get_by_label("Keytab (required)").focus()
    page.keyboard.type("nowhere.keytab")
    page.keyboard.press("Tab")
    form.get_by_text("is not there; paths are relative to the configuration file").wait_for()
    page.keyboard.press("Escape")
    form.wait_for(state="detached")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Set up... Kerberos tickets"


def test_a_certificate_is_explained(page: Any, gate: Gate) -> None:
    query = "from=192.0.2.7&mail_from=ann@example.org&rcpt=b@else.example"
    opened(page, f"/explain?{query}&certificate=scanner7.example.org&tls=yes")
    assert "--certificate scanner7.example.org" in page.inner_text("main pre")
    opened(page, f"/explain?{query}&certificate=%20x")
    page.get_by_role("alert").wait_for()
