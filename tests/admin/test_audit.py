"""Each weak point that settings alone show is found at its line, and harmless settings show none."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from gatepost.admin.audit_access import access_weaknesses, is_public
from gatepost.admin.audit_certificates import certificate_weaknesses
from gatepost.admin.audit_files import file_weaknesses
from gatepost.admin.audit_house import house_weaknesses
from gatepost.admin.audit_meanings import MEANINGS, Weak
from gatepost.admin.audit_weakness import Grade, Weakness, worst_first
from gatepost.admin.certificate import self_signed, write_pair
from gatepost.config.load import load_text
from gatepost.config.schema import Settings

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MANUAL = Path(__file__).parents[2] / "docs" / "audit.md"
ALARM = '[alarms.mail]\nmail_to = "a@example.org"\nvia = "smtp://192.0.2.1:25"\n'


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certs")
    write_pair(self_signed(["mail.example.org"], now=NOW), folder / "mail.pem", folder / "mail.key")
    (folder / "secret").write_text("open sesame\n")
    (folder / "secret").chmod(0o600)
    return folder


def settings(
    certs: Path, more: str, *, server: str = "", access: str = "", listen: str = "0.0.0.0:587"
) -> Settings:
    """One virtual server `a` for members of a group, over TLS, unless said otherwise; it begins in line 6."""
    rows = access or '{ allow = ["connect"], to = "anyone" }, { allow = ["submit", "relay"], to = "group:G" }'
    text = (
        'hostname = "mail.example.org"\nstate = "state"\n[certificates.default]\nchain = "mail.pem"\n'
        f'key = "mail.key"\n[smtp.a]\nlisten = ["{listen}"]\n'
        + (server or 'tls = "require"\nauth = ["PLAIN"]\n')
        + f"access = [ {rows} ]\n{ALARM}{more}"
    )
    return load_text(text, certs / "gatepost.toml")


def found(some: Settings) -> dict[Weak, Weakness]:
    return {one.weak: one for one in (*access_weaknesses(some), *house_weaknesses(some))}


def test_a_closed_file_shows_little(certs: Path) -> None:
    assert set(found(settings(certs, ""))) == {Weak.PUBLIC_LOGIN}
    assert set(found(settings(certs, "", listen="127.0.0.1:587"))) == set()


@pytest.mark.parametrize(
    ("weak", "grade", "access"),
    [
        (Weak.OPEN_RELAY, Grade.CRITICAL, '{ allow = ["connect", "submit", "relay"], to = "anyone" }'),
        (Weak.EVERYBODY_RELAYS, Grade.MEDIUM,
         '{ allow = ["connect"], to = "anyone" }, { allow = ["submit", "relay"], to = "authenticated" }'),
        (Weak.WIDE_NETWORK_RELAYS, Grade.HIGH,
         '{ allow = ["connect", "submit", "relay"], to = "net:10.0.0.0/8" }'),
        (Weak.WIDE_NETWORK_RELAYS, Grade.MEDIUM,
         '{ allow = ["connect", "submit", "relay"], to = "net:10.0.0.0/20" }'),
        (Weak.HOSTNAME_RELAYS, Grade.LOW,
         '{ allow = ["connect", "submit", "relay"], to = "host:a.example" }'),
        (Weak.ANY_SENDER, Grade.LOW, '{ allow = ["connect"], to = "anyone" }, '
         '{ allow = ["submit", "any-sender"], to = "group:G" }'),
    ],
)  # fmt: skip
def test_entries_that_let_too_many_relay(certs: Path, weak: Weak, grade: Grade, access: str) -> None:
    one = found(settings(certs, "", access=access))[weak]
    assert (one.grade, one.where) == (grade, ("gatepost.toml:10",))


def test_a_small_network_is_no_weak_point(certs: Path) -> None:
    access = '{ allow = ["connect", "submit", "relay"], to = "net:10.0.5.0/24" }'
    assert Weak.WIDE_NETWORK_RELAYS not in found(settings(certs, "", access=access))


def test_the_gateway_of_containers_stands_for_everybody(certs: Path) -> None:
    access = '{ allow = ["connect", "submit", "relay"], to = "net:172.17.0.1" }'
    assert found(settings(certs, "", access=access))[Weak.GATEWAY_RELAYS].where == ("gatepost.toml:10",)
    wide = settings(certs, "", access='{ allow = ["connect", "submit", "relay"], to = "net:10.88.0.0/16" }')
    assert Weak.GATEWAY_RELAYS not in found(wide)
    inside = {one.weak for one in access_weaknesses(wide, IPv4Address("10.88.0.1"))}
    assert Weak.GATEWAY_RELAYS in inside


def test_passwords_in_clear_and_old_tls(certs: Path) -> None:
    server = 'tls = "offer"\ntls_min = "1.0"\nauth = ["LOGIN"]\nauth_in_clear = true\n'
    access = '{ allow = ["connect"], to = "net:10.0.5.0/24" }'
    shown = found(settings(certs, "", server=server, access=access))
    assert shown[Weak.AUTH_IN_CLEAR].where == ("gatepost.toml:11",)
    assert shown[Weak.OLD_TLS].grade is Grade.HIGH
    assert Weak.PUBLIC_LOGIN not in shown


def test_logins_from_the_internet_are_worse_where_tls_is_an_offer(certs: Path) -> None:
    offered = settings(certs, "", server='tls = "offer"\nauth = ["PLAIN"]\n')
    assert found(offered)[Weak.PUBLIC_LOGIN].grade is Grade.MEDIUM
    tickets = settings(certs, "", server='tls = "offer"\nauth = []\n')
    assert Weak.PUBLIC_LOGIN not in found(tickets)
    inside = settings(certs, "", access='{ allow = ["connect"], to = "net:10.0.0.0/8" }')
    assert not is_public(inside.smtp["a"])


@pytest.mark.parametrize(
    ("more", "weak", "grade"),
    [
        ("[guard.habits]\nenabled = false\n", Weak.GUARD_OFF, Grade.HIGH),
        ("[guard]\nguessable = []\n", Weak.GUARD_OFF, Grade.HIGH),
        ('[guard]\ntrusted = ["0.0.0.0/0"]\n', Weak.GUARD_OFF, Grade.HIGH),
        ('[guard]\ntrusted = ["10.0.0.0/8"]\n', Weak.GUARD_OFF, Grade.MEDIUM),
        ('[guard.habits]\nexempt = ["news@example.org"]\n', Weak.GUARD_EXEMPT, Grade.LOW),
        ("[limits]\nrecipients_per_day_per_user = 1_000_000\n", Weak.LIMIT_HIGH, Grade.MEDIUM),
        ('[metrics]\nlisten = "0.0.0.0:9000"\n', Weak.METRICS_OPEN, Grade.LOW),
        ('[routes."*"]\nvia = "capture:out"\n', Weak.CAPTURED, Grade.MEDIUM),
        ('[routes."*"]\nvia = "smtp://s.example:25"\nlogin = { user = "u", password_file = "secret" }\n',
         Weak.ROUTE_LOGIN_IN_CLEAR, Grade.HIGH),
        ('[routes."*"]\nvia = "smtps://s.example:465"\nlogin = { user = "u", password_file = "secret" }\n',
         Weak.ROUTE_LOGIN_UNVERIFIED, Grade.MEDIUM),
        ('[directory.ad]\nkind = "ldap"\nurl = "ldap://127.0.0.1"\nstarttls = false\n',
         Weak.DIRECTORY_IN_CLEAR, Grade.LOW),
    ],
)  # fmt: skip
def test_settings_that_open(certs: Path, more: str, weak: Weak, grade: Grade) -> None:
    one = found(settings(certs, more, listen="127.0.0.1:587"))[weak]
    assert one.grade is grade
    assert one.where[0].startswith("gatepost.toml:")


def test_what_is_verified_or_small_is_no_weak_point(certs: Path) -> None:
    verified = (
        '[routes."*"]\nvia = "smtp://s.example:25"\ntls = "verify"\n'
        'login = { user = "u", password_file = "secret" }\n[guard]\ntrusted = ["10.0.5.0/24"]\n'
        '[metrics]\nlisten = "127.0.0.1:9000"\n'
    )
    assert set(found(settings(certs, verified, listen="127.0.0.1:587"))) == set()


def weak_certificates(some: Settings, now: datetime) -> dict[Weak, Grade]:
    return {one.weak: one.grade for one in certificate_weaknesses(some, now)}


def test_certificates_that_end(certs: Path) -> None:
    some = settings(certs, "")
    ends = NOW + timedelta(days=825)
    assert weak_certificates(some, NOW) == {Weak.CERTIFICATE_SELF_SIGNED: Grade.LOW}
    assert weak_certificates(some, ends - timedelta(days=20))[Weak.CERTIFICATE_ENDS] is Grade.MEDIUM
    assert weak_certificates(some, ends - timedelta(days=2))[Weak.CERTIFICATE_ENDS] is Grade.HIGH
    assert weak_certificates(some, ends + timedelta(days=2))[Weak.CERTIFICATE_ENDED] is Grade.HIGH


def test_certificates_for_others_and_unused_ones(certs: Path, tmp_path: Path) -> None:
    write_pair(self_signed(["else.example"], now=NOW), tmp_path / "mail.pem", tmp_path / "mail.key")
    assert weak_certificates(settings(tmp_path, ""), NOW) == {Weak.CERTIFICATE_NAME: Grade.MEDIUM}
    assert weak_certificates(settings(tmp_path, "", server='tls = "off"\nauth = []\n'), NOW) == {}


def test_a_short_rsa_key_is_weak(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    from gatepost.admin.audit_certificates import _weak_key
    from gatepost.config.certificates import leaf_of

    write_pair(self_signed(["mail.example.org"], now=NOW), tmp_path / "mail.pem", tmp_path / "mail.key")
    leaf = leaf_of(settings(tmp_path, "").certificates["default"])
    assert leaf is not None
    assert _weak_key(leaf) is None
    short = rsa.generate_private_key(65537, 1024)

    class Short:
        def public_key(self) -> rsa.RSAPublicKey:
            return short.public_key()

    assert _weak_key(Short()) == "an RSA key of 1024 bits"  # type: ignore[arg-type]


@pytest.mark.skipif(
    os.geteuid() != 0 and not os.access("/", os.R_OK), reason="needs a file system with modes"
)
def test_files_that_others_read_or_write(certs: Path, tmp_path: Path) -> None:
    for name in ("mail.pem", "mail.key"):
        (tmp_path / name).write_bytes((certs / name).read_bytes())
        (tmp_path / name).chmod(0o600)
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "gatepost.toml").write_text("")
    tmp_path.chmod(0o755)
    (tmp_path / "gatepost.toml").chmod(0o644)
    some = settings(tmp_path, "")
    assert list(file_weaknesses(some)) == []
    (tmp_path / "mail.key").chmod(0o644)
    (tmp_path / "state").chmod(0o755)
    (tmp_path / "gatepost.toml").chmod(0o666)
    shown = {one.where[0]: one.grade for one in file_weaknesses(some)}
    assert shown == {
        str(tmp_path / "state"): Grade.HIGH,
        str(tmp_path / "mail.key"): Grade.HIGH,
        str(tmp_path / "gatepost.toml"): Grade.CRITICAL,
    }


def test_the_worst_stand_first_and_each_once() -> None:
    low, high = Weakness(Weak.NO_ALARMS, Grade.LOW, "b"), Weakness(Weak.GUARD_OFF, Grade.HIGH, "a")
    assert worst_first([low, high, low]) == (high, low)


@pytest.mark.parametrize("weak", list(Weak))
def test_every_kind_has_a_meaning_and_stands_in_the_manual(weak: Weak) -> None:
    assert MEANINGS[weak].why.endswith((".", "!"))
    assert f"`{weak.value}`" in MANUAL.read_text("utf-8")
