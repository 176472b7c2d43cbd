"""What the schema says of its keys is what pages show of them; nothing in the file lacks a field."""

from __future__ import annotations

from gatepost.config.schema import (
    Alarm,
    Certificate,
    Directory,
    Limits,
    LocalDomain,
    Pop3Server,
    Route,
    Settings,
    SmtpServer,
)
from gatepost.config.value import Endpoint
from gatepost.console.described import key_of, keys_of, plain

PAGES = {
    "domains", "certificates", "routes", "directory", "oauth", "alarms",  # tables with names
    "smtp", "pop3",  # property sheets
    "limits", "guard", "console", "metrics", "acme", "kerberos",  # pages of their own
}  # fmt: skip
DIALOGS = {
    "tls", "tls_min", "certificate", "auth", "auth_in_clear", "access", "client_ca_file", "client_crl_file",
}  # fmt: skip
"""Edited under Access."""


def test_everything_has_a_page() -> None:
    plain_ones = {key.partition(".")[0] for key in keys_of(Settings)}
    assert {name for name, field in Settings.model_fields.items() if not field.exclude} <= plain_ones | PAGES


def test_a_virtual_server_has_nothing_that_its_sheet_has_not() -> None:
    limits = {*keys_of(Limits)}
    scan = {key for key in keys_of(SmtpServer) if key.startswith("scan.")}
    assert {*keys_of(SmtpServer)} - limits - scan - DIALOGS == {"listen", "proxies", "block_lists"}
    assert {*keys_of(Pop3Server)} - limits - DIALOGS - {"user_pass"} == {
        "listen", "proxies", "login_delay_seconds", "expire_days",
    }  # fmt: skip


def test_inner_tables_are_reached_and_tables_with_names_are_not() -> None:
    assert [*keys_of(Route)] == ["via", "tls", "ca_file", "login.user", "login.password_file", "login.oauth"]
    assert "guard.habits.exempt" in keys_of(Settings)
    assert not any(key.startswith(("smtp", "limits.users")) for key in keys_of(Settings))
    assert "name" not in keys_of(SmtpServer)


def test_of_what_kind_a_key_is() -> None:
    assert key_of(Directory, "starttls").kind is bool
    assert key_of(Directory, "url").is_list
    assert key_of(Directory, "login").choices == ("search", "direct")
    assert key_of(Directory, "bind_password_file").is_secret
    assert not key_of(Certificate, "key").is_secret
    assert key_of(Route, "login.oauth").refers == "oauth"
    assert key_of(Route, "via").required
    assert key_of(Settings, "retry.give_up_seconds").unit == "seconds"
    assert not key_of(Settings, "console.openid.issuer").required


def test_a_command_keeps_its_commas() -> None:
    assert not key_of(Alarm, "command").splits_at_commas
    assert key_of(Settings, "guard.guessable").splits_at_commas


def test_what_nobody_has_named_is_named_by_its_key() -> None:
    assert key_of(LocalDomain, "call_ahead").label == "Ask the next server for recipients"
    for model in (Settings, SmtpServer, Pop3Server):
        for key in keys_of(model):
            assert key_of(model, key).label, key


def test_values_are_as_they_would_be_written() -> None:
    assert plain((Endpoint("::1", 25),)) == ["[::1]:25"]
    assert plain(key_of(Settings, "log.level").default) == "info"
    assert plain(True) is True
