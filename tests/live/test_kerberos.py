"""Tickets: members of a Samba domain log in by GSSAPI, with curl and msmtp, for SMTP and POP3."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from live.active_directory import REALM, ActiveDirectory, password_file
from live.ad_seed import PASSWORD
from live.gate import HOSTNAME, LOCAL_DOMAIN, Gate, route
from live.program import run

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("active-directory")]

OUTSIDE = "someone@elsewhere.example"
KERBEROS_SMTP, KERBEROS_POP3 = 4651, 9951


@dataclass(frozen=True, slots=True)
class Realm:
    """Where clients find the KDC, and whose tickets they have."""

    folder: Path
    environment: dict[str, str]

    def kinit(self, user: str) -> Realm:
        """Somebody's own tickets."""
        mine = Realm(self.folder, {**self.environment, "KRB5CCNAME": f"FILE:{self.folder / user}.cc"})
        given = run("kinit", f"{user}@{REALM}", given=PASSWORD + "\n", environment=mine.environment)
        assert given.returncode == 0, given.stdout
        return mine


@pytest.fixture(scope="module")
def realm(corp: ActiveDirectory, tmp_path_factory: pytest.TempPathFactory) -> Realm:
    folder = tmp_path_factory.mktemp("krb")
    (folder / "krb5.conf").write_text(
        f"[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n dns_lookup_realm = false\n"
        f" dns_canonicalize_hostname = false\n rdns = false\n udp_preference_limit = 1\n"
        f"[realms]\n {REALM} = {{\n  kdc = {corp.host}\n }}\n[domain_realm]\n localhost = {REALM}\n"
        f" {HOSTNAME} = {REALM}\n"
    )
    return Realm(folder, {"KRB5_CONFIG": str(folder / "krb5.conf")})


@pytest.fixture(scope="module")
def gate(
    corp: ActiveDirectory, realm: Realm, make_gate: Callable[..., Gate], require: Callable[..., None]
) -> Gate:
    require("curl", "msmtp", "kinit")
    if importlib.util.find_spec("gssapi") is None:
        pytest.skip("the extra kerberos is not installed: pip install gatepost[kerberos]")
    keytab = realm.folder / "gatepost.keytab"
    for principal in (f"smtp/{HOSTNAME}", f"pop/{HOSTNAME}"):
        corp.export_key(principal, keytab)
    host = "{host}"
    tables = (
        f'[kerberos]\nkeytab = "{keytab}"\n'
        f'[smtp.tickets]\nlisten = ["{host}:{KERBEROS_SMTP}"]\ntls = "implicit"\nauth = ["GSSAPI"]\n'
        'access = [\n  { allow = ["connect"], to = "anyone" },\n'
        '  { allow = ["submit", "relay"], to = "group:POP3 Relay" },\n]\n'
        f'[pop3.tickets]\nlisten = ["{host}:{KERBEROS_POP3}"]\ntls = "implicit"\nauth = ["GSSAPI"]\n'
        'access = [ { allow = ["connect"], to = "anyone" }, { allow = ["collect"], to = "authenticated" } ]\n'
    )
    made: Gate = make_gate(
        route(f"capture:{realm.folder / 'captured'}") + corp.settings(password_file(realm.folder)) + tables,
        workers=1,
    )
    return made


_TOKEN = """
import sys, gssapi
name = gssapi.Name("smtp@" + sys.argv[1], gssapi.NameType.hostbased_service)
print(gssapi.SecurityContext(name=name, usage="initiate").step().hex())
"""


def test_the_ticket_says_the_groups(corp: ActiveDirectory, realm: Realm, tmp_path: Path) -> None:
    kerberos = pytest.importorskip("gatepost.directory.kerberos", reason="the extra kerberos is missing")
    keytab = realm.folder / "groups.keytab"
    corp.export_key(f"smtp/{HOSTNAME}", keytab)
    given = run(sys.executable, "-c", _TOKEN, HOSTNAME, environment=realm.kinit("heidi").environment)
    assert given.returncode == 0, given.stdout
    context = kerberos.Acceptor(keytab).context()
    context.step(bytes.fromhex(given.stdout.strip()))
    assert context.complete
    assert context.initiator == f"{REALM}\\heidi"
    domains = {sid.rpartition("-")[0] for sid in context.groups if sid.startswith("S-1-5-21-")}
    (domain,) = domains
    assert {f"{domain}-{number}" for number in (512, 513)} <= context.groups


def _curl(gate: Gate, realm: Realm, *more: str | Path, user: str = ":") -> str:
    said = run(
        "curl", "-sS", "-v", "--max-time", "120", "--cacert", gate.authority.ca_file,
        "--login-options", "AUTH=GSSAPI", "-u", user, *more, environment=realm.environment,
    )  # fmt: skip
    return f"exit {said.returncode}\n{said.stdout}"


def _sent(gate: Gate, realm: Realm, sender: str) -> str:
    letter = realm.folder / "letter"
    letter.write_text(f"From: {sender}\r\nSubject: a\r\n\r\nb\r\n")
    return _curl(
        gate, realm, "--resolve", f"{HOSTNAME}:{KERBEROS_SMTP}:{gate.host}",
        f"smtps://{HOSTNAME}:{KERBEROS_SMTP}/client.example",
        "--mail-from", sender, "--mail-rcpt", OUTSIDE, "-T", letter,
    )  # fmt: skip


def test_a_member_relays_with_a_ticket_by_curl(gate: Gate, realm: Realm) -> None:
    said = _sent(gate, realm.kinit("nora"), f"nora@{LOCAL_DOMAIN}")
    assert said.startswith("exit 0\n"), said
    assert "235" in said


def test_others_do_not_relay_with_theirs(gate: Gate, realm: Realm) -> None:
    said = _sent(gate, realm.kinit("alice"), f"alice@{LOCAL_DOMAIN}")
    assert "235 " in said
    assert "550" in said


def test_nobody_sends_without_a_ticket(gate: Gate, realm: Realm) -> None:
    empty = Realm(realm.folder, {**realm.environment, "KRB5CCNAME": f"FILE:{realm.folder / 'none.cc'}"})
    assert not _sent(gate, empty, f"nora@{LOCAL_DOMAIN}").startswith("exit 0\n")


def test_mail_is_collected_with_a_ticket(gate: Gate, realm: Realm) -> None:
    said = _curl(
        gate, realm.kinit("nora"), "--resolve", f"{HOSTNAME}:{KERBEROS_POP3}:{gate.host}",
        f"pop3s://{HOSTNAME}:{KERBEROS_POP3}/",
    )  # fmt: skip
    assert said.startswith("exit 0\n"), said


def test_a_member_relays_with_a_ticket_by_msmtp(gate: Gate, realm: Realm, corp: ActiveDirectory) -> None:
    if "gssapi" not in run("msmtp", "--version").stdout.lower():
        pytest.skip("this msmtp was built without GSSAPI")
    # msmtp asks for the host that it connects to, and here that is an address
    corp.name_service(f"smtp/{gate.host}")
    corp.export_key(f"smtp/{gate.host}", realm.folder / "gatepost.keytab")
    said = run(
        "msmtp", f"--host={gate.host}", f"--port={KERBEROS_SMTP}", "--tls=on", "--tls-starttls=off",
        f"--tls-trust-file={gate.authority.ca_file}", f"--tls-host-override={HOSTNAME}", "--auth=gssapi",
        f"--user=nora@{REALM}", f"--from=nora@{LOCAL_DOMAIN}", "--domain=client.example", "--debug", OUTSIDE,
        given="Subject: a\n\nb\n", environment=realm.kinit("nora").environment,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout
