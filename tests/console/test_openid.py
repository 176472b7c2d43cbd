"""Signing in by way of a provider, over real HTTPS: what opens the console, and every lie that does not."""

from __future__ import annotations

import sqlite3
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwk

from console.rig import PASSWORD, Browser, Rig
from gatepost.config.console import SecondFactor
from gatepost.config.load import load
from issuer import SECRET, rsa_key
from openid import OpenIdProvider


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIdProvider]:
    provider = OpenIdProvider(tmp_path_factory.mktemp("openid"))
    yield provider
    provider.close()


@pytest.fixture
def provider(_running: OpenIdProvider) -> OpenIdProvider:
    """Tells the truth, until a test has it lie."""
    _running.begin_anew()
    _running.answer.clear()
    return _running


@pytest.fixture
def rig(rig: Rig, provider: OpenIdProvider) -> Rig:
    """With `[console.openid]` in its file."""
    secret = rig.place.state.parent / "secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o600)
    with_openid(rig, provider)
    return rig


def with_openid(rig: Rig, provider: OpenIdProvider, **more: Any) -> None:
    file = rig.office.house.file
    text = file.read_text().partition("[console.openid]")[0]
    table = {**provider.table(), "client_secret_file": "secret", **more}
    lines = "".join(f"{key} = {value!r}\n" for key, value in table.items())
    file.write_text(f"{text}\n[console.openid]\n{lines}")
    rig.settings = load(file)
    rig.people.change(rig.settings)


def at_provider(provider: OpenIdProvider, address: str) -> str:
    """Where the provider sends the browser back to."""
    trust = ssl.create_default_context(cafile=str(provider.ca_file))
    answer = httpx.get(address, verify=trust)
    assert answer.status_code == 303, answer.text
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


def go(browser: Browser, provider: OpenIdProvider, path: str = "/sign-in/openid") -> httpx.Response:
    """The whole way, there and back."""
    begun = browser.get(path)
    assert begun.status_code == 303, begun.text
    return browser.get(at_provider(provider, begun.headers["location"]))


def attempts(rig: Rig) -> list[tuple[str, str | None, str]]:
    rig.attempts.close()
    with sqlite3.connect(rig.place.attempts) as database:
        return database.execute("SELECT name, reason, mechanism FROM attempt ORDER BY at").fetchall()


# who comes in


def test_the_page_offers_it_where_it_is_set_alone(rig: Rig) -> None:
    assert "Sign in with Example ID" in rig.browser().get("/sign-in?next=/queues").text
    rig.change(openid=None)
    assert "Sign in with" not in rig.browser().get("/sign-in").text
    assert rig.browser().get("/sign-in/openid").status_code == 404


def test_whoever_has_a_role_comes_in(rig: Rig, provider: OpenIdProvider) -> None:
    browser = rig.browser()
    answer = go(browser, provider, "/sign-in/openid?next=/queues%3Fstate%3Dheld")
    assert answer.status_code == 200
    assert 'content="0; url=/queues?state=held"' in answer.text
    said = browser.get("/api/v1/me").json()
    assert (said["name"], said["role"], said["via"]) == ("openid:ann", "administrator", "console")
    asked = provider.requests[-1]
    assert asked["redirect_uri"] == "http://127.0.0.1:8025/sign-in/openid/back"
    assert asked["scope"] == "openid profile email"
    assert attempts(rig) == [("OPENID from 127.0.0.1", None, "OPENID")]
    change = rig.accounts.audit.changes(limit=1)[0]
    assert (change.what, change.who, change.after) == (
        "sign-in", "openid:ann",
        {"role": "administrator", "issuer": provider.url, "subject": "0001",
         "claim": ["Mail Admins", "staff"]},
    )  # fmt: skip


def test_the_cookie_of_the_way_is_lax_and_goes(rig: Rig, provider: OpenIdProvider) -> None:
    browser = rig.browser()
    begun = browser.get("/sign-in/openid")
    assert "gatepost-openid=" in begun.headers["set-cookie"]
    assert "HttpOnly; Max-Age=600; Path=/; SameSite=lax" in begun.headers["set-cookie"]
    cookies = browser.get(at_provider(provider, begun.headers["location"])).headers.get_list("set-cookie")
    assert any(one.startswith('gatepost-openid=""; HttpOnly; Max-Age=0') for one in cookies)
    assert any(one.startswith("gatepost=") and "SameSite=strict" in one for one in cookies)


