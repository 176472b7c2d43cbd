"""Exports become files that are valid and closed; nothing is written open; what is wrong is named by line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admin.exchange.exports import (
    ALL_EXCEPT,
    CLIENT,
    DOMAIN,
    EVERYWHERE,
    FRONT,
    HEAD,
    NOBODY,
    ONLY_THE_LIST,
    PERMISSION,
    PUBLIC,
    RELAY,
    SEND,
    SERVICE,
    as_json,
    connector,
    domain,
    key,
    metabase,
    smtp_server,
)
from gatepost.admin.certificate import self_signed, write_pair
from gatepost.admin.exchange.importing import Imported, imported
from gatepost.admin.exchange.plan import Fate, ImportFault
from gatepost.config.check import check
from gatepost.config.load import load_text
from gatepost.config.schema import Settings
from gatepost.policy.principal import Kind

HOUSE: dict[str, Path] = {}


@pytest.fixture(scope="session", autouse=True)
def _certificate(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A folder where certs/mail.pem is, as the files name it."""
    HOUSE["folder"] = tmp_path_factory.mktemp("house")
    (HOUSE["folder"] / "certs").mkdir()
    write_pair(
        self_signed(["mail.corp.example"]),
        HOUSE["folder"] / "certs/mail.pem",
        HOUSE["folder"] / "certs/mail.key",
    )


def brought(folder: Path, *contents: bytes | str) -> Imported:
    files = []
    for number, content in enumerate(contents):
        files.append(folder / f"export{number}")
        files[-1].write_bytes(content if isinstance(content, bytes) else content.encode())
    return imported(files)


def taken(found: Imported) -> Settings:
    """The settings, which `check` takes: valid, and closed."""
    read = load_text(found.text, HOUSE["folder"] / "gatepost.toml")
    assert check(read).is_safe
    return read


def rows(some: Settings, name: str) -> list[str]:
    server = some.smtp[name]
    return [
        f"{entry.effect.value} {','.join(sorted(right.value for right in entry.rights))} {entry.to}"
        for entry in server.access.entries
    ]


def test_a_metabase_becomes_a_closed_file(tmp_path: Path) -> None:
    found = brought(tmp_path, metabase())
    read = taken(found)
    assert read.hostname == "mail.corp.example"
    assert list(read.domains) == ["corp.example"]
    (server,) = read.smtp.values()
    assert server.name == "default-smtp-virtual-server"
    assert [str(one) for one in server.listen] == ["0.0.0.0:25"]
    assert (server.message_size_bytes, server.recipients_per_message, server.idle_seconds) == (
        2_097_152,
        100,
        600,
    )
    assert server.auth == ("PLAIN", "LOGIN")
    assert rows(read, server.name) == [
        "allow connect anyone",
        "allow submit anonymous",
        "allow relay,submit net:10.0.5.7/32",
        "allow relay,submit net:10.0.6.0/24",
        "allow relay,submit net:127.0.0.1/32",
        "allow submit authenticated",
    ]
    assert read.retry.intervals_seconds == (900, 1_800, 3_600, 14_400)
    assert "dropped: DropDirectory: local mail lies in mailboxes" in found.text
    assert [note.text.partition(":")[0] for note in found.plan.undecided()] == ["people log in"]


@pytest.mark.parametrize(
    ("list_", "why"),
    [(ALL_EXCEPT, "all except 10.0.9.0/24: this was an OPEN RELAY"),
     ("", "Relay: all: this was an OPEN RELAY"),
     (PUBLIC, "203.0.113.9/32 is in the Internet")],
)  # fmt: skip
def test_an_open_relay_is_never_written_open(tmp_path: Path, list_: str, why: str) -> None:
    found = brought(tmp_path, metabase(SERVICE, smtp_server(RelayIpList=list_)))
    read = taken(found)
    assert not any(
        "net:203" in row or "relay,submit anyone" in row for row in rows(read, "default-smtp-virtual-server")
    )
    assert any(why in note.text for note in found.plan.undecided())
    assert '# { allow = ["submit", "relay"], to = ' in found.text


def test_nobody_in_the_list_and_no_list_at_all(tmp_path: Path) -> None:
    for server in (
        smtp_server(RelayIpList=NOBODY),
        smtp_server().replace(f'RelayIpList="{ONLY_THE_LIST}"', ""),
    ):
        read = taken(brought(tmp_path, metabase(SERVICE, server)))
        assert not any("relay" in row for row in rows(read, "default-smtp-virtual-server"))


