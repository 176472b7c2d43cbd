"""What a login costs a directory."""

from __future__ import annotations

import asyncio

import sansldap

from directory.ldap_house import RIGHT, WRONG, corp, house, run
from directory.ldaps import PASSWORD, SERVICE, LdapServerScript, running
from gatepost.directory.directory import (
    Refusal,
)
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason


def test_a_cold_login_is_one_round_of_facts_and_one_of_bind() -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script) as it:
            await it.directory.verify("heidi", RIGHT)  # connections, the root entry and the groups' names
            script.searches.clear()
            script.binds.clear()
            rounds = Rounds(script)
            assert isinstance(await it.directory.verify("bob", RIGHT), Identity)
            assert len(script.searches) == 2  # the person; then, beside the bind, the groups
            assert len(script.binds) == 1
            assert rounds.count == 2
            script.searches.clear()
            it.clock.now += 61
            assert isinstance(await it.directory.verify("bob", RIGHT), Identity)
            assert not script.searches
            assert rounds.count == 3

    run(test)


class Rounds:
    """Holds every answer until nothing more is asked, then lets all go: one round."""

    def __init__(self, script: LdapServerScript) -> None:
        self.count = 0
        self._waiting: list[asyncio.Future[None]] = []
        script.gate = self._gate

    async def _gate(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_later(0.05, self._release)
        await future

    def _release(self) -> None:
        self.count += 1
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            future.set_result(None)


def test_a_proven_password_is_not_asked_again_and_a_changed_one_is() -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script) as it:
            await it.directory.verify("bob", RIGHT)
            binds = len(script.binds)
            assert isinstance(await it.directory.verify("bob", RIGHT), Identity)
            assert len(script.binds) == binds
            assert await it.directory.verify("bob", WRONG) == Refusal(Reason.WRONG_PASSWORD)
            it.clock.now += 61
            await it.directory.verify("bob", RIGHT)
            assert len(script.binds) > binds + 1

    run(test)


def test_the_same_login_at_once_is_one_bind() -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script) as it:
            answers = await asyncio.gather(*(it.directory.verify("bob", WRONG) for _ in range(50)))
            assert set(map(str, answers)) == {str(Refusal(Reason.WRONG_PASSWORD))}
            assert len([name for name, _ in script.binds if name != SERVICE]) == 1

    run(test)


def test_an_unknown_name_costs_a_bind_too() -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script) as it:
            await it.directory.verify("nobody", RIGHT)
            await it.directory.pretend(RIGHT)
            others = [password for name, password in script.binds if name != SERVICE]
            assert len(others) == 2
            assert PASSWORD not in others

    run(test)


def test_a_filter_holds_the_name_as_octets_of_its_own() -> None:
    async def test() -> None:
        async with running(corp()) as script, house(script) as it:
            await it.directory.verify("b*)(cn=", RIGHT)
            (wanted,) = [s.filter for s in script.searches if s.base_object]
            assert isinstance(wanted, sansldap.FilterAnd)
            assert wanted.filters[-1] == sansldap.FilterEquality("sAMAccountName", b"b*)(cn=")

    run(test)
