"""Each row of the truth table (docs/access.md), asked of a running server over a socket."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.gate import Gate, gate


@dataclass(frozen=True)
class Row:
    """`remote` and `local` are what RCPT must be answered; `mail` what MAIL must."""

    access: str
    user: str | None
    remote: str
    local: str
    mail: str = "250"
    auth: str = '["PLAIN"]'
    sender: str | None = None
    password: str = "a long secret"


SUBMIT_ANYONE = '{ allow = ["connect", "submit"], to = "anyone" }'
HERE, ELSEWHERE = "net:127.0.0.0/8", "net:10.0.0.0/8"
MEMBER = '{ allow = ["connect"], to = "anyone" }, { allow = ["submit", "relay"], to = "group:POP3 Relay" }'
LOGGED_IN = '{ allow = ["connect"], to = "anyone" }, { allow = ["submit"], to = "authenticated" }'
NO_RELAY = "550 5.7.1 Unable to relay for x@else.example [relay-denied"
DENIED = "550 5.7.1 Unable to relay for x@else.example [access-denied"
PROTECTED = "550 5.7.1 Unable to relay for x@else.example [protected-account"

ROWS = {
    "1 anonymous, not listed": Row(SUBMIT_ANYONE, None, NO_RELAY, "250"),
    "2 anonymous, listed": Row(
        SUBMIT_ANYONE + f', {{ allow = ["relay"], to = "{HERE}" }}', None, "250", "250"
    ),
    "2 anonymous, another network listed": Row(
        SUBMIT_ANYONE + f', {{ allow = ["relay"], to = "{ELSEWHERE}" }}', None, NO_RELAY, "250"
    ),
    "3 anonymous, in the except list": Row(
        SUBMIT_ANYONE + f', {{ allow = ["relay"], to = "anyone" }}, {{ deny = ["relay"], to = "{HERE}" }}',
        None,
        DENIED,
        "250",
    ),
    "4 anonymous, outside the except list": Row(
        SUBMIT_ANYONE
        + f', {{ allow = ["relay"], to = "anyone" }}, {{ deny = ["relay"], to = "{ELSEWHERE}" }}',
        None,
        "250",
        "250",
    ),
    "5 authenticated, all may": Row(
        LOGGED_IN + ', { allow = ["relay"], to = "authenticated" }', "bob", "250", "250"
    ),
    "6 authenticated, submit only": Row(LOGGED_IN, "bob", NO_RELAY, "250"),
    "7 member": Row(MEMBER, "ann", "250", "250"),
    "7 member through nested groups": Row(MEMBER, "nell", "250", "250"),
    "7 not a member": Row(MEMBER + ', { allow = ["submit"], to = "authenticated" }', "bob", NO_RELAY, "250"),
    "8 member, all authenticated denied": Row(
        MEMBER + ', { deny = ["relay"], to = "authenticated" }', "ann", DENIED, "250"
    ),
    "9 authenticated, submit denied": Row(
        LOGGED_IN + ', { deny = ["submit"], to = "user:bob@example.org" }', "bob", "", "", mail="550 5.7.1"
    ),
    "10 the null sender": Row(SUBMIT_ANYONE, None, NO_RELAY, "250", sender=""),
    "10 a forged local sender": Row(SUBMIT_ANYONE, None, NO_RELAY, "250", sender="ann@example.org"),
    "10 an address literal": Row(SUBMIT_ANYONE, None, NO_RELAY, "250", sender="ann@[127.0.0.1]"),
    "12 administrator in the group": Row(MEMBER, "adam", PROTECTED, "250"),
    "12 guessable name in the group": Row(MEMBER, "scanner", "250", "250"),
    "12 a name that attackers try": Row(MEMBER, "webmaster", PROTECTED, "250"),
    "12 named itself": Row(MEMBER + ', { allow = ["relay"], to = "user:adam" }', "adam", "250", "250"),
    "13 member, wrong password": Row(MEMBER + ", " + SUBMIT_ANYONE, "ann", NO_RELAY, "250", password="wrong"),
    "14 listed, but logged in as a denied user": Row(
        SUBMIT_ANYONE + f', {{ allow = ["relay"], to = "{HERE}" }}, {{ deny = ["relay"], to = "user:bob" }}',
        "bob",
        DENIED,
        "250",
    ),
}


def people(here: Gate) -> None:
    here.add("ann", groups=("POP3 Relay",))
    here.add("bob")
    here.add("nell", groups=("Night",))
    here.join("Shift", "Night")
    here.join("POP3 Relay", "Shift")
    here.add("adam", groups=("POP3 Relay",), administrator=True)
    here.add("webmaster", groups=("POP3 Relay",))
    here.add("scanner", groups=("POP3 Relay",))


@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_the_truth_table_holds(name: str, tmp_path: Path) -> None:
    row = ROWS[name]
    table = '[smtp.smtp]\nlisten = ["127.0.0.1:0"]\ntls = "offer"\n'
    table += f"auth = {row.auth}\naccess = [ {row.access} ]\n"

    async def story() -> None:
        async with gate(tmp_path, table) as here:
            people(here)
            client = await here.dial()
            await client.reply()
            await client.hello()
            await client.start_tls()
            if row.user is not None:
                answer = await client.log_in(row.user, row.password)
                assert answer.startswith("235" if row.password != "wrong" else "535 5.7.8")
            sender = row.sender if row.sender is not None else f"{row.user or 'someone'}@example.org"
            assert (await client.say(f"MAIL FROM:<{sender}>")).startswith(row.mail)
            if row.mail.startswith("250"):
                assert (await client.say("RCPT TO:<x@else.example>")).startswith(row.remote)
                assert (await client.say("RCPT TO:<bob@example.org>")).startswith(row.local)
            await client.close()

    asyncio.run(story())


@pytest.mark.parametrize(
    "address",
    [
        "user%remote.test@example.org",
        '"user@remote.test"@example.org',
        "remote.test!user@example.org",
        "@example.org:user@remote.test",
        '"user%remote.test"@example.org',
        "user@remote.test@example.org",
        "user%remote.test@[127.0.0.1]",
        "user@[127.0.0.1]",
    ],
)
def test_row_11_a_routed_address_is_never_relayed(address: str, tmp_path: Path) -> None:
    table = f'[smtp.smtp]\nlisten = ["127.0.0.1:0"]\ntls = "off"\naccess = [ {SUBMIT_ANYONE} ]\n'

    async def story() -> None:
        async with gate(tmp_path, table) as here:
            people(here)
            client = await here.dial()
            await client.reply()
            await client.hello()
            await client.say("MAIL FROM:<a@b.test>")
            assert (await client.say(f"RCPT TO:<{address}>"))[:3] in ("550", "553", "501")
            await client.close()

    asyncio.run(story())


def test_a_local_domain_is_local_however_it_is_written(tmp_path: Path) -> None:
    table = f'[smtp.smtp]\nlisten = ["127.0.0.1:0"]\ntls = "off"\naccess = [ {SUBMIT_ANYONE} ]\n'
    table += '[domains."bücher.example"]\n'

    async def story() -> None:
        async with gate(tmp_path, table) as here:
            client = await here.dial()
            await client.reply()
            await client.hello()
            await client.say("MAIL FROM:<a@b.test> SMTPUTF8")
            for domain in ("bücher.example", "xn--bcher-kva.example", "XN--BCHER-KVA.example"):
                assert (await client.say(f"RCPT TO:<postmaster@{domain}>")).startswith("250 2.1.5")
                assert (await client.say(f"RCPT TO:<nobody@{domain}>")).startswith("550 5.1.1")
            await client.close()

    asyncio.run(story())