def test_the_claim_gives_the_role(rig: Rig, provider: OpenIdProvider) -> None:
    said: list[Any] = [["staff"], "Mail Admins", ["staff", "x"]]
    for groups, role in zip(said, ("viewer", "administrator", "viewer"), strict=True):
        provider.person["groups"] = groups
        go(browser := rig.browser(), provider)
        assert browser.get("/api/v1/me").json()["role"] == role


def test_nobody_comes_in_without_a_role(rig: Rig, provider: OpenIdProvider) -> None:
    nothings: list[Any] = [None, [], ["mail admins"], "", {"Mail Admins": 1}, [["Mail Admins"]]]
    for groups in nothings:
        provider.person["groups"] = groups
        answer = go(browser := rig.browser(), provider)
        assert answer.status_code == 403
        assert "gives a role here" in answer.text
        assert browser.get("/api/v1/me").status_code == 401
    assert {one[1] for one in attempts(rig)} == {"access-denied"}


def test_a_claim_may_lie_deeper_or_be_said_at_userinfo_alone(rig: Rig, provider: OpenIdProvider) -> None:
    with_openid(rig, provider, roles_claim="realm_access.roles", administrators="boss")
    provider.person["realm_access"] = {"roles": ["boss"]}
    go(browser := rig.browser(), provider)
    assert browser.get("/api/v1/me").json()["role"] == "administrator"
    del provider.person["realm_access"]
    provider.userinfo = {"sub": "0001", "realm_access": {"roles": ["boss"]}}
    go(browser := rig.browser(), provider)
    assert browser.get("/api/v1/me").json()["role"] == "administrator"
    provider.userinfo["sub"] = "0002"
    assert go(rig.browser(), provider).status_code == 403


def test_the_role_follows_the_settings_of_now(rig: Rig, provider: OpenIdProvider) -> None:
    go(browser := rig.browser(), provider)
    with_openid(rig, provider, administrators="Others")
    assert browser.get("/api/v1/me").json()["role"] == "viewer"
    with_openid(rig, provider, administrators="Others", viewers=["Others"])
    assert browser.get("/api/v1/me").status_code == 401


def test_a_name_of_ours_is_not_taken_over(rig: Rig, provider: OpenIdProvider) -> None:
    rig.add("ann")
    provider.person["groups"] = ["staff"]
    go(browser := rig.browser(), provider)
    said = browser.get("/api/v1/me").json()
    assert (said["name"], said["role"]) == ("openid:ann", "viewer")
    with pytest.raises(Exception, match="a provider signs in"):
        rig.add("openid:ann")
    assert rig.browser().sign_in("openid:ann").status_code == 403


# what is not believed

LIES: dict[str, Callable[[OpenIdProvider], None]] = {
    "another nonce": lambda it: it.said.update(nonce="another"),
    "no nonce": lambda it: it.said.update(nonce=None),
    "for another": lambda it: it.said.update(aud="another"),
    "for several, given to nobody": lambda it: it.said.update(aud=["mail gate", "another"]),
    "given to another": lambda it: it.said.update(azp="another"),
    "ended": lambda it: it.said.update(exp=int(time.time()) - 3_600),
    "without an end": lambda it: it.said.update(exp=None),
    "not begun": lambda it: it.said.update(nbf=int(time.time()) + 3_600),
    "of another issuer": lambda it: it.said.update(iss="https://evil.example"),
    "without a subject": lambda it: it.said.update(sub=None),
    "without a name": lambda it: it.person.update(preferred_username=None),
    "with a name of two lines": lambda it: it.person.update(preferred_username="a\nb"),
    "not signed": lambda it: setattr(it, "unsigned", True),
    "with a secret": lambda it: it.signing.update(key=jwk.OctKey.import_key(SECRET * 2, {"kid": "first"})),
    "by an unknown key": lambda it: it.signing.update(key=rsa_key("unknown")),
    "by another key of that name": lambda it: it.signing.update(key=rsa_key("first")),
    "no JWT": lambda it: setattr(it, "id_token", "abc"),
}


