"""The console in a real browser, before a real daemon; mail by real clients."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from daemon.house import DOMAIN, HOSTNAME, SUBMISSION, House, internet, message, pop3, send
from daemon.house import PASSWORD as MAIL_PASSWORD
from gatepost.admin.generation import Generations
from gatepost.admin.init import Ports, make_directory
from gatepost.admin.roles import Role
from live.browser import CHROMIUM, CONSOLE, PASSWORD, Desk, chromium, sign_in
from live.conftest import why_missing

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("console")]

SUBMISSION_TABLE = """\
[smtp.submission] # for people
listen = ["{host}:2587"]
tls = "require"
auth = ["PLAIN", "LOGIN"]
access = [
  { allow = ["connect"], to = "anyone" },
  { allow = ["submit"], to = "authenticated" }, # mail for ourselves
  { allow = ["relay"], to = "user:lab", from = ["10.0.5.0/24"] }, # the lab
]
"""
SHEET = "/servers/smtp/submission?tab=access"
ELSEWHERE = "somebody@else.example"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(why_missing("chromium"))
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("console") / "house"
    make_directory(
        folder, hostname=HOSTNAME, domain=DOMAIN, ports=Ports("127.0.0.1", 2525, 2587, 2110, 2995),
        next_hop="capture:outbox", by="test",
    )  # fmt: skip
    made = House(folder)
    made.write(internet(), SUBMISSION_TABLE, pop3(), CONSOLE)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def signed_in() -> dict[str, Path]:
    """The cookies of everybody who has signed in, by name."""
    return {}


@pytest.fixture
def make_desk(browser: Browser, house: House, signed_in: dict[str, Path]) -> Iterator[Callable[..., Desk]]:
    """Administrators by name, each at a window of its own that has seen nothing yet."""
    desks: list[Desk] = []

    def make(name: str = "boss", role: Role = Role.ADMINISTRATOR, **options: Any) -> Desk:
        if name not in signed_in:
            signed_in[name] = sign_in(browser, house, name, role)
        desks.append(Desk(browser, house, signed_in[name], **options))
        desks[-1].begin_anew()
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture(autouse=True)
def as_it_was(house: House) -> Iterator[None]:
    """The file is in force as it was before the test."""
    before = house.file.read_text()
    yield
    if house.file.read_text() != before:
        house.file.write_text(before)
        house.ask("reload", by="test")


def generations(house: House) -> Generations:
    return Generations(house.place.generations)


def answer(house: House, name: str, rcpt: str) -> str:
    """`250`, or the reply to the recipient, from a client that logs in over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    session = house.smtp(SUBMISSION)
    try:
        session.starttls(context=context)
        session.login(f"{name}@{DOMAIN}", MAIL_PASSWORD)
        text = message(f"to {rcpt}").replace("stranger@example.net", f"{name}@{DOMAIN}")
        session.sendmail(f"{name}@{DOMAIN}", [rcpt], text)
    except smtplib.SMTPRecipientsRefused as refusal:
        code, said = refusal.recipients[rcpt]
        return f"{code} {said.decode()}"
    finally:
        session.close()
    return "250"


def inbound_goes_on(house: House, marker: str) -> None:
    before = len(house.mail())
    with house.smtp() as session:
        send(session, marker, f"carol@{DOMAIN}")
    house.wait_for_mail(before + 1)


def add_user(desk: Desk, name: str) -> None:
    desk.go("/users")
    desk.button("New user...").click()
    form = desk.dialog("New user")
    form.get_by_label("Address, as in").fill(f"{name}@{DOMAIN}")
    form.get_by_label("Password", exact=True).fill(MAIL_PASSWORD)
    form.locator("input[type=password]").nth(1).fill(MAIL_PASSWORD)
    desk.button("Add", form).click()
    desk.came_to(f"**/users/{name}@{DOMAIN}")


