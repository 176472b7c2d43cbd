"""A file becomes settings, or every fault of it is told."""

from __future__ import annotations

import pickle
from ipaddress import ip_address
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from config.files import HEAD, make_certificate, secret, smtp, written
from gatepost.config.load import ConfigError, load, load_text
from gatepost.config.schema import DirectoryKind, Endpoint, OnSilence, RouteTls, Settings, TlsMode
from gatepost.policy.access import Right, may
from gatepost.policy.facts import Facts

_EXAMPLE = """
hostname = "Mail.Example.org"
state    = "state"

[domains."Example.org"]
deliver = "mailbox"
unknown = "smtp://old.example.org:25"
catch_all = "ann@example.org"

[certificates.default]
chain = "cert.pem"
key   = "cert.key"

[certificates.other]
pfx = "cert.pfx"
pfx_password_file = "pfx-password"

[smtp.internet]
listen = ["0.0.0.0:25", "[::]:25"]
tls    = "offer"
auth   = []
access = [ { allow = ["connect", "submit"], to = "anyone" } ]
scan = "http://127.0.0.1:11333"
idle_seconds = 60

[smtp.submission]
listen = ["0.0.0.0:587"]
tls    = "require"
auth   = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"]
access = [
  { allow = ["connect"], to = "anyone" },
  { allow = ["submit"],  to = "authenticated" },
  { allow = ["submit", "relay"], to = "group:POP3 Relay" },
  { deny  = ["relay"], to = "user:intern@example.org", from = ["10.0.0.0/8"], tls = true },
]

[smtp.printers]
listen = ["10.0.5.1:25"]
tls    = "offer"
tls_min = "1.0"
access = [ { allow = ["connect", "submit", "relay"], to = "net:10.0.5.0/24" } ]

[pop3.mail-tls]
listen = ["0.0.0.0:995"]
tls    = "implicit"
certificate = "other"
access = [ { allow = ["connect"], to = "anyone" }, { allow = ["collect"], to = "authenticated" } ]

[routes."partner.example"]
via = "smtp://mx.partner.example:25"
tls = "verify"
[routes."*"]
via = "capture:outbox"
login = { user = "relay", password_file = "smart-host" }

[directory.local]

[limits]
idle_seconds = 120
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    make_certificate(tmp_path)
    secret(tmp_path / "pfx-password", b"open sesame\n")
    secret(tmp_path / "smart-host", b"secret\n")
    return load(written(tmp_path, _EXAMPLE))


def test_the_whole_file_is_read(settings: Settings, tmp_path: Path) -> None:
    assert settings.hostname == "mail.example.org"
    assert settings.state == tmp_path / "state"
    assert settings.domains["example.org"].unknown == "smtp://old.example.org:25"
    assert settings.certificates["default"].chain == tmp_path / "cert.pem"
    assert settings.smtp["internet"].listen == (Endpoint("0.0.0.0", 25), Endpoint("::", 25))
    assert settings.smtp["submission"].tls is TlsMode.REQUIRE
    assert settings.smtp["printers"].tls_min == "1.0"
    assert settings.routes["partner.example"].tls is RouteTls.VERIFY
    assert settings.routes["*"].via == f"capture:{tmp_path / 'outbox'}"
    assert settings.directory["local"].kind is DirectoryKind.LOCAL


def test_a_virtual_server_knows_its_name_and_entries_their_lines(settings: Settings) -> None:
    server = settings.smtp["submission"]
    assert server.name == "submission"
    first = _EXAMPLE.splitlines().index('  { allow = ["connect"], to = "anyone" },') + 1
    assert [entry.line for entry in server.access.entries] == [first, first + 1, first + 2, first + 3]


def test_limits_of_a_virtual_server_stand_over_the_common_ones(settings: Settings) -> None:
    assert settings.limits.idle_seconds == 120
    assert settings.smtp["internet"].limits.idle_seconds == 60
    assert settings.smtp["submission"].limits.idle_seconds == 120
    assert settings.pop3["mail-tls"].limits.idle_seconds == 120
    assert settings.pop3["mail-tls"].limits.connections == 1000


def test_a_scan_is_an_address_or_a_table(settings: Settings, tmp_path: Path) -> None:
    scan = settings.smtp["internet"].scan
    assert scan is not None
    assert (scan.url, scan.when_silent) == ("http://127.0.0.1:11333", OnSilence.DEFER)
    text = smtp("", 'tls = "off"\nscan = { url = "http://[::1]:11333/", when_silent = "accept" }')
    other = load_text(text, tmp_path / "x.toml").smtp["a"].scan
    assert other is not None
    assert (other.url, other.when_silent) == ("http://[::1]:11333", OnSilence.ACCEPT)


def test_local_accounts_are_always_there(tmp_path: Path) -> None:
    assert list(load_text(HEAD, tmp_path / "x.toml").directory) == ["local"]


def test_settings_are_not_changed_later(settings: Settings) -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings.hostname = "other.example"  # type: ignore[misc]


def test_settings_survive_being_handed_to_another_process(settings: Settings) -> None:
    copy = pickle.loads(pickle.dumps(settings))
    assert copy == settings
    assert copy.source == settings.source


def test_what_travels_with_the_values_cannot_be_set_by_the_file(tmp_path: Path) -> None:
    for line in ('name = "x"', "limits = { idle_seconds = 1 }", "line = 5"):
        with pytest.raises(ConfigError, match="no such setting"):
            load_text(smtp("", f'tls = "off"\n{line}'), tmp_path / "x.toml")


def _faults(text: str, folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_text(text, folder / "x.toml")
    return [str(fault).removeprefix(f"{folder}/x.toml:") for fault in caught.value.faults]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml:0: cannot be read: No such file"):
        load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="Is a directory"):
        load(tmp_path)


def test_a_file_that_is_not_text_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(HEAD.encode() + b'x = "\xff"\n')
    with pytest.raises(ConfigError, match=r"x\.toml:3: is not UTF-8"):
        load(file)


def test_an_endless_file_is_not_read_to_its_end() -> None:
    with pytest.raises(ConfigError, match="larger than 4 MiB"):
        load(Path("/dev/zero"))


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(b"\xef\xbb\xbf" + HEAD.encode())
    assert load(file).hostname == "mail.example.org"


@pytest.mark.parametrize("depth", [10, 100, 200, 300, 400, 500, 1_000, 100_000])
def test_deep_nesting_is_a_fault_and_no_crash(tmp_path: Path, depth: int) -> None:
    assert _faults("x = " + "[" * depth + "]" * depth, tmp_path)


def test_an_unreadable_secret_is_told(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    (tmp_path / "cert.key").chmod(0o644)
    text = HEAD + '[certificates.default]\nchain = "cert.pem"\nkey = "cert.key"\n'
    assert _faults(text, tmp_path) == [
        f"5: certificates.default.key: {tmp_path}/cert.key is open to other users of this machine; "
        f"chmod 600 {tmp_path}/cert.key"
    ]
    (tmp_path / "cert.key").chmod(0o640)
    load_text(text, tmp_path / "x.toml")


def test_a_key_of_another_certificate_is_told(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    (tmp_path / "cert.pem").rename(tmp_path / "old.pem")
    make_certificate(tmp_path)
    text = HEAD + '[certificates.default]\nchain = "old.pem"\nkey = "cert.key"\n'
    assert "cert.key is not the key of" in _faults(text, tmp_path)[0]


@pytest.mark.parametrize(
    ("password", "said"),
    [
        (b"wrong", "check pfx_password_file"),
        (b"", "is empty"),
        (None, "name its password with pfx_password_file"),
    ],
)
def test_a_pfx_that_stays_shut_is_told(tmp_path: Path, password: bytes | None, said: str) -> None:
    make_certificate(tmp_path)
    text = HEAD + '[certificates.default]\npfx = "cert.pfx"\n'
    if password is not None:
        secret(tmp_path / "password", password)
        text += 'pfx_password_file = "password"\n'
    assert said in _faults(text, tmp_path)[0]


def test_a_certificate_that_is_at_fault_is_not_said_to_be_missing(tmp_path: Path) -> None:
    text = smtp("", 'tls = "require"') + "[certificates.default]\nchain = 5\nkey = 6\n"
    faults = _faults(text, tmp_path)
    assert len(faults) == 2
    assert all("is not a text" in fault for fault in faults)


def test_wrong_limits_are_told_once(tmp_path: Path) -> None:
    assert len(_faults(smtp("") + "[limits]\nidle_seconds = 0\n", tmp_path)) == 1


def test_no_fault_shows_more_than_a_piece_of_a_value(tmp_path: Path) -> None:
    long = "x" * 5_000
    for line in (f'workers = "{long}"', f'[smtp.a]\ntls = "{long}"', f'[routes."{long}"]\nvia = "{long}"'):
        assert all(len(fault.rsplit(":", 1)[-1]) < 450 for fault in _faults(f"{HEAD}{line}\n", tmp_path))
    row = f'{{ allow = ["{long}"], to = "{long}", from = ["{long}"] }}'
    assert all(len(fault) < 500 for fault in _faults(smtp(row), tmp_path))


_WORDS = st.sampled_from(
    [
        *("hostname", "state", "smtp", "pop3", "access", "listen", "a", '"*"', "domains", "routes", "limits"),
        *("tls", "to", "allow", "from", "=", "[", "]", "[[", "]]", "{", "}", ",", ".", '"anyone"', '"relay"'),
        *('"off"', '"0.0.0.0:25"', "5", "true", "guard", "certificates", "chain", "via", "scan", "directory"),
        *("kind", '"ldap"', "\n", "\n"),
    ]
)


def _read(text: str) -> Settings | ConfigError:
    try:
        return load_text(text, Path("/nonexistent/x.toml"))
    except ConfigError as error:
        return error


@given(st.lists(_WORDS, max_size=40).map(" ".join))
def test_any_text_is_read_or_refused_with_faults(text: str) -> None:
    read = _read(text)
    if isinstance(read, ConfigError):
        assert read.faults
        assert all(1 <= fault.line <= text.count("\n") + 1 for fault in read.faults)


_values = st.recursive(
    st.sampled_from([0, -1, True, 1.5, "", "x", "anyone", "relay", "off", "0.0.0.0:25"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "to", "via", "access"]), inner, max_size=2)
    ),
    max_leaves=4,
)
_SERVER_KEYS = [
    *("listen", "tls", "certificate", "tls_min", "auth", "auth_in_clear", "access", "scan", "idle_seconds"),
    "nonsense",
]


@given(st.dictionaries(st.sampled_from(_SERVER_KEYS), _values, max_size=5))
def test_any_virtual_server_is_read_or_refused_with_faults(server: dict[str, object]) -> None:
    text = HEAD + tomlkit.dumps({"smtp": {"a": server}})
    read = _read(text)
    if isinstance(read, ConfigError):
        assert read.faults
        assert all(fault.line > 1 for fault in read.faults)


def test_the_table_that_was_read_answers(settings: Settings) -> None:
    table = settings.smtp["printers"].access
    assert may(Right.RELAY, Facts(ip_address("10.0.5.9")), table).allowed
    assert not may(Right.RELAY, Facts(ip_address("10.0.6.9")), table).allowed
