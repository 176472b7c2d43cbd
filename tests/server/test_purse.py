"""Who has sent enough is told when to try again; a device stays within its account."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

from gatepost.guard.conduct import Conduct
from gatepost.policy.allotment import NOBODY_APART, Allotment, Allotments
from gatepost.policy.facts import ClientCertificate, Device, Facts, Identity
from gatepost.policy.reasons import Reason
from gatepost.server.purse import Answer, Spent, purse_of, purse_without_login
from guard.posts import Clock
from server.gate import Dialogue, Gate, gate

SERVER = """
[smtp.smtp]
listen = ["127.0.0.1:0"]
tls = "off"
auth = ["PLAIN"]
auth_in_clear = true
access = [
  { allow = ["connect", "submit", "any-sender"], to = "net:127.0.0.0/8" },
  { allow = ["relay"], to = "group:relay" },
]
"""
ANN = "ann@example.org"


async def logged_in(here: Gate, name: str = "ann") -> Dialogue:
    client = await here.dial()
    await client.reply()
    await client.hello()
    assert (await client.log_in(f"{name}@example.org")).startswith("235")
    return client


async def to(client: Dialogue, *recipients: str) -> list[str]:
    """The first three characters of what is said to each."""
    await client.say("RSET")
    assert (await client.say(f"MAIL FROM:<{ANN}>")).startswith("250")
    return [await client.say(f"RCPT TO:<{one}>") for one in recipients]


def test_a_group_and_a_user_have_limits_of_their_own(tmp_path: Path) -> None:
    async def scenario() -> None:
        more = (
            "[limits.groups.relay]\nrecipients_per_hour = 3\nmessage_size_bytes = 2000\n"
            '[limits.users."bob@example.org"]\nmessages_per_minute = 2\n'
        )
        async with gate(tmp_path, SERVER + more) as here:
            here.add("ann", groups=("relay",))
            here.add("bob")
            ann, bob = await logged_in(here), await logged_in(here, "bob")
            said = await to(ann, "a@x.example", "b@x.example", ANN, "c@x.example")
            assert [one[:3] for one in said] == ["250", "250", "250", "450"]
            assert re.match(r"450 4\.7\.1 .* try again in \d+ seconds \[recipients-per-hour ", said[3])
            assert (await ann.say("RSET")).startswith("250")
            assert (await ann.say(f"MAIL FROM:<{ANN}> SIZE=2001")).startswith(
                "552 5.3.4 Message is larger than 2000"
            )
            for _ in range(2):
                assert (await to(bob, ANN))[0].startswith("250")
            await bob.say("RSET")
            refused = await bob.say(f"MAIL FROM:<{ANN}>")
            assert re.match(r"450 4\.7\.1 .* try again in \d+ seconds \[rate-limited ", refused)
            given = here.shard.conduct._allowed  # and told to whoever judges habits
            assert given == {"ann@example.org": [3, 3], "bob@example.org": [0, 0]}
            await ann.close()
            await bob.close()

    asyncio.run(scenario())


def test_a_message_that_turns_out_too_large_for_its_user_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with gate(tmp_path, SERVER + "[limits.groups.relay]\nmessage_size_bytes = 2000\n") as here:
            here.add("ann", groups=("relay",))
            here.add("bob")
            large = b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 30
            ann, bob = await logged_in(here), await logged_in(here, "bob")
            assert (await ann.hand_in(ANN, ANN, content=large)).startswith(
                "552 5.3.4 Message is larger than 2000"
            )
            assert (await ann.hand_in(ANN, ANN, content=large[:900] + b"\r\n")).startswith("250")
            assert (await bob.hand_in(ANN, ANN, content=large)).startswith("250")
            await ann.close()
            await bob.close()

    asyncio.run(scenario())


def test_different_domains_are_counted_and_our_own_is_none(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with gate(
            tmp_path, SERVER + "[limits.users.ann]\n" + "[limits]\ndomains_per_day_per_user = 2\n"
        ) as here:
            here.add("ann", groups=("relay",))
            client = await logged_in(here)
            said = await to(
                client, "a@x.example", ANN, "b@x.example", "a@y.example", "a@z.example", "c@y.example"
            )
            assert [one[:3] for one in said] == ["250", "250", "250", "250", "450", "250"]
            assert re.match(r"450 4\.7\.1 .* try again in \d+ seconds \[domains-per-day ", said[4])
            other = await logged_in(here)
            assert [one[:3] for one in await to(other, "a@z.example", "a@x.example")] == ["450", "250"]
            await client.close()
            await other.close()

    asyncio.run(scenario())


EVERYBODY = Allotment(5, None, 100, None, 10_000)
IDENTITY = Identity(ANN, frozenset({ANN}), frozenset(), frozenset())


async def settled(answer: Answer) -> Spent | None:
    return await answer if isinstance(answer, Awaitable) else answer


def test_a_device_has_its_own_limit_within_its_accounts() -> None:
    async def facts() -> None:
        conduct = Conduct(Clock())
        scanner = replace(
            IDENTITY, device=Device("scanner", Allotment(messages_per_minute=2, domains_per_day=1))
        )
        printer = replace(IDENTITY, device=Device("printer", Allotment(message_size_bytes=500)))
        of = {
            one: purse_of(conduct, identity, NOBODY_APART, EVERYBODY)
            for one, identity in (("ann", IDENTITY), ("scanner", scanner), ("printer", printer))
        }
        assert [purse.size_bytes for purse in of.values()] == [10_000, 10_000, 500]
        assert [await settled(of["scanner"].message()) for _ in range(2)] == [None, None]
        assert isinstance(await settled(of["scanner"].message()), Spent)
        # what the scanner was refused is not counted for ann
        assert [await settled(of["printer"].message()) for _ in range(3)] == [None, None, None]
        assert isinstance(await settled(of["ann"].message()), Spent)
        assert await settled(of["scanner"].recipient("x.example")) is None
        spent = await settled(of["scanner"].recipient("y.example"))
        assert spent is not None
        assert spent.reason is Reason.DOMAINS_PER_DAY
        assert await settled(of["printer"].recipient("y.example")) is None

    asyncio.run(facts())


def test_who_does_not_log_in_is_counted_by_address_where_the_file_says_so(tmp_path: Path) -> None:
    more = (
        '[limits.networks."127.0.0.0/8"]\nmessages_per_minute = 1\nrecipients_per_day = 2\n'
        '[limits.networks."127.0.0.1"]\nmessages_per_minute = 3\nmessage_size_bytes = 2000\n'
    )

    async def scenario() -> None:
        async with gate(tmp_path, SERVER + more) as here:
            here.add("ann")
            client = await here.dial()
            await client.reply()
            assert "SIZE" in "".join(await client.hello())
            large = await client.say(f"MAIL FROM:<{ANN}> SIZE=2001")
            assert large.startswith("552 5.3.4 Message is larger than 2000")
            said = await to(client, ANN, ANN, ANN)
            assert [one[:3] for one in said] == ["250", "250", "452"]
            assert re.search(r"\[recipients-per-day ", said[2])
            await client.close()
            other = await here.dial()  # another session of the same address
            await other.reply()
            await other.hello()
            assert [one[:3] for one in await to(other, ANN)] == ["452"]
            # a login is a login
            await other.say("RSET")
            assert (await other.log_in(ANN)).startswith("235")
            assert [one[:3] for one in await to(other, ANN, ANN, ANN)] == ["250"] * 3
            await other.close()

    asyncio.run(scenario())


def test_certificates_and_addresses_have_limits_without_a_login() -> None:
    tables = Allotments(
        networks={ip_network("10.0.5.0/24"): Allotment(messages_per_minute=3)},
        certificates={"scanner7": Allotment(messages_per_minute=2), "sha256:aa": Allotment(1_000)},
    )
    certificate = ClientCertificate("Scanner7", frozenset({"scanner7", "sha256:aa"}))
    near, far = ip_address("10.0.5.17"), ip_address("2001:db8::1")

    async def facts() -> None:
        conduct = Conduct(Clock())
        assert tables.is_empty
        assert purse_without_login(conduct, Facts(far), tables, EVERYBODY) is None
        both = purse_without_login(conduct, Facts(near, certificate=certificate), tables, EVERYBODY)
        alone = purse_without_login(conduct, Facts(near), tables, EVERYBODY)
        assert both is not None
        assert alone is not None
        assert (both.size_bytes, both.identity) == (10_000, None)
        assert [await settled(both.message()) for _ in range(2)] == [None, None]
        spent = await settled(both.message())
        assert spent is not None
        assert spent.reason is Reason.RATE_LIMITED
        assert await settled(alone.message()) is None  # what the certificate lacked was not counted here
        assert isinstance(await settled(alone.message()), Spent)
        elsewhere = purse_without_login(conduct, Facts(far, certificate=certificate), tables, EVERYBODY)
        assert elsewhere is not None
        assert isinstance(await settled(elsewhere.message()), Spent)

    asyncio.run(facts())