def test_from_the_group_to_switching_relay_off(make_desk: Callable[..., Desk], house: House) -> None:
    desk = make_desk()
    page = desk.go("/groups")

    # the group and its users
    desk.button("New group...").click()
    form = desk.dialog("New group")
    form.get_by_label("Name, as in").fill("Mail Clients")
    desk.button("Add", form).click()
    desk.came_to("**/groups/Mail%20Clients")
    for name in ("carol", "dave"):
        add_user(desk, name)
    desk.go("/groups/Mail%20Clients")
    desk.button("Add member...").click()
    form = desk.dialog("Add member")
    form.get_by_role("textbox").fill(f"carol@{DOMAIN}")
    desk.button("Add", form).click()
    page.get_by_role("link", name=f"carol@{DOMAIN}").wait_for()
    assert "relay-denied" in answer(house, "carol", ELSEWHERE)

    # Access, Relay, Users..., Submit and Relay for the group
    desk.go("/servers/smtp/submission")
    page.get_by_role("tab", name="Access").click()
    desk.button("Relay...").click()
    relay = desk.dialog("Relay Restrictions")
    desk.button("Users...", relay).click()
    users = desk.dialog("Permissions for Submit and Relay")
    desk.button("Add...", users).click()
    page.get_by_label("Search for a name").fill("mail cl")
    expect(desk.button(f"carol@{DOMAIN}")).to_have_count(0)
    desk.button("Mail Clients (1 users)").click()
    page.get_by_role("checkbox", name="Allow Relay to Group: Mail Clients").click()
    expect(page.get_by_role("checkbox", name="Allow Submit to Group: Mail Clients")).to_be_checked()
    users.get_by_text("“Mail Clients” may hand in mail and relay to other domains. (new)").wait_for()
    users.get_by_text(f"carol@{DOMAIN}, from").wait_for()
    desk.ok(users)
    desk.ok(relay)
    review = desk.review()
    review.get_by_text(f"carol@{DOMAIN} could not relay through 'submission', now it can").wait_for()
    assert "Mail Clients" not in house.file.read_text()
    desk.ok(review, "Apply")
    page.get_by_text("is in force.").wait_for()
    assert '{ allow = ["submit", "relay"], to = "group:Mail Clients" },' in house.file.read_text()
    assert "# mail for ourselves" in house.file.read_text()

    assert answer(house, "carol", ELSEWHERE) == "250"
    assert "relay-denied" in answer(house, "dave", ELSEWHERE)

    # relaying switched off for whoever authenticates
    desk.go(SHEET)
    desk.button("Relay...").click()
    relay = desk.dialog("Relay Restrictions")
    desk.button("Users...", relay).click()
    users = desk.dialog("Permissions for Submit and Relay")
    users.get_by_role("checkbox", name="Allow Relay to Group: Mail Clients").click()
    users.get_by_text("Nobody.").wait_for()
    desk.ok(users)
    desk.ok(relay)
    desk.apply()
    assert "relay-denied" in answer(house, "carol", ELSEWHERE)
    assert answer(house, "carol", f"dave@{DOMAIN}") == "250"
    inbound_goes_on(house, "in without relay")


