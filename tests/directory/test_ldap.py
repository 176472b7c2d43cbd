"""Who somebody is, by a directory over LDAP, and whose an address is."""

from __future__ import annotations

import pytest

from directory.ldap_house import RIGHT, corp, house, run
from directory.ldaps import BASE, DOMAIN_SID, LdapServerScript, running
from gatepost.directory.directory import (
    Mailbox,
    Refusal,
    Unavailable,
    UnknownRecipient,
    settled,
)
from gatepost.mail.address import Address
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret


@pytest.mark.parametrize(
    "name", ["bob", "BOB", " bob ", "CORP\\bob", "corp.example\\bob", "bob@corp.example",
             "Bob@Example.org", "robert@example.org"]
)  # fmt: skip
def test_somebody_is_known_by_each_of_their_names(name: str) -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script) as it:
            answer = await it.directory.verify(name, RIGHT)
            assert isinstance(answer, Identity)
            assert answer.name == "bob@corp.example"
            assert answer.names == {"bob", "corp\\bob", "bob@corp.example", "bob@example.org"}
            assert Address("robert", "example.org") in answer.addresses
            assert {
                "pop3 relay",
                f"{DOMAIN_SID}-1200".lower(),
                f"cn=pop3  relay,cn=users,{BASE}".lower(),
            } == answer.groups
            assert (answer.privileged, answer.guessable, answer.directory) == (False, False, "ad")
            assert await it.directory.identity(answer.name) == answer

    run(test)


def test_administrators_and_guessable_names_are_told() -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script) as it:
            heidi = await it.directory.verify("heidi", RIGHT)
            root = await it.directory.verify("root", RIGHT)
            assert isinstance(heidi, Identity)
            assert isinstance(root, Identity)
            assert (heidi.privileged, heidi.guessable) == (True, False)
            assert (root.privileged, root.guessable) == (False, True)

    run(test)


@pytest.mark.parametrize(
    "name",
    ["nobody", "*", "b*b", "bob)(objectClass=*", "bob)(|(cn=*", "\\bob", "a\\b\\c", "other\\bob", "@", "bob@",
     "bob\0", "bo\nb", "", "x" * 65_536, "bob\u200b", "\ud800"],
)  # fmt: skip
def test_what_is_no_name_here_finds_nobody(name: str) -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script) as it:
            assert await it.directory.verify(name, RIGHT) == Refusal(Reason.UNKNOWN_USER)
            assert await it.directory.identity(name) is None

    run(test)


def test_a_long_or_unprintable_name_is_not_even_asked_for() -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script) as it:
            for name in ("x" * 65_536, "bob\0"):
                await it.directory.verify(name, RIGHT)
            assert not script.searches
            assert not script.binds

    run(test)


def test_an_empty_password_is_never_sent() -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script) as it:
            assert await it.directory.verify("bob", Secret("")) == Refusal(Reason.EMPTY_PASSWORD)
            assert await it.directory.verify("bob", Secret("a\0b")) == Refusal(Reason.WRONG_PASSWORD)
            assert await it.directory.verify("bob", Secret("x" * 2000)) == Refusal(Reason.WRONG_PASSWORD)
            assert not script.binds

    run(test)


@pytest.mark.parametrize(
    ("more", "code", "reason"),
    [
        ({}, "52e", Reason.WRONG_PASSWORD),
        ({}, "525", Reason.UNKNOWN_USER),
        ({"userAccountControl": "514"}, "533", Reason.ACCOUNT_DISABLED),
        ({"accountExpires": "129000000000000000"}, "701", Reason.ACCOUNT_EXPIRED),
        ({"pwdLastSet": "0"}, "773", Reason.PASSWORD_EXPIRED),
        ({"msDS-User-Account-Control-Computed": "16"}, "775", Reason.ACCOUNT_LOCKED),
        ({"msDS-User-Account-Control-Computed": "8388608"}, "532", Reason.PASSWORD_EXPIRED),
    ],
)
def test_each_state_of_an_account_has_its_reason(more: dict[str, str], code: str, reason: Reason) -> None:
    async def test() -> None:
        script = LdapServerScript()
        dn = script.user("carol", **more)
        async with running(script), house(script) as it:
            if more:  # the entry says it although the bind succeeds
                assert await it.directory.verify("carol", RIGHT) == Refusal(reason)
            script.refusals[dn.lower()] = (49, f"80090308: LdapErr: DSID-0C090569, data {code}, v4563")
            assert await it.directory.verify("carol", RIGHT) == Refusal(reason)

    run(test)


def test_sessions_of_disabled_accounts_end_and_those_of_locked_ones_do_not() -> None:
    async def test() -> None:
        script = LdapServerScript()
        script.user("gone", userAccountControl="514")
        script.user("locked", **{"msDS-User-Account-Control-Computed": "16"})
        async with running(script), house(script) as it:
            assert await it.directory.identity("gone") is None
            assert await it.directory.knows("gone")
            assert await it.directory.identity("locked") is not None

    run(test)


def test_two_who_share_an_address_are_nobody_by_it() -> None:
    async def test() -> None:
        script = corp()
        script.user("bob2", mail="bob@example.org")
        async with running(script), house(script) as it:
            assert await it.directory.verify("bob@example.org", RIGHT) == Refusal(Reason.UNKNOWN_USER)
            assert isinstance(await it.directory.verify("bob", RIGHT), Identity)
            with pytest.raises(Unavailable):
                await settled(it.directory.resolve(Address("bob", "example.org")))

    run(test)


def test_a_principal_name_goes_before_anothers_mail_address() -> None:
    async def test() -> None:
        script = corp()
        script.user("mallory", mail="bob@corp.example")
        async with running(script), house(script) as it:
            answer = await it.directory.verify("bob@corp.example", RIGHT)
            assert isinstance(answer, Identity)
            assert "bob" in answer.names

    run(test)


def test_recipients_are_asked_for_once_and_then_known_at_once() -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script) as it:
            bob = Mailbox("bob@corp.example")
            for text in ("bob", "robert", "ROBERT", "bob+tag"):
                assert await settled(it.directory.resolve(Address(text, "example.org"))) == bob
            asked = len(script.searches)
            assert it.directory.resolve(Address("bob", "example.org")) == bob
            assert len(script.searches) == asked
            unknown = it.directory.resolve(Address("zoe", "example.org"))
            assert await settled(unknown) == UnknownRecipient()
            assert it.directory.resolve(Address("zoe", "example.org")) == UnknownRecipient()
            it.clock.now += 31
            script.user("zoe", mail="zoe@example.org")
            assert await settled(it.directory.resolve(Address("zoe", "example.org"))) == Mailbox(
                "zoe@corp.example"
            )

    run(test)


@pytest.mark.parametrize("local", ["a%b", "a!b", '"a@b"', "x" * 300, "a\nb", "zoe+bob"])
def test_no_route_is_a_recipient(local: str) -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script) as it:
            assert await settled(it.directory.resolve(Address(local, "example.org"))) == UnknownRecipient()
            assert await settled(it.directory.resolve(Address("bob", "corp.example"))) == UnknownRecipient()
            assert (
                await settled(it.directory.resolve(Address("bob+x", "plain.example"))) == UnknownRecipient()
            )

    run(test)