def test_a_lie_opens_nothing(rig: Rig, provider: OpenIdProvider) -> None:
    for number, lie in enumerate(LIES):
        provider.begin_anew()
        LIES[lie](provider)
        answer = go(browser := rig.browser(peer=f"192.0.{number}.7"), provider)
        assert answer.status_code == 403, lie
        assert 'role="alert"' in answer.text, lie
        assert browser.get("/api/v1/me").status_code == 401, lie
    provider.begin_anew()
    assert go(rig.browser(), provider).status_code == 200


def test_the_guard_counts_what_is_not_believed(rig: Rig, provider: OpenIdProvider) -> None:
    LIES["another nonce"](provider)
    for _ in range(12):
        go(rig.browser(peer="192.0.2.7"), provider)
    provider.begin_anew()
    answer = go(rig.browser(peer="192.0.2.7"), provider)
    assert answer.status_code == 403
    assert "Too many sign-ins have failed" in answer.text
    assert go(rig.browser(peer="198.51.100.7"), provider).status_code == 200


def test_a_state_serves_once_in_the_browser_that_has_it(rig: Rig, provider: OpenIdProvider) -> None:
    browser = rig.browser()
    begun = browser.get("/sign-in/openid")
    kept = browser.cookies["gatepost-openid"]
    back = at_provider(provider, begun.headers["location"])
    assert rig.browser().get(back).status_code == 400
    assert "Begin again" in browser.get(back.replace("state=", "state=x")).text
    assert browser.get(back).status_code == 200
    browser.cookies.set("gatepost-openid", kept)
    assert browser.get(back).status_code == 400
    browser.cookies.set("gatepost-openid", f"{kept[:-1]}x")
    assert browser.get(back).status_code == 400
    assert attempts(rig) == [("OPENID from 127.0.0.1", None, "OPENID")]


def test_a_code_that_another_browser_got_is_worth_nothing(rig: Rig, provider: OpenIdProvider) -> None:
    mine, theirs = rig.browser(), rig.browser()
    there = at_provider(provider, theirs.get("/sign-in/openid").headers["location"])
    here = mine.get("/sign-in/openid").headers["location"]
    state = parse_qs(urlsplit(here).query)["state"][0]
    code = parse_qs(urlsplit(there).query)["code"][0]
    assert mine.get(f"/sign-in/openid/back?code={code}&state={state}").status_code == 403
    assert [one[1] for one in attempts(rig)] == ["token-refused"]


def test_a_sign_in_that_took_too_long_is_begun_anew(rig: Rig, provider: OpenIdProvider) -> None:
    from gatepost.console import sealed

    one = sealed.UnderWay.begun("/", time.time() - 601, session="", again=False)
    browser = rig.browser()
    browser.cookies.set("gatepost-openid", sealed.sealed(one))
    assert browser.get(f"/sign-in/openid/back?code=x&state={one.state}").status_code == 400


def test_what_the_provider_refuses_is_said_as_text(rig: Rig, provider: OpenIdProvider) -> None:
    browser = rig.browser()
    state = parse_qs(urlsplit(browser.get("/sign-in/openid").headers["location"]).query)["state"][0]
    query = f"error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E&state={state}"
    answer = browser.get(f"/sign-in/openid/back?{query}")
    assert answer.status_code == 403
    assert "did not sign you in (access_denied: &lt;script&gt;" in answer.text


# a provider that is silent, or wrong


def test_a_silent_provider_is_said_and_passwords_go_on(rig: Rig, provider: OpenIdProvider) -> None:
    rig.add("ann")
    provider.answer["/.well-known/openid-configuration"] = (500, {})
    browser = rig.browser()
    answer = browser.get("/sign-in/openid")
    assert answer.status_code == 503
    assert "Example ID does not answer. Sign in with a password" in answer.text
    assert browser.sign_in("ann", PASSWORD).status_code == 303


def test_a_wrong_client_secret_is_ours_and_no_guess(rig: Rig, provider: OpenIdProvider) -> None:
    (rig.place.state.parent / "secret").write_text("wrong")
    answer = go(rig.browser(), provider)
    assert answer.status_code == 503
    assert "log says what is wrong" in answer.text
    assert attempts(rig) == []


# once more the password, second factors, out


