"""An act is done by whoever may, and stands in the audit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.admin.actor import Actor, Forbidden, SignInAgain
from gatepost.admin.acts import Acts
from gatepost.admin.acts_accounts import NewUser, UserChange
from gatepost.admin.generation import Generations
from gatepost.admin.house import House
from gatepost.admin.init import Ports, make_directory
from gatepost.admin.roles import ACTS, Area, Role
from gatepost.secret import Secret
from gatepost.store.accounts import Accounts
from gatepost.store.app_password import NewAppPassword
from gatepost.store.place import Place


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    file = make_directory(
        tmp_path / "house", hostname="mail.example.org", domain="example.org",
        ports=Ports("127.0.0.1", 2525, 2587, 2110, 2995), next_hop="capture:outbox", by="test",
    )  # fmt: skip
    place = Place(file.parent / "state")
    accounts = Accounts.open(place.accounts)
    yield House(file, place, accounts)
    accounts.close()


def acts(house: House, role: Role, **more: object) -> Acts:
    return Acts(house, Actor("ann", role, **more))  # type: ignore[arg-type]


def test_an_administrator_adds_a_user_and_it_is_audited(house: House) -> None:
    asyncio.run(acts(house, Role.ADMINISTRATOR).user.add(NewUser("bob", full_name="Bob")))
    [change] = house.accounts.audit.changes(limit=1)
    assert (change.who, change.what, change.subject) == ("ann", "user-add", "bob@example.org")


def test_a_change_is_audited_with_before_and_after(house: House) -> None:
    administrator = acts(house, Role.ADMINISTRATOR)
    asyncio.run(administrator.user.add(NewUser("bob")))
    asyncio.run(administrator.user.change("bob", UserChange(full_name="Bob", quota_bytes=5)))
    changes = house.accounts.audit.changes(limit=2)
    assert [(one.before, one.after) for one in changes] == [
        ({"quota_bytes": None}, {"quota_bytes": 5}),
        ({"full_name": ""}, {"full_name": "Bob"}),
    ]


def test_secrets_that_nothing_names_are_forgotten(house: House) -> None:
    secrets, folder = acts(house, Role.ADMINISTRATOR).secret, house.file.parent
    lost, kept, drafted, in_force = (
        asyncio.run(secrets.put(("directory", name, "bind_password_file"), Secret("x")))
        for name in ("lost", "kept", "drafted", "force")
    )
    other = asyncio.run(Acts(house, Actor("bob", Role.ADMINISTRATOR)).secret.put(("a", "b"), Secret("x")))
    by_hand = folder / "secrets" / "by-hand"
    by_hand.write_text("x")
    Generations(house.place.generations).keep(f'a = "{kept}"', by="ann")
    house.file.write_text(f"{house.file.read_text()}# {in_force}\n")
    assert asyncio.run(secrets.forget([f'a = "{drafted}"'])) == [lost]
    assert not (folder / lost).exists()
    assert all((folder / one).exists() for one in (kept, drafted, in_force, other))
    assert by_hand.exists()
    [change] = house.accounts.audit.changes(limit=1)
    assert (change.who, change.what, change.subject) == ("ann", "secret-forget", lost)
    with pytest.raises(Forbidden):
        asyncio.run(acts(house, Role.OPERATOR).secret.forget([]))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_lesser_roles_add_nobody(house: House, role: Role) -> None:
    with pytest.raises(Forbidden, match="administrator"):
        asyncio.run(acts(house, role).user.add(NewUser("bob")))
    assert house.accounts.users.count() == 0


def test_a_scope_narrows(house: House) -> None:
    narrowed = acts(house, Role.ADMINISTRATOR, areas=frozenset({Area.QUEUE}))
    with pytest.raises(Forbidden, match="accounts"):
        asyncio.run(narrowed.group.add("Sales"))
    assert narrowed.may("queue-hold")
    assert not narrowed.may("group-add")


def test_a_dangerous_act_wants_a_fresh_sign_in(house: House) -> None:
    asyncio.run(acts(house, Role.ADMINISTRATOR).user.add(NewUser("bob")))
    with pytest.raises(SignInAgain):
        asyncio.run(acts(house, Role.ADMINISTRATOR, fresh=False).user.delete("bob"))
    assert house.accounts.users.count() == 1


def test_a_role_covers_the_lesser_ones() -> None:
    for name, act in ACTS.items():
        may = [role for role in Role if Actor("ann", role).may(name)]
        assert may == [role for role in Role if role.rank >= act.least.rank]


def test_a_device_is_let_in_by_an_administrator_and_shut_out_by_an_operator(house: House) -> None:
    administrator = acts(house, Role.ADMINISTRATOR)
    asyncio.run(administrator.user.add(NewUser("bob")))
    issued = asyncio.run(administrator.device.add("bob", NewAppPassword("NAS")))
    assert house.accounts.app_passwords.of_secret(issued.secret.reveal()) == issued.app_password
    for who in (acts(house, Role.OPERATOR), acts(house, Role.VIEWER)):
        with pytest.raises(Forbidden):
            asyncio.run(who.device.add("bob", NewAppPassword("other")))
    with pytest.raises(SignInAgain):
        asyncio.run(acts(house, Role.ADMINISTRATOR, fresh=False).device.add("bob", NewAppPassword("x")))
    [row] = asyncio.run(acts(house, Role.VIEWER).device.app_passwords())
    assert (row["account"], row["label"], row["state"]) == ("bob@example.org", "NAS", "good")
    assert issued.secret.reveal() not in str(row)
    [device] = asyncio.run(acts(house, Role.VIEWER).device.all())
    assert (device["name"], device["state"]) == ("bob@example.org/NAS", "unused")
    with pytest.raises(Forbidden):
        asyncio.run(acts(house, Role.VIEWER).device.revoke("bob", "NAS"))
    asyncio.run(acts(house, Role.OPERATOR).device.revoke("bob", "nas"))
    assert asyncio.run(acts(house, Role.VIEWER).device.all()) == []
    [change] = house.accounts.audit.changes(limit=1)
    assert (change.who, change.what) == ("ann", "app-password-revoke")