def test_every_dialog_of_the_access_tab(make_desk: Callable[..., Desk], house: House) -> None:
    desk = make_desk()
    page = desk.go(SHEET)

    desk.button("Authentication...").click()
    dialog = desk.dialog("Authentication")
    dialog.get_by_role("checkbox", name="SCRAM-SHA-256: the password").click()
    dialog.get_by_role("checkbox", name="Anonymous access").click()
    dialog.get_by_text("Whoever is not logged in may hand in mail. (new)").wait_for()
    desk.ok(dialog)

    desk.button("Communication...").click()
    dialog = desk.dialog("Security")
    dialog.get_by_role("radio", name="Offered").click()
    desk.ok(dialog)

    desk.button("Certificate...").click()
    dialog = desk.dialog("Certificate")
    expect(dialog.get_by_role("checkbox", name="default")).to_be_checked()
    dialog.get_by_text("days left").wait_for()
    desk.ok(dialog, "Cancel")

    desk.button("Connection...").click()
    dialog = desk.dialog("Connection")
    expect(dialog.get_by_role("radio", name="All except the list below")).to_be_checked()
    box = dialog.get_by_label("Address, network or host name")
    box.fill("192.0.2.9/24")
    box.press("Enter")
    dialog.get_by_text("has bits set beyond its mask").wait_for()
    box.fill("192.0.2.0/24")
    desk.button("Add", dialog).click()
    dialog.get_by_text("A host in 192.0.2.0/24 may never connect. (new)").wait_for()
    desk.ok(dialog)

    desk.button("Relay...").click()
    dialog = desk.dialog("Relay Restrictions")
    left_alone = dialog.get_by_text("The user lab may relay to other domains from 10.0.5.0/24.")
    expect(left_alone).to_have_count(2)  # in the table, and as what this dialog can't show
    dialog.get_by_role("checkbox", name="Allow all computers which successfully authenticate").click()
    dialog.get_by_text("Whoever can log in").wait_for()
    desk.ok(dialog)

    desk.button("Add an entry...").click()
    dialog = desk.dialog("Add an entry")
    dialog.get_by_role("radio", name="Deny").click()
    dialog.get_by_role("checkbox", name="Relay: name recipients").click()
    dialog.get_by_role("combobox", name="To whom").click()
    page.get_by_role("option", name="User", exact=True).click()
    dialog.get_by_label("Name", exact=True).fill(f"intern@{DOMAIN}")
    dialog.get_by_label("Only from these networks").fill("10.0.0.0/8")
    dialog.get_by_text(
        f"The user intern@{DOMAIN} may never relay to other domains from 10.0.0.0/8. (new)"
    ).wait_for()
    desk.ok(dialog)

    review = desk.review()
    review.get_by_role("checkbox", name="I have read this").click()
    desk.ok(review, "Apply")
    page.get_by_text("is in force.").wait_for()
    text = house.file.read_text()
    for written in (
        'auth = ["SCRAM-SHA-256", "PLAIN", "LOGIN"]',
        'tls = "offer"',
        '{ deny = ["connect"], to = "net:192.0.2.0/24" },',
        '{ allow = ["submit", "relay"], to = "authenticated" }, # mail for ourselves',
        '{ allow = ["relay"], to = "user:lab", from = ["10.0.5.0/24"] }, # the lab',
        '{ allow = ["submit"], to = "anonymous" },',
        f'{{ deny = ["relay"], to = "user:intern@{DOMAIN}", from = ["10.0.0.0/8"] }},',
    ):
        assert written in text


def test_an_open_relay_is_shown_and_cannot_be_applied(make_desk: Callable[..., Desk], house: House) -> None:
    desk = make_desk()
    desk.go("/servers/smtp/internet?tab=access")
    desk.button("Relay...").click()
    dialog = desk.dialog("Relay Restrictions")
    dialog.get_by_role("radio", name="All except the list below").click()
    alert = dialog.get_by_role("alert")
    alert.get_by_text("open relay: on internet").wait_for()
    expect(alert.get_by_text('"relay"')).to_contain_text("line ")
    desk.ok(dialog)
    review = desk.review()
    review.get_by_role("alert").get_by_text("open relay").wait_for()
    expect(desk.button("Apply", review)).to_be_disabled()
    desk.ok(review, "Cancel")
    desk.button("Discard").click()
    expect(desk.button("Review and apply...")).to_have_count(0)
    assert (
        "relay"
        not in house.file.read_text().partition("[smtp.submission]")[0].partition("[smtp.internet]")[2]
    )


