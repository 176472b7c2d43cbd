"""Who is in a group, and by which way, as Active Directory and other directories tell it."""

from __future__ import annotations

from directory.ldap_house import House, house, run
from directory.ldaps import BASE, LdapServerScript, running
from gatepost.directory.ldap_members import LdapMembers, members
from gatepost.directory.ldap_survey import LdapSurvey
from gatepost.directory.ldap_tree import LdapTree

LOGON = 133_500_000_000_000_000  # 2024-01-17


def dn(name: str) -> str:
    return f"CN={name},CN=Users,{BASE}"


async def asked(it: House, group: str, limit: int = 100) -> LdapMembers:
    tree = LdapTree(it.pool, base="", house="corp", clock=lambda: 0.0)
    (found,) = await LdapSurvey(tree).groups_meant(group)
    return await members(tree, found, limit=limit)


def active_directory() -> LdapServerScript:
    """bob and the disabled carl directly, ann by Sales; Sales and Relay are in each other."""
    script = LdapServerScript()
    for number, (name, inside) in enumerate((("Relay", "Sales"), ("Sales", "Relay"))):
        script.group(name, 1200 + number)
        script.entries[-1].attributes["memberOf"] = [dn(inside).encode()]
        script.entries[-1].attributes["groupType"] = [b"-2147483646"]
    script.user("bob", memberOf=[dn("Relay")], lastLogonTimestamp=str(LOGON))
    script.user("carl", memberOf=[dn("Relay")], userAccountControl="514")
    script.user("ann", memberOf=[dn("Sales"), dn("Relay")])
    script.user("eve", memberOf=[dn("Sales")])
    script.user("zoe")
    return script


def test_active_directory_is_asked_group_by_group() -> None:
    async def test() -> None:
        async with running(active_directory()) as script, house(script) as it:
            found = await asked(it, "Relay")
            assert found.whole
            assert {one.account: one.way for one in found.people} == {
                "bob": ("Relay",), "carl": ("Relay",), "ann": ("Relay",), "eve": ("Sales", "Relay"),
            }  # fmt: skip
            assert [one.account for one in found.people if one.disabled] == ["carl"]
            (bob,) = (one for one in found.people if one.account == "bob")
            assert bob.last_logon == 1_705_526_400.0

    run(test)


def test_no_more_than_was_asked_for() -> None:
    async def test() -> None:
        async with running(active_directory()) as script, house(script) as it:
            found = await asked(it, "Relay", limit=2)
            assert len(found.people) == 2
            assert not found.whole

    run(test)


def test_other_directories_are_read_member_by_member() -> None:
    async def test() -> None:
        script = LdapServerScript(active_directory=False)
        for name in ("bob", "ann"):
            script.add(dn(name), {"objectClass": ["person"], "uid": name.upper()})
        groups = {"objectClass": ["groupOfNames"]}
        script.add(dn("Relay"), {**groups, "cn": "Relay", "member": [dn("bob"), dn("Sales"), dn("gone")]})
        script.add(dn("Sales"), {**groups, "cn": "Sales", "member": [dn("ann"), dn("Relay")]})
        unix = {"objectClass": ["posixGroup"], "cn": "Unix", "gidNumber": "500"}
        script.add(dn("Unix"), {**unix, "memberUid": ["bob", "eve"]})
        script.add(dn("gina"), {"objectClass": ["posixAccount"], "uid": "gina", "gidNumber": "500"})
        async with running(script), house(script) as it:
            found = await asked(it, "Relay")
            assert found.whole
            assert {one.account: one.way for one in found.people} == {
                "bob": ("Relay",),
                "ann": ("Sales", "Relay"),
            }
            assert {one.account for one in (await asked(it, "Unix")).people} == {"bob", "eve", "gina"}

    run(test)
