"""App passwords and devices on the command line."""

from __future__ import annotations

import re

import pytest

from cli.terminal import Terminal

ANN = "ann@example.org"


def test_a_secret_is_shown_once_and_listed_without_it(terminal: Terminal) -> None:
    said = terminal("user", "app-password", "ann", "--label", "Ricoh, 2nd floor", "--from", "10.0.5.0/24")
    assert said.code == 0
    secret = re.search(r"^    ([2-9a-z]{4}(?:-[2-9a-z]{4}){3})$", said.out, re.MULTILINE)
    assert secret
    listed = terminal("user", "app-password", "--list", "--json")
    [row] = listed.json
    assert (row["account"], row["label"], row["state"]) == (ANN, "Ricoh, 2nd floor", "good")
    assert (row["networks"], row["last_used"], row["watch"]) == (["10.0.5.0/24"], None, "unused")
    shown = terminal("user", "show", "ann")
    assert "Ricoh, 2nd floor: unused, never used" in shown.out
    devices = terminal("devices")
    assert f"{ANN}/Ricoh, 2nd floor\tapp-password\tnever" in devices.out
    for text in (listed.out, shown.out, devices.out, terminal("devices", "--json").out):
        assert secret[1] not in text


def test_a_length_for_short_fields(terminal: Terminal) -> None:
    said = terminal("user", "app-password", "ann", "--label", "x", "--length", "12", "--json")
    assert len(said.json["secret"].replace("-", "")) == 12
    assert terminal("user", "app-password", "ann", "--label", "y", "--length", "11").code == 1


def test_it_is_changed_and_revoked_by_its_label(terminal: Terminal) -> None:
    terminal("user", "app-password", "ann", "--label", "NAS", "--expires", "9", "--messages-per-minute", "3")
    said = terminal(
        "user", "app-password", "ann", "--change", "nas", "--from", "10.0.9.1", "--expires", "never",
        "--messages-per-minute", "0", "--collect", "--json",
    )  # fmt: skip
    row = said.json
    assert (row["networks"], row["expires"], row["limits"], row["collects"]) == (
        ["10.0.9.1/32"],
        None,
        {},
        True,
    )
    again = terminal("user", "app-password", "ann", "--change", "nas", "--from", "anywhere", "--json").json
    assert (again["networks"], again["collects"]) == ([], True)
    assert terminal("user", "app-password", "ann", "--revoke", "NAS").code == 0
    assert terminal("user", "app-password", "ann", "--revoke", "NAS").code == 3
    assert terminal("user", "app-password", "ann", "--list").out.startswith("There is no app password")
    [over] = terminal("user", "app-password", "ann", "--list", "--revoked", "--json").json
    assert over["state"] == "revoked"


def test_what_is_doubtful_is_told_and_done(terminal: Terminal) -> None:
    said = terminal("user", "app-password", "ann", "--label", "a", "--sender", "x@else.example")
    assert said.code == 0
    assert "any-sender" in said.err
    assert (
        "better give the device an account of its own"
        in terminal("user", "app-password", "root", "--label", "a").err
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nobody", "--label", "x"), 3),
        (("ann", "--label", "x", "--from", "10.0.0.1/8"), 1),
        (("ann", "--label", "x", "--sender", "nobody"), 1),
        (("ann", "--label", "x", "--expires", "2020-01-01"), 1),
        (("ann", "--label", "x", "--expires", "soon"), 1),
        (("ann", "--label", ""), 1),
        (("ann",), 2),
        ((), 2),
        (("ann", "--label", "x", "--list"), 2),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    terminal: Terminal, arguments: tuple[str, ...], code: int
) -> None:
    said = terminal("user", "app-password", *arguments)
    assert (said.code, said.err.count("\n"), said.out) == (code, 1, "")


def test_a_disabled_account_has_no_new_device(terminal: Terminal) -> None:
    terminal("user", "disable", "ann")
    said = terminal("user", "app-password", "ann", "--label", "x")
    assert (said.code, "disabled" in said.err) == (1, True)


def test_devices_that_never_were_cannot_be_forgotten(terminal: Terminal) -> None:
    assert terminal("devices").out == "No device was seen yet.\n"
    assert terminal("devices", "--silent").code == 0
    assert terminal("devices", "--forget", "10.0.5.17").code == 3
    assert terminal("devices", "--forget", "10.0.5.17", "--silent").code == 2


def test_an_account_for_devices_alone(terminal: Terminal) -> None:
    assert terminal("user", "add", "door", "--no-password").code == 0
    assert terminal("user", "app-password", "door", "--label", "Front").code == 0
    assert terminal("user", "add", "gate", "--no-password", "--password-stdin", given="x\n").code == 2
