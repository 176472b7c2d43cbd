"""A server that tells only some of the groups is asked in smaller parts, or nothing is known."""

from __future__ import annotations

import pytest

from directory.ldap_house import RIGHT, house, run
from directory.ldaps import BASE, LdapServerScript, running
from gatepost.directory.directory import Unavailable
from gatepost.policy.facts import Identity


def dn(name: str) -> str:
    return f"CN={name},CN=Users,{BASE}"


def openldap(groups: int) -> LdapServerScript:
    """bob is in Sales, Sales in Relay; and by his account's name in some more."""
    script = LdapServerScript(active_directory=False)
    script.add(dn("bob"), {"objectClass": ["person"], "uid": "bob", "mail": "bob@example.org"})
    named = {"objectClass": ["groupOfNames"]}
    script.add(dn("Sales"), {**named, "cn": "Sales", "member": [dn("bob")]})
    script.add(dn("Relay"), {**named, "cn": "Relay", "member": [dn("Sales")]})
    for number in range(groups):
        unix = {"objectClass": ["posixGroup"], "cn": f"Unix {number}", "gidNumber": str(number)}
        script.add(dn(f"Unix {number}"), {**unix, "memberUid": ["bob"]})
    return script


def test_an_answer_that_is_cut_short_is_asked_for_in_parts() -> None:
    async def test() -> None:
        script = openldap(1)
        script.most = 1
        async with running(script), house(script) as it:
            bob = await it.directory.verify("bob", RIGHT)
            assert isinstance(bob, Identity)
            assert {"sales", "relay", "unix 0"} <= bob.groups

    run(test)


def test_where_parts_do_not_help_nothing_is_known() -> None:
    async def test() -> None:
        script = openldap(3)
        script.most = 2
        async with running(script), house(script) as it:
            with pytest.raises(Unavailable, match="size limit"):
                await it.directory.verify("bob", RIGHT)

    run(test)