def test_the_deny_trap_wants_to_be_read_first(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    page = desk.go(SHEET)
    desk.button("Relay...").click()
    relay = desk.dialog("Relay Restrictions")
    desk.button("Users...", relay).click()
    users = desk.dialog("Permissions for Submit and Relay")
    desk.button("Add...", users).click()
    desk.button("POP3 Relay (0 users)").click()
    page.get_by_role("checkbox", name="Allow Relay to Group: POP3 Relay").click()
    page.get_by_role("checkbox", name="Deny Relay to Whoever is logged in").click()
    users.get_by_text("a deny wins over every allow").first.wait_for()
    desk.ok(users)
    desk.ok(relay)
    review = desk.review()
    expect(desk.button("Apply", review)).to_be_disabled()
    review.get_by_role("checkbox", name="I have read this").click()
    expect(desk.button("Apply", review)).to_be_enabled()


def test_passwords_in_clear_for_anyone_are_refused(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    desk.go(SHEET)
    desk.button("Authentication...").click()
    dialog = desk.dialog("Authentication")
    dialog.get_by_role("checkbox", name="Take passwords over channels").click()
    dialog.get_by_role("alert").get_by_text("auth_in_clear").first.wait_for()
    desk.ok(dialog)
    expect(desk.button("Apply", desk.review())).to_be_disabled()


def change_limit(desk: Desk, label: str, value: str) -> None:
    page = desk.go("/servers/smtp/submission")
    field = page.get_by_label(label)
    field.fill(value)
    field.press("Tab")
    desk.button("Review and apply...").wait_for()


def test_two_administrators_lose_nothing(make_desk: Callable[..., Desk], house: House) -> None:
    one, two = make_desk("one"), make_desk("two")
    change_limit(one, "Connections at most", "123")
    change_limit(two, "Errors before a session ends", "7")
    one.apply()

    two.page.get_by_text("Somebody else has changed the file meanwhile").wait_for()
    review = two.review()
    review.get_by_text("Changed meanwhile by somebody else, and kept:").wait_for()
    review.get_by_text("smtp.submission.connections: 1000 becomes 123").wait_for()
    two.ok(review, "Apply")
    two.page.get_by_text("is in force.").wait_for()
    text = house.file.read_text()
    assert "connections = 123" in text
    assert "errors_per_session = 7" in text
    assert [one.by for one in generations(house).history()[-2:]] == ["one", "two"]


def test_what_both_changed_is_asked_about(make_desk: Callable[..., Desk], house: House) -> None:
    one, two = make_desk("one"), make_desk("two")
    for desk, value in ((one, "11"), (two, "12")):
        change_limit(desk, "Errors before a session ends", value)
    one.apply()
    review = two.review()
    review.get_by_text("yours is 12, theirs is 11").wait_for()
    expect(two.button("Apply", review)).to_be_disabled()  # theirs stands, so nothing would change
    review.get_by_role("radio", name="Mine").click()
    expect(two.button("Apply", review)).to_be_enabled()
    two.ok(review, "Apply")
    two.page.get_by_text("is in force.").wait_for()
    assert "errors_per_session = 12" in house.file.read_text()


def test_going_back_to_an_earlier_generation(make_desk: Callable[..., Desk], house: House) -> None:
    desk = make_desk()
    before, number = house.file.read_text(), generations(house).history()[-1].number
    change_limit(desk, "Connections at most", "77")
    desk.apply()
    page = desk.go("/history")
    desk.button(f"Compare generation {number} with now").click()
    compared = desk.dialog(f"From generation {number} to now")
    compared.get_by_text("+connections = 77").wait_for()
    desk.ok(compared, "Close")
    desk.button(f"Go back to generation {number}...").click()
    review = desk.dialog("Review and apply")
    review.get_by_text("smtp.submission.connections: 77 becomes 1000").wait_for()
    desk.ok(review, "Apply")
    page.get_by_text("is in force.").wait_for()
    assert house.file.read_text() == before


def test_a_wrong_value_stands_at_its_field_and_not_in_the_draft(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    page = desk.go("/settings")
    field = page.get_by_label("Give up after (seconds)")
    field.fill("5")
    field.press("Tab")
    page.get_by_text("is not before give_up_seconds").wait_for()
    expect(desk.button("Review and apply...")).to_have_count(0)
    field.fill("200000")
    field.press("Tab")
    desk.button("Review and apply...").wait_for()
    expect(page.get_by_text("is not before give_up_seconds")).to_have_count(0)


def test_the_wizard_makes_a_server_and_its_menu_stops_it(
    make_desk: Callable[..., Desk], house: House
) -> None:
    desk = make_desk()
    page = desk.go("/servers/smtp/internet")
    page.get_by_role("link", name="internet", exact=True).click(button="right")
    page.get_by_role("menuitem", name="New virtual server...").click()
    desk.came_to("**/new-server/smtp")
    page.get_by_label("Name", exact=True).fill("printers")
    page.get_by_label("Address and port").fill(f"{house.host}:2526")
    desk.button("Next").click()
    page.get_by_role("radio", name="Old devices").click()
    page.get_by_label("Network of the devices").fill("127.0.0.0/8")
    desk.button("Make it").click()
    desk.came_to("**/servers/smtp/printers?tab=access")
    page.get_by_text("A host in 127.0.0.0/8 may connect, hand in mail and relay to other domains.").wait_for()
    desk.apply()
    assert house.greeting(2526).startswith(b"220 ")

    for verb, starts in (("Pause", b"421"), ("Stop", b""), ("Start", b"220")):
        desk.go("/servers/smtp/printers")
        desk.button("Menu of smtp.printers").click()
        with page.expect_navigation():  # the page is drawn anew when it is done
            page.get_by_role("menuitem", name=verb, exact=True).click()
        assert house.greeting(2526)[: len(starts) or 1] == starts

    desk.go("/servers/smtp/printers")
    desk.button("Delete...").click()
    desk.ok(desk.dialog("Delete smtp.printers"), "Remove")
    desk.go("/domains")
    desk.apply()
    assert house.greeting(2526) == b""


def test_domains_and_routes(make_desk: Callable[..., Desk], house: House) -> None:
    desk = make_desk()
    page = desk.go("/routes")
    page.get_by_label("Domain or pattern").fill("partner.example")
    desk.button("Add a route").click()
    dialog = desk.dialog("partner.example")
    dialog.get_by_label("By way of").fill("smtp://mx.partner.example:25")
    dialog.get_by_label("By way of").press("Tab")
    desk.ok(dialog)
    desk.button("Review and apply...").wait_for()
    page = desk.go("/domains")
    page.get_by_label("Domain", exact=True).fill("not a domain")
    desk.button("Add a domain").click()
    page.get_by_text("is not a domain name").wait_for()
    page.get_by_label("Domain", exact=True).fill("example.net")
    desk.button("Add a domain").click()
    page.get_by_role("region", name="example.net").wait_for()
    desk.apply()
    text = house.file.read_text()
    assert 'via = "smtp://mx.partner.example:25"' in text
    assert '[domains."example.net"]' in text


def test_a_pop3_server_has_its_own_dialogs(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    page = desk.go("/servers/pop3/mail?tab=access")
    expect(desk.button("Relay...")).to_have_count(0)
    desk.button("Users...").click()
    users = desk.dialog("Permissions for Collecting")
    desk.button("Add...", users).click()
    desk.button("POP3 Relay (0 users)").click()
    page.get_by_role("checkbox", name="Deny Collect to Group: POP3 Relay").click()
    users.get_by_text("may never collect mail. (new)").wait_for()
    desk.ok(users)
    page.get_by_role("tab", name="Mailboxes").click()
    page.get_by_label("Seconds between two logins").wait_for()


def test_a_viewer_looks_and_changes_nothing(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk("watcher", Role.VIEWER)
    page = desk.go(SHEET)
    page.get_by_text("Who could relay now").wait_for()
    for name in ("Add an entry...", "Delete..."):
        expect(desk.button(name)).to_have_count(0)
    desk.button("Relay...").click()
    expect(desk.button("OK", desk.dialog("Relay Restrictions"))).to_be_disabled()
    page = desk.go("/settings")
    expect(page.get_by_label("Name of this host")).not_to_be_editable()


def focused(page: Page) -> str:
    script = "document.activeElement.closest('button, [role]')?.textContent?.trim() ?? ''"
    return str(page.evaluate(script))


def test_by_keyboard_alone(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    page = desk.go(SHEET)
    page.get_by_text("Who could relay now").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "Skip to the content"
    desk.button("Relay...").focus()
    page.keyboard.press("Enter")
    dialog = desk.dialog("Relay Restrictions")
    inside = "document.activeElement.closest('[role=dialog]') !== null"
    page.wait_for_function(inside)
    for _ in range(30):
        page.keyboard.press("Tab")
        assert page.evaluate(inside)
        if focused(page) == "Users...":
            break
    page.keyboard.press("Enter")
    users = desk.dialog("Permissions for Submit and Relay")
    page.keyboard.press("Escape")
    users.wait_for(state="hidden")
    assert focused(page) == "Users..."
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert focused(page) == "Relay..."


PAGES = (
    "/servers/smtp/submission", SHEET, "/servers/smtp/submission?tab=messages",
    "/servers/pop3/mail?tab=mailboxes", "/new-server/smtp", "/settings", "/domains", "/routes", "/history",
)  # fmt: skip
DIALOGS = (
    "Authentication...",
    "Certificate...",
    "Communication...",
    "Connection...",
    "Relay...",
    "Add an entry...",
)


def breaches(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize(
    ("scheme", "pages", "dialogs"),
    [("light", PAGES[:6], DIALOGS[:3]), ("dark", (SHEET, *PAGES[6:]), DIALOGS[3:])],
)
def test_axe_finds_nothing(
    make_desk: Callable[..., Desk], scheme: str, pages: tuple[str, ...], dialogs: tuple[str, ...]
) -> None:
    desk = make_desk(color_scheme=scheme)
    found: dict[str, list[str]] = {}
    for path in pages:
        page = desk.go(path)
        if "tab=access" in path:
            page.get_by_text("Who could relay now").wait_for()
        found[path] = breaches(page)
    desk.go(SHEET)
    for name in dialogs:
        desk.button(name).click()
        dialog = desk.page.get_by_role("dialog")
        dialog.get_by_text("What the table then says").wait_for()
        found[name] = breaches(desk.page)
        desk.ok(dialog, "Cancel")
    assert {where: what for where, what in found.items() if what} == {}


def test_a_phone_shows_it_without_scrolling_sideways(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(viewport={"width": 390, "height": 844}, has_touch=True)
    for path in PAGES:
        page = desk.go(path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, f"{path} is {wide} wide"
    page = desk.go(SHEET)
    desk.button("Relay...").click()
    dialog = desk.dialog("Relay Restrictions")
    dialog.get_by_text("Who could relay now").wait_for()
    box = desk.button("OK", dialog).bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 390
    desk.ok(dialog, "Cancel")
    desk.button("Show or hide the tree").click()
    page.get_by_role("link", name="Settings", exact=True).click()
    desk.came_to("**/settings")


def test_a_sign_in_of_a_while_ago_is_asked_for_again_and_the_draft_stays(
    make_desk: Callable[..., Desk], house: House
) -> None:
    text = house.file.read_text()
    house.file.write_text(text.replace("[console]\n", "[console]\nfresh_seconds = 1\n"))
    house.ask("reload", by="test")
    desk = make_desk("late")
    change_limit(desk, "Connections at most", "55")
    page = desk.page
    page.wait_for_timeout(1_100)
    review = desk.review()
    desk.button("Apply", review).click()
    again = desk.dialog("Once more, who are you?")
    desk.button("Sign in again", again).click()
    page.locator("#password").fill(PASSWORD)
    page.locator("form button[type=submit]").first.click()
    desk.came_to("**/servers/smtp/submission*")
    house.file.write_text(house.file.read_text().replace("fresh_seconds = 1\n", "fresh_seconds = 600\n"))
    review = desk.review()
    review.get_by_text("smtp.submission.connections: 1000 becomes 55").wait_for()
