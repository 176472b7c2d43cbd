"""A directory that does not answer: nothing is guessed, and nobody waits long."""

from __future__ import annotations

import asyncio
import time

import pytest

from directory.ldap_house import QUICK, RIGHT, corp, house, run
from directory.ldaps import SERVICE, Fault, running
from gatepost.directory.directory import (
    Refusal,
    Unavailable,
    settled,
)
from gatepost.mail.address import Address
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason


@pytest.mark.parametrize(
    "fault", [fault for fault in Fault if fault is not Fault.NONE and fault is not Fault.SIZE_LIMIT]
)
def test_a_fault_is_never_an_answer(fault: Fault) -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script, patience=QUICK) as it:
            script.fault = fault
            with pytest.raises(Unavailable):
                await it.directory.verify("bob", RIGHT)
            with pytest.raises(Unavailable):
                await it.directory.identity("bob")
            with pytest.raises(Unavailable):
                await settled(it.directory.resolve(Address("bob", "example.org")))
            script.fault = Fault.NONE
            it.clock.now += 60
            assert isinstance(await it.directory.verify("bob", RIGHT), Identity)

    run(test)


def test_more_than_are_told_is_nobody_at_login_and_unknown_for_mail() -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script, patience=QUICK) as it:
            script.fault = Fault.SIZE_LIMIT
            assert await it.directory.verify("bob", RIGHT) == Refusal(Reason.UNKNOWN_USER)
            with pytest.raises(Unavailable):
                await settled(it.directory.resolve(Address("bob", "example.org")))

    run(test)


def test_facts_are_believed_for_a_while_without_the_directory_and_no_longer() -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script, patience=QUICK) as it:
            bob = await it.directory.verify("bob", RIGHT)
            script.fault = Fault.SILENT
            generation = it.directory.generation
            assert not it.directory.refresh()
            assert await it.directory.identity("bob@corp.example") == bob
            it.clock.now += 301
            assert it.directory.refresh()
            assert it.directory.generation != generation
            assert await it.directory.identity("bob@corp.example") == bob
            it.clock.now += 2
            assert it.directory.refresh(), "who relies on old facts asks again"
            it.clock.now += 600
            with pytest.raises(Unavailable):
                await it.directory.identity("bob@corp.example")
            with pytest.raises(Unavailable):
                await it.directory.verify("bob", RIGHT)

    run(test)


def test_who_is_removed_from_a_group_is_out_when_facts_are_asked_anew() -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script) as it:
            bob = await it.directory.verify("bob", RIGHT)
            assert isinstance(bob, Identity)
            script.entries[2].attributes["tokenGroups"] = []
            script.entries[2].attributes["objectSid"] = []
            script.entries[2].attributes["tokenGroups"] = [b"\1\1\0\0\0\0\0\5\x0b\0\0\0"]
            it.clock.now += 301
            fresh = await it.directory.identity(bob.name)
            assert fresh is not None
            assert fresh.groups == {"s-1-5-11"}

    run(test)


def test_a_server_that_restarts_costs_nobody_a_login() -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script, proven=0) as it:
            for _ in range(3):
                assert isinstance(await it.directory.verify("bob", RIGHT), Identity)
                script.drop_all()
                answers = await asyncio.gather(
                    *(it.directory.verify(n, RIGHT) for n in ("heidi", "root", "ann") * 10)
                )
                assert all(isinstance(answer, Identity) for answer in answers)

    run(test)


def test_the_next_server_is_asked_when_one_is_silent_and_the_first_again_later() -> None:
    async def test() -> None:
        async with (
            running(corp()) as one,
            running(corp()) as two,
            house(one, two, proven=0, patience=QUICK) as it,
        ):
            assert isinstance(await it.directory.verify("bob", RIGHT), Identity)
            one.fault = Fault.SILENT
            one_binds = len(one.binds)
            assert isinstance(await it.directory.verify("heidi", RIGHT), Identity)
            assert len(two.binds) > 0
            one.fault = Fault.NONE
            it.clock.now += 60
            one.drop_all()
            two.drop_all()
            assert isinstance(await it.directory.verify("root", RIGHT), Identity)
            assert len(one.binds) > one_binds

    run(test)


def test_while_all_servers_are_down_nobody_waits() -> None:
    async def test() -> None:
        async with running(corp()) as script:
            pass
        async with house(script) as it:
            for _ in range(200):
                with pytest.raises(Unavailable):
                    await it.directory.verify("bob", RIGHT)
            assert [event for event, _ in it.notes] == ["directory-server-failed"] * 1

    run(test)


def test_two_hundred_logins_at_a_silent_server_take_two_timeouts_at_most() -> None:
    async def test() -> None:
        script = corp()
        for number in range(200):
            script.user(f"u{number}")
        async with running(script), house(script, patience=QUICK) as it:
            await it.directory.verify("bob", RIGHT)
            script.fault = Fault.SILENT
            began = time.monotonic()
            asked = [it.directory.verify(f"u{number}", RIGHT) for number in range(200)]
            answers = await asyncio.gather(*asked, return_exceptions=True)
            assert all(isinstance(answer, Unavailable) for answer in answers)
            assert time.monotonic() - began < 10 * QUICK  # one after another they would take 25

    run(test)


def test_a_wrong_service_password_is_not_tried_again_and_again() -> None:
    async def test() -> None:
        script = corp()
        script.refusals[SERVICE] = (49, "80090308: data 52e")
        async with running(script), house(script) as it:
            for _ in range(20):
                with pytest.raises(Unavailable, match="bind_user cannot log in"):
                    await it.directory.verify("bob", RIGHT)
                it.clock.now += 1
            assert len(script.binds) == 1

    run(test)
