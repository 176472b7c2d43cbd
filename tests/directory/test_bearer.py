"""Tokens let in whom a known issuer means, for us, now; keys come, go, and stay away."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk

from gatepost.config.oauth import OAuth
from gatepost.directory.bearer import Issuers
from gatepost.directory.granted import Granted, TokenRefused
from gatepost.directory.issuer import IssuerSilent
from gatepost.directory.tokenkeys import BadToken, keys_of, label_of
from gatepost.log import Log, LogWriter
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from issuer import AUDIENCE, Issuer, rsa_key


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[Issuer]:
    made = Issuer(tmp_path)
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def issuers(issuer: Issuer, clock: Clock | None = None, **more: Any) -> Issuers:
    settings = OAuth.model_validate(
        {"issuer": issuer.url, "ca_file": issuer.ca_file, "audience": AUDIENCE, "timeout_seconds": 60, **more}
    )
    log = Log(LogWriter(os.open(os.devnull, os.O_WRONLY)))
    return Issuers({"house": settings}, log, clock=clock or Clock())


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


async def refused(taker: Issuers, token: str) -> tuple[Reason, str]:
    with pytest.raises(TokenRefused) as caught:
        await taker.granted(Secret(token))
    return caught.value.reason, str(caught.value)


def test_a_good_token_means_its_user_and_groups(issuer: Issuer) -> None:
    async def run() -> None:
        taker = issuers(issuer, groups_claim="groups", scopes=["mail"])
        token = issuer.token(groups=["POP3 Relay", 7, "Sales"], scope="openid mail")
        assert await taker.granted(Secret(token)) == Granted(
            "bob@example.org", frozenset({"pop3 relay", "sales"})
        )
        both = issuer.token(aud=["x", AUDIENCE], scp="mail")
        assert (await taker.granted(Secret(both))).groups == frozenset()
        assert len(issuer.asked) == 2  # once for all of them
        assert taker.said_of(Secret(token)) == "bob@example.org"
        assert taker.advice == {
            "scope": "mail", "openid-configuration": f"{issuer.url}/.well-known/openid-configuration",
        }  # fmt: skip

    asyncio.run(run())


def test_what_is_wrong_with_a_token_is_told_apart(issuer: Issuer) -> None:
    async def run() -> None:
        import time

        taker, now = issuers(issuer, scopes=["mail"], leeway_seconds=30), int(time.time())
        for more, reason, words in (
            ({"exp": now - 60}, Reason.TOKEN_EXPIRED, "it ended 6"),
            ({"exp": None}, Reason.TOKEN_REFUSED, "when it ends"),
            ({"exp": "soon"}, Reason.TOKEN_REFUSED, "when it ends"),
            ({"nbf": now + 60}, Reason.TOKEN_EXPIRED, "it begins in"),
            ({"aud": "another"}, Reason.TOKEN_NOT_FOR_US, "it is for another"),
            ({"aud": None}, Reason.TOKEN_NOT_FOR_US, "it is for nobody"),
            ({"scope": "mailing"}, Reason.TOKEN_NOT_FOR_US, "it lacks the scopes mail"),
            ({"iss": "https://evil.example"}, Reason.TOKEN_REFUSED, "nothing is known of its issuer"),
            ({"preferred_username": None}, Reason.TOKEN_REFUSED, "preferred_username says nobody"),
        ):  # fmt: skip
            said = await refused(taker, issuer.token(**{"scope": "mail", **more}))
            assert said[0] is reason, more
            assert words in said[1]
        assert await taker.granted(Secret(issuer.token(exp=now - 20, nbf=now + 20, scope="mail")))
        mail = issuers(issuer, user_claim="email")
        assert await mail.granted(Secret(issuer.token(email="bob@example.org")))
        said = await refused(mail, issuer.token(email="bob@example.org", email_verified=False))
        assert "has not verified" in said[1]

    asyncio.run(run())


def test_forged_tokens_prove_nothing(issuer: Issuer) -> None:
    async def run() -> None:
        taker = issuers(issuer)
        good = issuer.token()
        header, claims, signature = good.split(".")
        public = issuer.keys[0].as_pem(private=False)
        none = f"eyJhbGciOiJub25lIn0.{claims}."
        confused = encoded(b'{"alg":"HS256","kid":"first"}') + f".{claims}"
        confused += "." + encoded(hmac.digest(public, confused.encode(), "sha256"))
        for token, words in (
            (none, "its algorithm 'none' is not taken"),
            (confused, "its algorithm 'HS256' is not taken; it is made with a shared secret"),
            (issuer.token(key=rsa_key("first")), "no key of the issuer has signed it"),
            (f"{header}.{claims}.{signature[:-6]}AAAAAA", "no key of the issuer has signed it"),
            (f"{header}.{claims[:-8]}{claims[-8:][::-1]}.{signature}", ""),
            ("", "it is no signed JWT"), ("a.b.c", "it is no JSON"), ("x" * 20_000, "it is no signed JWT"),
        ):  # fmt: skip
            reason, said = await refused(taker, token)
            assert reason is Reason.TOKEN_REFUSED
            assert words in said
        only = issuers(issuer, algorithms=["ES256"])
        assert "'RS256' is not taken" in (await refused(only, good))[1]

    asyncio.run(run())


def test_keys_change_and_unknown_ones_make_us_ask_now_and_then(issuer: Issuer, clock: Clock) -> None:
    async def run() -> None:
        taker = issuers(issuer, clock)
        await taker.granted(Secret(issuer.token()))
        fresh = jwk.ECKey.generate_key("P-256", {"kid": "second"})
        issuer.keys.insert(0, fresh)
        said = [await refused(taker, issuer.token()) for _ in range(20)]
        assert {words for _, words in said} == {"the issuer has no such key"}
        assert len(issuer.asked) == 2
        clock.now += 31
        assert await taker.granted(Secret(issuer.token()))
        assert len(issuer.asked) == 4
        stranger = rsa_key("never")
        for _ in range(5):
            await refused(taker, issuer.token(key=stranger))
        assert len(issuer.asked) == 4

    asyncio.run(run())


def test_a_silent_issuer_is_no_no(issuer: Issuer, clock: Clock) -> None:
    async def run() -> None:
        taker = issuers(issuer, clock, keys_seconds=100, stale_seconds=1000, timeout_seconds=3)
        issuer.hangs.set()
        tries = (taker.granted(Secret(issuer.token())) for _ in range(50))
        said = await asyncio.gather(*tries, return_exceptions=True)
        assert all(isinstance(one, IssuerSilent) for one in said)
        assert "no answer within 3" in str(said[0])
        assert len(issuer.asked) == 1
        issuer.hangs.clear()
        with pytest.raises(IssuerSilent):  # not asked again at once
            await taker.granted(Secret(issuer.token()))
        clock.now += 6
        assert await taker.granted(Secret(issuer.token()))
        issuer.answer["/keys"] = (503, {})
        clock.now += 150  # asked again beside the login, which does not wait
        assert await taker.granted(Secret(issuer.token()))
        clock.now += 1000
        with pytest.raises(IssuerSilent, match="HTTP status 503"):
            await taker.granted(Secret(issuer.token()))
        taker.close()

    asyncio.run(run())


def test_keys_outlive_a_reload_that_does_not_concern_them(issuer: Issuer) -> None:
    async def run() -> None:
        settings = OAuth.model_validate(
            {"issuer": issuer.url, "ca_file": issuer.ca_file, "audience": AUDIENCE}
        )
        log = Log(LogWriter(os.open(os.devnull, os.O_WRONLY)))
        first = Issuers({"house": settings}, log)
        assert await first.granted(Secret(issuer.token()))
        issuer.hangs.set()
        assert await Issuers({"house": settings}, log, before=first).granted(Secret(issuer.token()))
        other = settings.model_copy(update={"timeout_seconds": 1})
        with pytest.raises(IssuerSilent):
            await Issuers({"house": other}, log, before=first).granted(Secret(issuer.token()))
        issuer.hangs.clear()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        ("/.well-known/openid-configuration", {"issuer": "https://evil.example"}, "it is the issuer"),
        ("/.well-known/openid-configuration", b"<html>", "no JSON"),
        ("/.well-known/openid-configuration", b"[1]", "no JSON object"),
        ("/.well-known/openid-configuration", (302, {}), "HTTP status 302"),
        ("/keys", {"keys": []}, "no key for signatures"),
        ("/keys", {"keys": "x"}, "no key for signatures"),
        ("/keys", b"x" * 2_000_000, "without end"),
    ],
)
def test_an_issuer_that_makes_no_sense_is_silent(issuer: Issuer, path: str, answer: Any, words: str) -> None:
    async def run() -> None:
        issuer.answer[path] = answer
        with pytest.raises(IssuerSilent, match=words):
            await issuers(issuer).granted(Secret(issuer.token()))

    asyncio.run(run())


def test_keys_do_not_come_in_clear(issuer: Issuer) -> None:
    async def run() -> None:
        issuer.answer["/.well-known/openid-configuration"] = {
            "issuer": issuer.url, "jwks_uri": "http://127.0.0.1:1/keys",
        }  # fmt: skip
        with pytest.raises(IssuerSilent, match="no address with https"):
            await issuers(issuer).granted(Secret(issuer.token()))

    asyncio.run(run())


def test_an_issuer_with_another_certificate_is_not_believed(issuer: Issuer) -> None:
    async def run() -> None:
        with pytest.raises(IssuerSilent, match="certificate verify failed"):
            await issuers(issuer, ca_file=None).granted(Secret(issuer.token()))

    asyncio.run(run())


def test_only_keys_for_signatures_serve() -> None:
    good = rsa_key("a").as_dict(private=False)
    short = {**good, "n": good["n"][:100]}
    odd = [1, {}, {"kty": "oct", "k": "AQAB"}, {**good, "use": "enc"}, short, {"kty": "EC", "crv": "?"}]
    (kept,) = keys_of({"keys": [*odd, good]})
    assert (kept.kid, kept.algorithm, kept.kind) == ("a", "RS256", "RSA")
    assert not kept.fits("a", "ES256")
    assert not kept.fits("b", "RS256")
    assert not kept.fits("a", "PS256")
    assert kept.fits(None, "RS256")


@given(st.text(alphabet="abAB09-_.={}é\x00", max_size=60) | st.text(max_size=60))
def test_no_text_makes_reading_a_token_fail_otherwise(text: str) -> None:
    with contextlib.suppress(BadToken):
        label_of(text)
