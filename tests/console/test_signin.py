"""Signing in: by password, code and link; what is refused, what ends, what is asked again."""

from __future__ import annotations

import re
import sqlite3
import time

import pyotp
import pytest

from console.rig import PASSWORD, Rig
from gatepost.admin import administrators as admin
from gatepost.config.console import SecondFactor
from gatepost.policy.principal import parse_principal
from gatepost.secret import Secret


def attempts(rig: Rig) -> list[tuple[str, str | None, str]]:
    rig.attempts.close()
    with sqlite3.connect(rig.place.attempts) as database:
        return database.execute("SELECT name, reason, mechanism FROM attempt ORDER BY at").fetchall()


# the first link


def test_the_first_link_makes_the_first_administrator(rig: Rig) -> None:
    link = admin.first_link(rig.settings, rig.accounts, by="init")
    assert link is not None
    path = link.removeprefix("http://127.0.0.1:8025")
    browser = rig.browser()
    assert "The first administrator" in browser.get(path).text
    answer = browser.send(path, name="ann", password=PASSWORD, again=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "front page" in browser.get("/").text
    assert rig.browser().get(path).status_code == 404
    assert admin.first_link(rig.settings, rig.accounts, by="init") is None


def test_a_link_takes_no_bad_password(rig: Rig) -> None:
    link = admin.first_link(rig.settings, rig.accounts, by="init") or ""
    path, browser = link.removeprefix("http://127.0.0.1:8025"), rig.browser()
    assert "differ" in browser.send(path, name="ann", password=PASSWORD, again="other").text
    assert "attackers try first" in browser.send(path, name="ann", password="password", again="password").text
    assert rig.accounts.administrators.is_empty()


# the password


def test_a_right_password_opens_the_console(rig: Rig) -> None:
    rig.add("ann")
    browser = rig.browser()
    assert browser.get("/").headers["location"] == "/sign-in"
    answer = browser.sign_in("Ann")
    assert answer.headers["location"] == "/"
    assert re.search(r"gatepost=\S+; HttpOnly; Path=/; SameSite=strict", answer.headers["set-cookie"])
    assert "front page" in browser.get("/").text


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong"), ("nobody", PASSWORD), ("ann", "")])
def test_a_wrong_one_does_not_and_all_hear_the_same(rig: Rig, name: str, password: str) -> None:
    rig.add("ann")
    answer = rig.browser().sign_in(name, password)
    assert answer.status_code == 403
    assert "Name or password is wrong, or this account may not sign in here." in answer.text
    assert "set-cookie" not in answer.headers or "gatepost=" not in answer.headers["set-cookie"]


def test_the_guard_counts_and_the_records_show_it(rig: Rig) -> None:
    rig.add("ann")
    for number in range(3):
        rig.browser(peer="192.0.2.7").sign_in("ann", f"guess {number}")
    rig.browser(peer="192.0.2.7").sign_in("ann")
    found = attempts(rig)
    assert [one[1:] for one in found] == [("wrong-password", "PASSWORD")] * 3 + [(None, "PASSWORD")]


def test_a_guessing_source_is_refused_the_right_password_too(rig: Rig) -> None:
    rig.add("ann")
    for number in range(12):
        rig.browser(peer="192.0.2.7").sign_in("ann", f"guess {number}")
    assert rig.browser(peer="192.0.2.7").sign_in("ann").status_code == 403
    assert rig.browser(peer="198.51.100.7").sign_in("ann").status_code == 303
    assert "login-refused-by-guard" in [one[1] for one in attempts(rig)]


def test_mail_users_do_not_sign_in_but_administrators_among_them_do(rig: Rig) -> None:
    credential = rig.passwords.credential(Secret(PASSWORD))
    for name, administrator in (("bob@example.org", False), ("carl@example.org", True)):
        rig.accounts.users.add(
            name, domains=["example.org"], by="test", credential=credential, administrator=administrator
        )
    assert rig.browser().sign_in("bob").status_code == 403
    assert rig.browser().sign_in("carl").status_code == 303


def test_tokens_go_with_the_role_that_a_directory_gave(rig: Rig) -> None:
    credential = rig.passwords.credential(Secret(PASSWORD))
    rig.accounts.users.add("bob@example.org", domains=["example.org"], by="test", credential=credential)
    rig.change(administrators=(parse_principal("user:bob@example.org"),))
    browser = rig.browser()
    browser.sign_in("bob")
    headers = {"x-csrf-token": browser.form("/account"), "accept": "application/json"}
    made = browser.ask("POST", "/api/v1/tokens", json={"label": "x", "role": "operator"}, headers=headers)
    assert made.status_code == 201, made.text

    def shown() -> int:
        rig.late += 3_600
        bearer = {"authorization": f"Bearer {made.json()['token']}"}
        return rig.browser().get("/api/v1/me", headers=bearer).status_code

    assert shown() == 200
    for values, status in (
        ({"administrators": (), "operators": (parse_principal("user:bob@example.org"),)}, 200),
        ({"operators": (), "viewers": (parse_principal("user:bob@example.org"),)}, 401),
        ({"viewers": ()}, 401),
    ):
        rig.change(**values)
        assert shown() == status


def test_a_directorys_group_gives_the_role_and_takes_it(rig: Rig) -> None:
    credential = rig.passwords.credential(Secret(PASSWORD))
    rig.accounts.users.add("bob@example.org", domains=["example.org"], by="test", credential=credential)
    rig.accounts.groups.add("Helpdesk", by="test")
    rig.accounts.groups.join("Helpdesk", "bob@example.org", by="t", domains=["example.org"], guessable=[])
    rig.change(operators=(parse_principal("group:Helpdesk"),))
    browser = rig.browser()
    assert browser.sign_in("bob").status_code == 303
    assert browser.get("/api/v1/me").json()["role"] == "operator"
    rig.accounts.groups.leave("Helpdesk", "bob@example.org", by="test", domains=["example.org"])
    assert browser.get("/api/v1/me").status_code == 401
    assert browser.get("/").headers["location"] == "/sign-in"


# the code


def with_code(rig: Rig, name: str = "ann") -> str:
    rig.add(name)
    secret = pyotp.random_base32()
    rig.accounts.administrators.set_totp(name, secret, by=name)
    return secret


def test_the_code_is_asked_for_and_works_once(rig: Rig) -> None:
    secret = with_code(rig)
    browser = rig.browser()
    assert browser.sign_in("ann").headers["location"] == "/sign-in/second"
    assert browser.get("/").headers["location"] == "/sign-in/second"
    assert browser.get("/api/v1/me").status_code == 401
    code = pyotp.TOTP(secret).now()
    half = browser.cookies["gatepost"]
    assert browser.send("/sign-in/second", code=code).headers["location"] == "/"
    assert browser.cookies["gatepost"] != half
    assert "front page" in browser.get("/").text
    other = rig.browser()
    other.sign_in("ann")
    assert other.send("/sign-in/second", code=code).status_code == 403


def test_five_wrong_codes_end_it_and_count_as_guesses(rig: Rig) -> None:
    secret = with_code(rig)
    browser = rig.browser()
    browser.sign_in("ann")
    now = int(time.time()) // 30
    near = {pyotp.TOTP(secret).generate_otp(now + step) for step in range(-3, 4)}
    wrong = [code for code in (f"{n:06}" for n in range(100)) if code not in near][:5]
    answers = [browser.send("/sign-in/second", code=code) for code in wrong]
    assert [answer.status_code for answer in answers] == [403] * 4 + [303]
    assert browser.get("/sign-in/second").headers["location"] == "/sign-in"
    assert [one[1] for one in attempts(rig)].count("wrong-password") == 5


def test_an_app_is_set_up_with_its_first_code(rig: Rig) -> None:
    rig.add("ann")
    browser = rig.browser()
    browser.sign_in("ann")
    page = browser.get("/account").text
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    assert secret is not None
    assert "data:image/svg+xml" in page
    assert browser.send("/account/app", "/account", code="000000").status_code == 422
    browser.send("/account/app", "/account", code=pyotp.TOTP(secret[1]).now())
    kept = rig.accounts.administrators.get("ann").totp_secret
    assert kept == secret[1]
    assert secret[1] not in browser.get("/account").text


def test_where_a_second_factor_is_required_nothing_else_goes_before_it(rig: Rig) -> None:
    rig.change(second_factor=SecondFactor.REQUIRE)
    rig.add("ann")
    browser = rig.browser()
    browser.sign_in("ann")
    assert browser.get("/").headers["location"] == "/account"
    assert browser.get("/api/v1/me").status_code == 401
    page = browser.get("/account").text
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    assert secret is not None
    browser.send("/account/app", "/account", code=pyotp.TOTP(secret[1]).now())
    assert "front page" in browser.get("/").text


# sessions end


def test_a_session_ends_when_nothing_comes(rig: Rig) -> None:
    rig.add("ann")
    browser = rig.browser()
    browser.sign_in("ann")
    rig.late = 1_700
    assert browser.get("/").status_code == 200
    rig.late += 1_700
    assert browser.get("/").status_code == 200
    rig.late += 1_801
    assert browser.get("/").headers["location"] == "/sign-in"


def test_a_session_ends_after_half_a_day_whatever_happens(rig: Rig) -> None:
    rig.add("ann")
    browser = rig.browser()
    browser.sign_in("ann")
    for _ in range(24):
        rig.late += 1_790
        assert browser.get("/").status_code == 200
    rig.late += 1_790
    assert browser.get("/").headers["location"] == "/sign-in"


def test_signing_out_ends_it_for_good(rig: Rig) -> None:
    rig.add("ann")
    browser = rig.browser()
    browser.sign_in("ann")
    kept = browser.cookies["gatepost"]
    browser.ask("POST", "/sign-out")
    browser.cookies.set("gatepost", kept)
    assert browser.get("/").headers["location"] == "/sign-in"


def test_whoever_is_removed_or_reset_is_signed_out_at_once(rig: Rig) -> None:
    rig.add("ann")
    rig.add("bob")
    browser, other = rig.browser(), rig.browser()
    browser.sign_in("bob")
    admin.reset(rig.settings, rig.accounts, "bob", by="ann")
    assert browser.get("/").headers["location"] == "/sign-in"
    other.sign_in("bob")
    admin.remove(rig.settings, rig.accounts, "bob", by="ann")
    assert other.get("/").headers["location"] == "/sign-in"


def test_another_role_holds_from_the_next_request_on(rig: Rig) -> None:
    rig.add("ann")
    rig.add("bob")
    browser = rig.browser()
    browser.sign_in("bob")
    rig.accounts.administrators.set_role("bob", "viewer", by="ann")
    assert browser.get("/api/v1/me").json()["role"] == "viewer"


# once more the password


def test_after_a_while_a_dangerous_act_asks_for_the_password(rig: Rig) -> None:
    rig.add("ann")
    browser = rig.browser()
    browser.sign_in("ann")
    token = {"x-csrf-token": browser.form("/account"), "accept": "application/json"}
    rig.late = 601
    answer = browser.ask("POST", "/api/v1/tokens", json={"label": "x"}, headers=token)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:gatepost:problem:sign-in-again")
    assert browser.send("/sign-in/again", password="wrong").status_code == 403
    assert browser.send("/sign-in/again", password=PASSWORD).status_code == 303
    assert browser.ask("POST", "/api/v1/tokens", json={"label": "x"}, headers=token).status_code == 201


def test_ones_own_sign_in_is_changed_with_a_fresh_proof_alone(rig: Rig) -> None:
    rig.add("ann")
    browser = rig.browser()
    browser.sign_in("ann")
    rig.late = 601
    answer = browser.send("/account/app", "/account", code="000000")
    assert answer.headers["location"] == "/sign-in/again?next=/account"


def test_a_new_password_holds_and_ends_other_sessions(rig: Rig) -> None:
    rig.add("ann")
    browser, other = rig.browser(), rig.browser()
    browser.sign_in("ann")
    other.sign_in("ann")
    new = {"password": "four quite plain words", "again": "four quite plain words"}
    assert browser.send("/account/password", "/account", present="wrong", **new).status_code == 422
    assert browser.send("/account/password", "/account", present=PASSWORD, **new).status_code == 200
    assert browser.get("/").status_code == 200
    assert other.get("/").headers["location"] == "/sign-in"
    assert rig.browser().sign_in("ann").status_code == 403
    assert rig.browser().sign_in("ann", new["password"]).status_code == 303


# forged requests


def test_a_form_without_our_word_is_refused(rig: Rig) -> None:
    rig.add("ann")
    browser = rig.browser()
    browser.get("/sign-in")
    answer = browser.ask("POST", "/sign-in", data={"form": "guess", "name": "ann", "password": PASSWORD})
    assert answer.status_code == 403
    browser.sign_in("ann")
    browser.get("/account")
    assert browser.ask("POST", "/account/app/remove", data={"form": "guess"}).status_code == 403


def test_a_cookie_alone_changes_nothing_over_the_api(rig: Rig) -> None:
    rig.add("ann")
    browser = rig.browser()
    browser.sign_in("ann")
    answer = browser.ask("POST", "/api/v1/tokens", json={"label": "x"})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:gatepost:problem:forged")
    assert rig.accounts.tokens.all() == []


@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
)
def test_what_another_site_sends_is_refused(rig: Rig, headers: dict[str, str]) -> None:
    rig.add("ann")
    form = (browser := rig.browser()).form("/sign-in")
    fields = {"form": form, "name": "ann", "password": PASSWORD}
    assert browser.ask("POST", "/sign-in", data=fields, headers=headers).status_code == 403


def test_a_name_that_is_not_ours_is_not_answered(rig: Rig) -> None:
    for host in ("evil.example", "evil.example:8025", "localhost.evil.example", ""):
        assert rig.browser().get("/sign-in", headers={"host": host}).status_code == 421
    for host in ("localhost:8025", "mail.example.org", "127.0.0.1", "[::1]:8025"):
        assert rig.browser().get("/sign-in", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"]
)
def test_the_way_on_stays_here(rig: Rig, path: str) -> None:
    rig.add("ann")
    assert rig.browser().sign_in("ann", next=path).headers["location"] == "/"


# what pages show and say


def test_only_what_is_open_is_open(rig: Rig) -> None:
    for path in (
        "/",
        "/accounts",
        "/sign-inn",
        "/sign-in.html",
        "/nothing",
        "/api",
        "/api/v11",
        "/_nicegui/x",
    ):
        assert rig.browser().get(path).headers.get("location", "").startswith("/sign-in"), path
        assert rig.browser().get(path, headers={"accept": "*/*"}).status_code == 401, path


def test_every_answer_has_the_headers(rig: Rig) -> None:
    for path in ("/sign-in", "/", "/api/v1/me", "/nothing", "/sign-in/static/signin.js"):
        headers = rig.browser().get(path).headers
        assert headers["x-frame-options"] == "DENY", path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    own = rig.browser().get("/sign-in").headers["content-security-policy"]
    assert "unsafe" not in own
    assert own.startswith("default-src 'none'")


def test_what_is_typed_comes_back_as_text(rig: Rig) -> None:
    nasty = '"><script>alert(1)</script>'
    text = rig.browser().sign_in(nasty, "x").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_nothing_secret_is_logged_or_kept(rig: Rig, capfd: pytest.CaptureFixture[str]) -> None:
    secret = with_code(rig)
    browser = rig.browser()
    browser.sign_in("ann", "a wrong password")
    browser.sign_in("ann")
    browser.send("/sign-in/second", code=pyotp.TOTP(secret).now())
    said = capfd.readouterr().err
    kept = b"".join(path.read_bytes() for path in rig.place.state.glob("console.sqlite3*"))
    for word in (PASSWORD, "a wrong password", secret, browser.cookies["gatepost"]):
        assert word not in said
        assert word.encode() not in kept