def test_a_dangerous_act_wants_the_password_at_the_provider(rig: Rig, provider: OpenIdProvider) -> None:
    go(browser := rig.browser(), provider)
    token = {"x-csrf-token": browser.form("/account"), "accept": "application/json"}

    def act() -> int:
        return browser.ask("POST", "/api/v1/tokens", json={"label": "x"}, headers=token).status_code

    assert act() == 201
    rig.late = 700
    assert act() == 403
    page = browser.get("/sign-in/again?next=/queues").text
    assert 'href="/sign-in/openid/again?next=/queues"' in page
    assert 'type="password"' not in page
    provider.signed_in_at = time.time() - 300
    assert go(browser, provider, "/sign-in/openid/again").status_code == 403
    assert act() == 403
    provider.begin_anew()
    provider.person["sub"] = "0002"
    assert go(browser, provider, "/sign-in/openid/again").status_code == 403
    provider.begin_anew()
    answer = go(browser, provider, "/sign-in/openid/again?next=/queues")
    assert 'url=/queues"' in answer.text
    asked = provider.requests[-1]
    assert (asked["prompt"], asked["max_age"]) == ("login", "43200")
    assert act() == 201


@pytest.mark.parametrize("at", [None, 0])
def test_a_provider_that_says_no_time_opens_no_dangerous_act(
    rig: Rig, provider: OpenIdProvider, at: int | None
) -> None:
    provider.said["auth_time"] = at
    go(browser := rig.browser(), provider)
    token = {"x-csrf-token": browser.form("/account"), "accept": "application/json"}
    for _ in range(2):
        answer = browser.ask("POST", "/api/v1/tokens", json={"label": "x"}, headers=token)
        assert answer.json()["type"] == "urn:gatepost:problem:sign-in-again"
        said = go(browser, provider, "/sign-in/openid/again")
        assert said.status_code == 403
        assert "did not say when you gave your password (auth_time)" in said.text


def test_a_token_made_with_a_shared_secret_is_refused_and_said(
    capfd: pytest.CaptureFixture[str], rig: Rig, provider: OpenIdProvider
) -> None:
    LIES["with a secret"](provider)
    assert go(rig.browser(), provider).status_code == 403
    rig.office.log.flush()
    (line,) = (one for one in capfd.readouterr().err.splitlines() if " token-refused " in one)
    assert "its algorithm 'HS256' is not taken; it is made with a shared secret" in line


def test_an_old_sign_in_at_the_provider_is_no_fresh_one(rig: Rig, provider: OpenIdProvider) -> None:
    provider.signed_in_at = time.time() - 3_600
    go(browser := rig.browser(), provider)
    token = {"x-csrf-token": browser.form("/account"), "accept": "application/json"}
    answer = browser.ask("POST", "/api/v1/tokens", json={"label": "x"}, headers=token)
    assert answer.json()["type"] == "urn:gatepost:problem:sign-in-again"


def test_a_second_factor_is_the_providers_or_ours(rig: Rig, provider: OpenIdProvider) -> None:
    rig.change(second_factor=SecondFactor.REQUIRE)
    go(browser := rig.browser(), provider)
    assert browser.get("/").headers["location"] == "/account"
    provider.said["amr"] = ["pwd", "mfa"]
    go(browser := rig.browser(), provider)
    assert browser.get("/").status_code == 200


def test_signing_out_leads_to_the_provider_too(rig: Rig, provider: OpenIdProvider) -> None:
    go(browser := rig.browser(), provider)
    assert browser.ask("POST", "/sign-out").headers["location"] == "/sign-in?out=1"
    assert "You are signed out here." in browser.get("/sign-in?out=1").text
    assert (
        browser.get("/sign-in/openid/out").headers["location"].startswith(f"{provider.url}/leave?client_id=")
    )
    assert browser.get("/").headers["location"] == "/sign-in"


def test_nothing_secret_of_it_is_logged_or_kept(
    capfd: pytest.CaptureFixture[str], rig: Rig, provider: OpenIdProvider
) -> None:
    browser = rig.browser()
    begun = browser.get("/sign-in/openid")
    back = at_provider(provider, begun.headers["location"])
    browser.get(back)
    rig.office.log.flush()
    said = capfd.readouterr().err
    assert "issuer-keys" in said
    kept = b"".join(path.read_bytes() for path in Path(rig.place.state).glob("console.sqlite3*"))
    code = parse_qs(urlsplit(back).query)["code"][0]
    for word in (SECRET, code, browser.cookies["gatepost"]):
        assert word not in said
        assert word.encode() not in kept
