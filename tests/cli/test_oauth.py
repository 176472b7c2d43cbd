"""oauth test: each step to a real issuer, and what somebody's token is good for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.terminal import Terminal
from issuer import CLIENT, SECRET, Issuer, rsa_key


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[Issuer]:
    made = Issuer(tmp_path)
    yield made
    made.close()


@pytest.fixture
def knowing(terminal: Terminal, issuer: Issuer) -> Terminal:
    """The house, with the issuer in its file."""
    secret = terminal.file.parent / "client-secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    more = {"client_id": f'"{CLIENT}"', "client_secret_file": '"client-secret"', "request_scopes": '["mail"]'}
    text = terminal.file.read_text() + "\n" + issuer.settings(groups_claim='"groups"', **more)
    terminal.file.write_text(text)
    return terminal


def test_every_step_is_told(knowing: Terminal, issuer: Issuer) -> None:
    said = knowing("oauth", "test")
    assert said.code == 0, said.out
    assert f"ok   house: discovery: {issuer.url} has its keys at {issuer.url}/keys" in said.out
    assert "ok   house: keys: first (RS256)" in said.out
    assert "ok   house: token: we get one, for gatepost, good for mail" in said.out


@pytest.mark.parametrize(
    ("user", "claims", "code", "words"),
    [
        ("ann@example.org", {"groups": ["X"]}, 0, "it is good, means ann@example.org; its groups: x"),
        (
            "ann@example.org",
            {"groups": ["X"]},
            0,
            "ann@example.org, of the directory local",
        ),
        ("nobody@example.org", {}, 3, "no directory has a user nobody@example.org"),
        ("ann@example.org", {"aud": "account"}, 3, "token-not-for-us: it is for account"),
        ("ann@example.org", {"exp": 1}, 3, "token-expired: it ended"),
    ],
)
def test_somebodys_token_is_judged(
    knowing: Terminal,
    issuer: Issuer,
    tmp_path: Path,
    user: str,
    claims: dict[str, object],
    code: int,
    words: str,
) -> None:
    (tmp_path / "token").write_text(issuer.token(user, **claims) + "\n")
    said = knowing("oauth", "test", "--token-file", str(tmp_path / "token"))
    assert words in said.out
    assert said.code == code
    rows = knowing("oauth", "test", "--token-file", str(tmp_path / "token"), "--json").json
    assert [row["step"] for row in rows][:4] == ["discovery", "keys", "token", "somebody's token"]


def test_what_fails_is_told(knowing: Terminal, issuer: Issuer, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(issuer.token("ann@example.org", key=rsa_key("first")))
    (knowing.file.parent / "client-secret").write_text("wrong")
    said = knowing("oauth", "test", "--token-file", str(tmp_path / "token"))
    assert said.code == 3
    assert "FAIL house: token: no token from" in said.out
    assert "invalid_client: who is that" in said.out
    assert "no key of the issuer has signed it" in said.out
    issuer.answer["/.well-known/openid-configuration"] = (500, {})
    assert "FAIL house: discovery:" in knowing("oauth", "test").out
    assert knowing("oauth", "test", "--token-file", str(tmp_path / "gone")).code == 2


def test_the_consoles_provider_is_tried_too(terminal: Terminal, issuer: Issuer) -> None:
    table = f'issuer = "{issuer.url}"\nca_file = "{issuer.ca_file}"\nclient_id = "x"\nviewers = "staff"\n'
    console = "" if "[console]" in terminal.file.read_text() else '[console]\nlisten = "127.0.0.1:8025"\n'
    terminal.file.write_text(f"{terminal.file.read_text()}\n{console}[console.openid]\n{table}")
    said = terminal("oauth", "test")
    assert "FAIL console.openid: discovery: people sign in at no authorization_endpoint" in said.out
    assert "ok   console.openid: keys: first (RS256)" in said.out
    assert said.code == 3


def test_without_an_issuer_that_is_said(terminal: Terminal) -> None:
    said = terminal("oauth", "test")
    assert (said.code, said.out.strip()) == (
        0,
        "There is no issuer; [oauth.NAME] and [console.openid] add one.",
    )
