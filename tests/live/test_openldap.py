"""OpenLDAP: people by uid and mail, groups of every class walked upwards, rings cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gatepost.admin.audit_directory import asked_of_directories, surveyed
from gatepost.admin.directory import Step, steps
from gatepost.admin.learn import learning
from gatepost.admin.silence import silent_log
from gatepost.config.load import load_text
from gatepost.config.schema import Settings
from gatepost.directory.build import ldap_directory
from gatepost.directory.directory import Mailbox, Refusal, Unavailable, UnknownRecipient, settled
from gatepost.directory.ldap import LdapDirectory
from gatepost.mail.address import Address
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store.accounts import Accounts
from gatepost.store.place import Place
from live.authority import Authority
from live.conftest import why_missing
from live.openldap import BASE, LDAP, LDAPS, PASSWORD, ROOT, SLAPD, OpenLdap

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("openldap")]

RIGHT = Secret(PASSWORD)
RELAY = """
[smtp.a]
listen = ["127.0.0.1:25"]
tls = "off"
auth = []
access = [ { allow = ["submit", "relay"], to = "group:POP3 Relay" } ]
"""


@pytest.fixture(scope="module")
def staff(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenLdap]:
    if not Path(SLAPD).exists():
        pytest.skip(why_missing("slapd"))
    server = OpenLdap(tmp_path_factory.mktemp("slapd") / "slapd", authority)
    yield server
    server.stop()


def settings(server: OpenLdap, folder: Path, *, scheme: str = "ldaps", more: str = "") -> Settings:
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    port = LDAPS if scheme == "ldaps" else LDAP
    return load_text(
        f'hostname = "mail.example.org"\nstate = "{folder / "state"}"\n[domains."local.example"]\n{RELAY}'
        f'[directory.staff]\nkind = "ldap"\nurl = "{scheme}://{server.host}:{port}"\nbind_user = "{ROOT}"\n'
        f'bind_password_file = "{password}"\nca_file = "{server.ca_file}"\n{more}\n',
        folder / "gatepost.toml",
    )


@asynccontextmanager
async def directory_at(given: Settings) -> AsyncIterator[LdapDirectory]:
    with silent_log() as log:
        directory = ldap_directory(given, "staff", log)
        try:
            yield directory
        finally:
            directory.close()


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
@pytest.mark.parametrize("more", ["", f'base = "ou=people,{BASE}"'])
def test_groups_of_every_class_are_walked(staff: OpenLdap, tmp_path: Path, scheme: str, more: str) -> None:
    async def test() -> None:
        async with directory_at(settings(staff, tmp_path, scheme=scheme, more=more)) as directory:
            assert {"sales", "emea", "pop3 relay"} <= await _groups(directory, "nora")
            assert {"sales", "emea", "pop3 relay"} <= await _groups(directory, "nora@local.example")
            assert {"ring a", "ring b"} <= await _groups(directory, "erin")
            assert "unix" in await _groups(directory, "paul")
            assert await _groups(directory, "gina") >= {"unix"}  # by her gidNumber
            assert not await _groups(directory, "alice")

    asyncio.run(test())


async def _groups(directory: LdapDirectory, name: str) -> frozenset[str]:
    identity = await directory.verify(name, RIGHT)
    assert isinstance(identity, Identity)
    assert isinstance(identity.groups, frozenset)
    return identity.groups


@pytest.mark.parametrize("more", ["", f'login = "direct"\nlogin_name = "uid={{user}},ou=people,{BASE}"'])
def test_only_the_right_password_lets_in(staff: OpenLdap, tmp_path: Path, more: str) -> None:
    async def test() -> None:
        async with directory_at(settings(staff, tmp_path, more=more)) as directory:
            assert isinstance(await directory.verify("nora", RIGHT), Identity)
            assert await directory.verify("nora", Secret("wrong")) == Refusal(Reason.WRONG_PASSWORD)
            assert await directory.verify("nora", Secret("")) == Refusal(Reason.EMPTY_PASSWORD)
            for name in ("nobody", "*", "nora)(uid=*", "nora,ou=people", "shared@local.example"):
                assert isinstance(await directory.verify(name, RIGHT), Refusal)

    asyncio.run(test())


def test_addresses_are_found_and_shared_ones_are_nobodys(staff: OpenLdap, tmp_path: Path) -> None:
    async def test() -> None:
        async with directory_at(settings(staff, tmp_path)) as directory:
            for text in ("nora", "Nora+tag"):
                assert await settled(directory.resolve(Address(text, "local.example"))) == Mailbox("nora")
            assert await settled(directory.resolve(Address("zoe", "local.example"))) == UnknownRecipient()
            for text in ("shared", "crowd"):
                with pytest.raises(Unavailable):
                    await settled(directory.resolve(Address(text, "local.example")))

    asyncio.run(test())


def test_the_way_through_groups_is_told(staff: OpenLdap, tmp_path: Path) -> None:
    async def test() -> list[Step]:
        with silent_log() as log:
            return [step async for step in steps(settings(staff, tmp_path), log, "nora")]

    told = {step.step: step for step in asyncio.run(test())}
    assert "through nora in Sales in EMEA in POP3 Relay" in told["relay"].text
    assert all(step.good is not False for step in told.values())


def test_the_audit_asks_who_is_in_the_relay_group(staff: OpenLdap, tmp_path: Path) -> None:
    given = settings(staff, tmp_path)
    given.state.mkdir()
    accounts = Accounts.open(Place(given.state).accounts)
    try:
        with learning(given, accounts) as known, silent_log() as log:
            found = surveyed(given, known, log)
            (asked,) = asked_of_directories(given, known, found)
    finally:
        accounts.close()
    assert found.weaknesses == []
    assert (asked.identity.name, asked.ways) == ("nora", {"pop3 relay": ("Sales", "EMEA", "POP3 Relay")})