def test_relay_for_all_who_log_in(tmp_path: Path) -> None:
    for value in ("1", "-1", "4294967295"):
        found = brought(tmp_path, metabase(SERVICE, smtp_server(RelayForAuth=value)))
        assert "allow relay,submit authenticated" in rows(taken(found), "default-smtp-virtual-server")
        assert "Better: a group" in found.text


def test_tls_and_addresses(tmp_path: Path) -> None:
    server = smtp_server(
        ServerBindings="10.0.5.1:25:\n\t\t\t10.0.5.2:587:",
        SecureBindings=":465:",
        AccessSSLFlags="AccessSSL | AccessSSL128",
    )
    read = taken(brought(tmp_path, metabase(SERVICE, server)))
    plain, secure = read.smtp.values()
    assert [str(one) for one in plain.listen] == ["10.0.5.1:25", "10.0.5.2:587"]
    assert (plain.tls.value, secure.tls.value) == ("require", "implicit")
    assert [str(one) for one in secure.listen] == ["0.0.0.0:465"]


def test_anonymous_alone_needs_no_tls(tmp_path: Path) -> None:
    found = brought(tmp_path, metabase(smtp_server(AuthFlags="1", FullyQualifiedDomainName="m.example")))
    (server,) = taken(found).smtp.values()
    assert (server.auth, server.tls.value) == ((), "off")
    assert not found.needs_certificate


def test_who_may_connect(tmp_path: Path) -> None:
    only = smtp_server(IPSecurity=ONLY_THE_LIST)
    read = taken(brought(tmp_path, metabase(SERVICE, only)))
    assert "allow connect net:10.0.6.0/24" in rows(read, "default-smtp-virtual-server")
    assert "allow connect anyone" not in rows(read, "default-smtp-virtual-server")
    denied = taken(brought(tmp_path, metabase(SERVICE, smtp_server(IPSecurity=ALL_EXCEPT))))
    assert "deny connect net:10.0.9.0/24" in rows(denied, "default-smtp-virtual-server")


def test_domains_and_ways_out(tmp_path: Path) -> None:
    found = brought(
        tmp_path,
        metabase(
            SERVICE, smtp_server(SmartHost="[192.0.2.25]", SmartHostType="1", AlwaysUseSsl="TRUE"),
            domain("corp.example", 96), domain("drop.example", 1), domain("alias.example", 16),
            domain("partner.example", 6, RouteActionString="mx.partner.example", RouteUserName="me"),
            domain("*.far.example", 4098, RouteActionString="[10.9.9.9]"),
        ),
    )  # fmt: skip
    read = taken(found)
    assert list(read.domains) == ["corp.example", "drop.example", "alias.example"]
    assert {pattern: (route.via, route.tls.value) for pattern, route in read.routes.items()} == {
        "partner.example": ("smtp://mx.partner.example:25", "require"),
        "*.far.example": ("smtp://10.9.9.9:25", "may"),
        "*": ("smtp://192.0.2.25:25", "require"),
    }
    texts = [note.text for note in found.plan.undecided()]
    assert any("the login 'me'" in text for text in texts)
    assert any("incoming mail was relayed to *.far.example" in text for text in texts)


def test_pop3_virtual_servers(tmp_path: Path) -> None:
    pop3 = key(
        "IIsPop3Server", "/LM/Pop3Svc/1", ServerBindings=":110:", SecureBindings=":995:", AuthFlags="2",
        ConnectionTimeout="60", ServerComment="Default POP3",
    )  # fmt: skip
    read = taken(brought(tmp_path, metabase(SERVICE, smtp_server(), pop3)))
    assert list(read.pop3) == ["default-pop3", "default-pop3-tls"]
    assert read.pop3["default-pop3"].idle_seconds == 600


def test_receive_connectors_at_one_address_become_one(tmp_path: Path) -> None:
    found = brought(
        tmp_path, as_json(FRONT, CLIENT, RELAY), as_json(PERMISSION), as_json(SEND), as_json(DOMAIN)
    )
    read = taken(found)
    assert list(read.smtp) == ["client-frontend-ex01", "default-frontend-ex01"]
    assert rows(read, "default-frontend-ex01")[:3] == [
        "allow connect anyone", "allow submit anonymous", "allow relay,submit net:10.0.5.7/32",
    ]  # fmt: skip
    assert rows(read, "client-frontend-ex01") == ["allow connect anyone", "allow relay,submit authenticated"]
    server = read.smtp["default-frontend-ex01"]
    assert (server.message_size_bytes, server.connections, server.idle_seconds) == (37_748_736, 5_000, 300)
    assert read.routes["*"].via == "smtp://192.0.2.25:25"
    assert read.hostname == "ex01.corp.example"
    assert [note.text.partition(":")[0] for note in found.plan.undecided()] == ["people log in"]


