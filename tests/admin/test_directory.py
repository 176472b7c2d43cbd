"""Each step to a directory is told, and the one that fails says what to do."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from config.files import secret
from directory.directories import open_accounts
from directory.ldaps import BASE, PASSWORD, SERVICE, Fault, LdapServerScript, running
from gatepost.admin.certificate import self_signed
from gatepost.admin.directory import Step, steps
from gatepost.admin.directory_check import directory_doubts
from gatepost.admin.relay_groups import relay_group_doubts
from gatepost.admin.silence import silent_log
from gatepost.config.load import load_text
from gatepost.config.schema import Settings

ACCESS = """
[smtp.a]
listen = ["127.0.0.1:25"]
tls = "off"
auth = []
access = [
  { allow = ["submit", "relay"], to = "group:POP3 Relay" },
  { allow = ["submit", "relay"], to = "group:Nowhere" },
]
"""


def corp() -> LdapServerScript:
    script = LdapServerScript()
    relay, admins = script.group("POP3 Relay", 1200), script.group("Domain Admins", 512)
    script.entries[0].attributes["groupType"] = [b"-2147483646"]
    bob = script.user("bob", mail="bob@example.org", groups=(relay,))
    script.user("heidi", groups=(relay, admins))
    script.user("carol", userAccountControl="514")
    script.entries[0].attributes["member"] = [bob.encode()]
    script.user("nomail", upn="nomail@corp.example")
    return script


def settings(folder: Path, url: str, more: str = "", timeout: int = 60) -> Settings:
    secret(folder / "password", f"{PASSWORD}\n".encode())
    text = (
        f'hostname = "mail.example.org"\nstate = "{folder / "state"}"\n{ACCESS}\n[directory.ad]\n'
        f'kind = "ldap"\nurl = "{url}"\nbind_user = "{SERVICE}"\nbind_password_file = "password"\n'
        f"timeout_seconds = {timeout}\n{more}\n"
    )
    return load_text(text, folder / "gatepost.toml")


def told(
    folder: Path, script: LdapServerScript, url: str = "ldap://127.0.0.1:{}", more: str = "starttls = false",
    user: str | None = None, tls: ssl.SSLContext | None = None, timeout: int = 60,
) -> dict[str, Step]:  # fmt: skip
    async def test() -> dict[str, Step]:
        async with running(script, tls):
            given = settings(folder, url.format(script.port), more, timeout)
            with silent_log() as log:
                return {step.step: step async for step in steps(given, log, user)}

    return asyncio.run(test())


def test_a_group_is_named_whatever_stands_in_its_name(tmp_path: Path) -> None:
    script = LdapServerScript()
    script.user("bob", groups=(script.group("Level=2", 1300), script.group("S-1-Team", 1301)))
    assert told(tmp_path, script, user="bob")["groups"].text == "Level=2, S-1-Team"


def test_every_step_is_told(tmp_path: Path) -> None:
    found = told(tmp_path, corp(), user="bob")
    assert all(step.good is not False for step in found.values())
    assert {
        "connection",
        "bind",
        "directory",
        "group",
        "user",
        "addresses",
        "account",
        "groups",
        "relay",
    } <= set(found)
    assert "in POP3 Relay, through bob in POP3 Relay" in found["relay"].text


@pytest.mark.parametrize(
    ("user", "step", "text"),
    [
        ("nobody", "user", "nobody is called that"),
        ("carol", "account", "disabled"),
        ("heidi", "protected", "administrator"),
        ("carol", "relay", "in no group that gives relay"),
    ],
)
def test_what_is_the_matter_with_somebody_is_told(tmp_path: Path, user: str, step: str, text: str) -> None:
    assert text in told(tmp_path, corp(), user=user)[step].text


def test_a_refused_service_is_told(tmp_path: Path) -> None:
    script = corp()
    script.refusals[SERVICE] = (49, "data 775")
    found = told(tmp_path, script)
    assert found["bind"].good is False
    assert "locked" in found["bind"].text
    assert "group" not in found


def test_a_base_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, corp(), more=f'starttls = false\nbase = "OU=None,{BASE}"')["base"].good is False


def test_a_silent_server_is_told(tmp_path: Path) -> None:
    script = corp()
    script.fault = Fault.SILENT
    assert "no answer within 1 seconds" in told(tmp_path, script, timeout=1)["search"].text


def test_nobody_at_the_address_is_told(tmp_path: Path) -> None:
    found = told(tmp_path, corp(), url="ldap://127.0.0.1:1")
    assert found["connection"].good is False
    assert "firewall" in found["connection"].text


def test_a_name_that_is_none_is_told(tmp_path: Path) -> None:
    found = told(tmp_path, corp(), url="ldaps://nothing.invalid")
    assert found["name"].good is False


@pytest.mark.parametrize(
    ("names", "trusted", "text"),
    [
        (["localhost"], False, "signed by itself"),
        (["elsewhere.example"], True, "does not name localhost"),
        (["localhost"], True, ""),
    ],
)
def test_the_problem_with_a_certificate_is_told(
    tmp_path: Path, names: list[str], trusted: bool, text: str
) -> None:
    pair = self_signed(names)
    (tmp_path / "chain.pem").write_bytes(pair.chain)
    secret(tmp_path / "key.pem", pair.key)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    more = 'ca_file = "chain.pem"' if trusted else ""
    found = told(tmp_path, corp(), url="ldaps://localhost:{}", more=more, tls=tls)
    assert text in found["tls"].text
    assert found["tls"].good is not bool(text)
    assert names[0] in (found["certificate"] if text else found["tls"]).text


def test_a_missing_group_and_a_distribution_list_are_found_by_check(tmp_path: Path) -> None:
    async def test() -> list[str]:
        script = corp()
        script.entries[0].attributes["groupType"] = [b"2"]
        async with running(script):
            given = settings(tmp_path, f"ldap://127.0.0.1:{script.port}", "starttls = false")
            with silent_log() as log:
                return [str(one) for one in await asyncio.to_thread(directory_doubts, given, None, log)]

    found = asyncio.run(test())
    assert any("no group Nowhere in any directory" in one for one in found)
    assert any("distribution list" in one for one in found)
    assert all(":9:" in one or ":10:" in one for one in found)


@pytest.mark.parametrize("active_directory", [True, False])
def test_a_member_whose_name_an_earlier_directory_has_is_found_by_check(
    tmp_path: Path, active_directory: bool
) -> None:
    async def test() -> list[str]:
        first, second = corp(), corp()
        for entry in second.entries:
            if entry.dn.startswith("CN=bob"):
                entry.attributes["memberOf"] = [second.entries[0].dn.encode()]
        if not active_directory:
            second = LdapServerScript(active_directory=False)
            second.add(f"uid=bob,{BASE}", {"objectClass": "person", "uid": "bob"})
            second.add(
                f"cn=POP3 Relay,{BASE}",
                {"objectClass": "groupOfNames", "cn": "POP3 Relay", "member": f"uid=bob,{BASE}"},
            )
        async with running(first), running(second):
            more = (
                f'starttls = false\n[directory.other]\nkind = "ldap"\nurl = "ldap://127.0.0.1:{second.port}"\n'
                f'starttls = false\nbind_user = "{SERVICE}"\nbind_password_file = "password"\n'
            )
            given = settings(tmp_path, f"ldap://127.0.0.1:{first.port}", more)
            with silent_log() as log:
                return [str(one) for one in await asyncio.to_thread(directory_doubts, given, None, log)]

    found = [one for one in asyncio.run(test()) if "somebody's name in" in one]
    assert any(
        "bob is somebody's name in ad and in other: the first directory has it" in one for one in found
    )
    assert not any("carol" in one for one in found)


def test_a_local_name_or_address_that_the_directory_has_is_found_by_check(tmp_path: Path) -> None:
    async def test() -> list[str]:
        script = corp()
        async with running(script):
            given = settings(tmp_path, f"ldap://127.0.0.1:{script.port}", "starttls = false")
            accounts = open_accounts(tmp_path)
            for name, further in (("bob", ()), ("dora", ("bob@example.org", "carol@example.org"))):
                accounts.users.add(
                    f"{name}@example.net",
                    domains=["example.net", "example.org"],
                    by="test",
                    addresses=further,
                )
            with silent_log() as log:
                found = await asyncio.to_thread(directory_doubts, given, accounts, log)
            accounts.close()
            return [str(one) for one in found]

    found = [one for one in asyncio.run(test()) if "local account" in one]
    assert len(found) == 2
    assert any("bob@example.net is" in one for one in found)
    assert any("bob@example.org is" in one for one in found)


def test_a_local_group_is_not_empty_where_the_directory_has_members(tmp_path: Path) -> None:
    """As `gatepost init` makes it, before the directory came."""

    async def test() -> list[str]:
        async with running(corp()) as script:
            given = settings(tmp_path, f"ldap://127.0.0.1:{script.port}", "starttls = false")
            accounts = open_accounts(tmp_path)
            for group in ("POP3 Relay", "Nowhere"):
                accounts.groups.add(group, by="test")
            assert not list(relay_group_doubts(given, accounts))
            with silent_log() as log:
                found = await asyncio.to_thread(directory_doubts, given, accounts, log)
            accounts.close()
            return [one.text for one in found if one.text.startswith("nobody")]

    assert asyncio.run(test()) == ["nobody is in the local group Nowhere, and ad has none of that name"]