def test_without_the_permissions_nobody_relays_by_address(tmp_path: Path) -> None:
    found = brought(tmp_path, as_json(FRONT, RELAY), as_json(DOMAIN))
    assert not any("relay" in row for row in rows(taken(found), "default-frontend-ex01"))
    assert any("Get-ADPermission" in note.text for note in found.plan.undecided())


@pytest.mark.parametrize(
    "change",
    [
        {"Deny": True},
        {"ExtendedRights": ["ms-Exch-SMTP-Submit"]},
        {"User": "CORP\\bob"},
        {"Identity": "EX01\\Other"},
    ],
)
def test_a_permission_that_does_not_give_it(tmp_path: Path, change: dict[str, Any]) -> None:
    found = brought(tmp_path, as_json(FRONT, RELAY), as_json({**PERMISSION, **change}))
    assert not any("relay" in row for row in rows(taken(found), "default-frontend-ex01"))


def test_a_receive_connector_open_to_the_world_is_closed(tmp_path: Path) -> None:
    everywhere = connector("Relay", AuthMechanism="Tls", RemoteIPRanges=EVERYWHERE)
    found = brought(tmp_path, as_json(everywhere), as_json(PERMISSION))
    assert rows(taken(found), "relay") == ["allow connect anyone", "allow submit anonymous"]
    assert any("OPEN RELAY" in note.text for note in found.plan.undecided())
    secured = connector(
        "Secured", AuthMechanism="Tls, ExternalAuthoritative", PermissionGroups="ExchangeServers",
        RemoteIPRanges=["10.1.0.0-10.1.255.255"],
    )  # fmt: skip
    assert "allow relay,submit net:10.1.0.0/16" in rows(taken(brought(tmp_path, as_json(secured))), "secured")


def test_disabled_and_inner_connectors_are_left_out(tmp_path: Path) -> None:
    inner = connector("Default EX01", TransportRole="HubTransport", Bindings=["0.0.0.0:2525"])
    off = connector("Old", Enabled=False, Bindings=["0.0.0.0:26"])
    found = brought(tmp_path, as_json(FRONT, inner, off))
    assert list(taken(found).smtp) == ["default-frontend-ex01"]
    assert {note.text.partition(":")[0] for note in found.plan.top.notes if note.fate is Fate.DROPPED} == {
        "Default EX01", "Old",
    }  # fmt: skip


def test_every_send_connector_and_domain(tmp_path: Path) -> None:
    partner = {
        **SEND, "Name": "Partner", "AddressSpaces": ["smtp:partner.example;5", "SMTP:*.partner.example;5"],
        "SmartHosts": ["mx.partner.example"], "TlsAuthLevel": "DomainValidation",
        "SmartHostAuthMechanism": "BasicAuth",
    }  # fmt: skip
    dear = {**SEND, "Name": "Dear", "AddressSpaces": [{"Domain": "*", "Cost": 50, "Type": "smtp"}]}
    direct = {**SEND, "Name": "X400", "AddressSpaces": ["X400:c=US;a= ;p=Org;1"], "SmartHosts": []}
    inside = {"DomainName": "partner.example", "DomainType": "InternalRelay", "Name": "p"}
    many = {"DomainName": "*.corp.example", "DomainType": "Authoritative", "Name": "m"}
    found = brought(
        tmp_path, as_json(FRONT), as_json(dear, SEND, partner, direct), as_json(DOMAIN, inside, many)
    )
    read = taken(found)
    assert read.routes["*"].via == "smtp://192.0.2.25:25"
    assert read.routes["*.partner.example"].tls.value == "verify"
    assert read.domains["partner.example"].deliver == "smtp://mx.partner.example:25"
    texts = [note.text for note in found.plan.notes()]
    assert any("Dear: another send connector" in text for text in texts)
    assert any("X400: the address space" in text for text in texts)
    assert any("SmartHostAuthMechanism BasicAuth" in text for text in texts)
    assert any("'*.corp.example' stands for many" in text for text in texts)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_whatever_powershell_wrote(tmp_path: Path, encoding: str) -> None:
    comment = connector("Büro", Comment="für Drucker")
    assert list(taken(brought(tmp_path, as_json(comment).encode(encoding))).smtp) == ["b-ro"]


def test_live_objects_and_wrapped_arrays(tmp_path: Path) -> None:
    live = connector(
        "Live", AuthMechanism=5, PermissionGroups=3, TransportRole=16_384, RequireTLS=True,
        Bindings=[{"Address": {"IPAddressToString": "0.0.0.0"}, "Port": 587}],
        RemoteIPRanges=[{"LowerBound": "10.0.0.0", "UpperBound": "10.0.255.255"}],
        MaxMessageSize={"IsUnlimited": False, "Value": "20 MB (20,971,520 bytes)"},
    )  # fmt: skip
    import json

    read = taken(brought(tmp_path, json.dumps({"value": [live], "Count": 1})))
    assert (read.smtp["live"].tls.value, read.smtp["live"].message_size_bytes) == ("require", 20_971_520)
    assert "allow connect net:10.0.0.0/16" in rows(read, "live")


BOMB = '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY b "cccc"><!ENTITY d "&b;&b;">]>\n<a>&d;</a>'


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (metabase()[:400], 13, "not XML: no element found|not XML: unclosed token|not XML"),
        (HEAD.encode() + b"<IIsSmtpServer Location='/LM", 4, "not XML"),
        (BOMB.encode(), 2, "a document type, which exports do not have"),
        (b"<html><body>hello</body></html>", 1, "no IIS metabase"),
        (b"<a>" * 100, 1, "nested too deeply"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', 1, "not XML"),
        (b"   \n", 1, "empty"),
        (b"\x80\x81", 1, "not UTF-8"),
        (b'[\n{"Bindings": [}', 2, "not JSON"),
        (b"[" * 100_000, 1, "not"),
        (b'[1, 2]', 1, "is no object"),
        (b'[\n\n{"Name": "x"}]', 3, "of an unknown kind"),
        (as_json(connector("A", Bindings=["mail:25"])).encode(), 1, "Bindings: 'mail:25' is no address"),
        (as_json(FRONT, connector("A", RemoteIPRanges=["x"])).encode(), 35, "RemoteIPRanges: 'x' is no"),
        (metabase(smtp_server(RelayIpList="18000080")), 7, "RelayIpList: 4 bytes are too few"),
        (metabase(smtp_server(ServerBindings="mail:25:")), 4, "ServerBindings: 'mail' is no IP address"),
        (metabase(smtp_server(ServerBindings="25")), 4, "ServerBindings: '25' is no address:port:host"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_by_file_and_line(
    tmp_path: Path, content: bytes, line: int, says: str
) -> None:
    with pytest.raises(ImportFault, match=says) as fault:
        brought(tmp_path, content)
    place = str(fault.value).partition(" ")[0]
    assert place.startswith(f"{tmp_path}/export0:")
    assert abs(int(place.split(":")[1]) - line) <= 1


EVIL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@settings(max_examples=60, deadline=None)
@given(EVIL, EVIL, EVIL)
def test_no_text_of_an_export_gets_out_of_its_quotes(name: str, comment: str, host: str) -> None:
    """A name with quotes, line breaks or TOML in it stays a comment or a string."""
    import tempfile

    evil = f'{name}"\n[smtp.x]\naccess = [{{ allow = ["relay"], to = "anyone" }}]\n# {comment}'
    with tempfile.TemporaryDirectory() as folder:
        found = brought(
            Path(folder),
            as_json(
                connector(evil, Comment=evil, Server=host, Banner=evil),
                {**SEND, "Name": evil, "SmartHosts": [evil]},
            ),
        )
        read = taken(found)
    assert len(read.smtp) == 1
    assert not any(
        entry.to.kind is Kind.ANYONE and len(entry.rights) > 1
        for one in read.smtp.values()
        for entry in one.access.entries
    )


def test_each_setting_is_traced_to_its_own_line(tmp_path: Path) -> None:
    export = metabase()
    lines = export.decode().splitlines()
    text = brought(tmp_path, export).text
    for name in ("MaxRecipients", "ConnectionTimeout"):
        line = next(number for number, one in enumerate(lines, 1) if one.strip().startswith(f"{name}="))
        assert f"carried: {name} (export0:{line})" in text
    auth = next(
        number
        for number, one in enumerate(lines, 1)
        if one.strip() == 'Value="AuthBasic | AuthAnonymous | AuthNTLM"'
    )
    assert f"see [kerberos]\n#   (export0:{auth})" in text or f"see [kerberos] (export0:{auth})" in text
    for encoding in (
        "utf-16",
        "utf-8-sig",
    ):  # the declaration says nothing of it, as in a copy that was saved anew
        assert taken(brought(tmp_path, export.decode().encode(encoding))).hostname == "mail.corp.example"
