"""An edit changes what was meant and nothing else, and is whole on disk or not there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from config.files import written
from gatepost.config.edit import Draft, EditError
from gatepost.config.load import ConfigError

_TEXT = """# our gate
hostname = "mail.example.org"   # the name in the banner
state = "state"

[smtp.a]          # for the office
listen = ["127.0.0.1:25"]
tls = "off"       # old devices
idle_seconds = 60
access = [
  # everybody may knock
  { allow = ["connect"], to = "anyone" },
  { allow = ["submit", "relay"], to = "net:10.0.5.0/24" }, # printers
]

[smtp.b]
listen = ["127.0.0.1:26"]
tls = "off"
access = [ { allow = ["connect"], to = "anyone" } ]

[[pop3.c.access]]
allow = ["connect"]
to = "anyone"

# the end
"""
_ENTRY = {"allow": ["relay"], "to": "group:POP3 Relay"}


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    return Draft(written(tmp_path, _TEXT))


def test_a_draft_without_changes_is_the_file(draft: Draft) -> None:
    assert draft.text == _TEXT


def test_setting_a_value_keeps_everything_around_it(draft: Draft) -> None:
    draft.set(("hostname",), "new.example.org")
    draft.set(("smtp", "a", "tls"), "offer")
    draft.set(("smtp", "a", "idle_seconds"), 90)
    assert draft.text == (
        _TEXT.replace("mail.example.org", "new.example.org")
        .replace('tls = "off"       # old', 'tls = "offer"       # old')
        .replace("= 60", "= 90")
    )


def test_setting_a_new_key_makes_its_tables(draft: Draft) -> None:
    draft.set(("guard", "harvest", "refuse_after"), 7)
    draft.set(("domains", "example.org", "deliver"), "mailbox")
    draft.delete(("pop3",))
    settings = draft.settings()
    assert settings.guard.harvest.refuse_after == 7
    assert settings.domains["example.org"].deliver == "mailbox"
    assert draft.text.startswith(_TEXT[: _TEXT.index("[[pop3")])


def test_deleting_takes_the_key_alone(draft: Draft) -> None:
    draft.delete(("smtp", "a", "idle_seconds"))
    assert draft.text == _TEXT.replace("idle_seconds = 60\n", "")


def test_an_access_entry_is_deleted_by_its_place(draft: Draft) -> None:
    draft.delete(("smtp", "a", "access", 1))
    assert draft.value(("smtp", "a", "access")) == [{"allow": ["connect"], "to": "anyone"}]
    assert "# everybody may knock" in draft.text


def test_an_access_entry_is_replaced_by_its_place(draft: Draft) -> None:
    draft.set(("smtp", "a", "access", 0), {"deny": ["connect"], "to": "net:192.0.2.0/24"})
    assert '{ deny = ["connect"], to = "net:192.0.2.0/24" }' in draft.text
    assert "# everybody may knock" in draft.text


def test_an_access_entry_is_added_on_a_line_of_its_own(draft: Draft) -> None:
    draft.append_access(("smtp", "a"), _ENTRY)
    assert draft.text == _TEXT.replace(
        "# printers\n]", '# printers\n  { allow = ["relay"], to = "group:POP3 Relay" },\n]'
    )
    draft.append_access(("smtp", "b"), _ENTRY)
    assert draft.value(("smtp", "b", "access", 1)) == _ENTRY
    assert draft.value(("smtp", "a", "access", 2)) == _ENTRY


def test_an_access_list_in_tables_grows_too(draft: Draft) -> None:
    draft.append_access(("pop3", "c"), {"allow": ["collect"], "to": "authenticated"})
    assert draft.value(("pop3", "c", "access", 1)) == {"allow": ["collect"], "to": "authenticated"}
    assert draft.value(("pop3", "c", "access", 0)) == {"allow": ["connect"], "to": "anyone"}


def test_a_virtual_server_without_a_list_gets_one(draft: Draft) -> None:
    draft.set(("smtp", "new", "tls"), "off")
    draft.append_access(("smtp", "new"), _ENTRY)
    assert draft.value(("smtp", "new", "access")) == [_ENTRY]


@pytest.mark.parametrize(
    "path",
    [
        ("smtp", "z", "tls"),
        ("smtp", "a", "access", 5),
        ("nothing",),
        ("hostname", "x"),
        ("smtp", "a", "tls", 0),
    ],
)
def test_what_is_not_there_cannot_be_deleted(draft: Draft, path: tuple[str | int, ...]) -> None:
    with pytest.raises(EditError, match="there is no"):
        draft.delete(path)


@pytest.mark.parametrize("path", [("smtp", "a", "access", 5), ("hostname", "x")])
def test_what_has_no_place_cannot_be_set(draft: Draft, path: tuple[str | int, ...]) -> None:
    with pytest.raises(EditError):
        draft.set(path, "x")


def test_a_bad_change_is_told_before_it_is_written(draft: Draft, tmp_path: Path) -> None:
    draft.set(("smtp", "a", "tls"), "sometimes")
    with pytest.raises(ConfigError, match=r"gatepost\.toml:7: smtp\.a\.tls"):
        draft.settings()
    assert (tmp_path / "gatepost.toml").read_text(encoding="utf-8") == _TEXT


def test_saving_keeps_mode_and_leaves_nothing_behind(draft: Draft, tmp_path: Path) -> None:
    file = tmp_path / "gatepost.toml"
    file.chmod(0o640)
    draft.set(("hostname",), "new.example.org")
    draft.save()
    draft.set(("hostname",), "newer.example.org")
    draft.save()
    assert "newer.example.org" in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o7777 == 0o640
    assert os.listdir(tmp_path) == ["gatepost.toml"]


def test_saving_through_a_link_keeps_the_link(tmp_path: Path) -> None:
    real = written(tmp_path, _TEXT)
    link = tmp_path / "link.toml"
    link.symlink_to(real)
    draft = Draft(link)
    draft.set(("hostname",), "new.example.org")
    draft.save()
    assert link.is_symlink()
    assert "new.example.org" in real.read_text(encoding="utf-8")


def test_the_second_of_two_administrators_overwrites_nothing(draft: Draft, tmp_path: Path) -> None:
    other = Draft(tmp_path / "gatepost.toml")
    other.set(("hostname",), "other.example.org")
    other.save()
    draft.set(("hostname",), "mine.example.org")
    with pytest.raises(EditError, match="changed meanwhile"):
        draft.save()
    assert "other.example.org" in (tmp_path / "gatepost.toml").read_text(encoding="utf-8")


_values = (
    st.integers(0, 9) | st.booleans() | st.text("ab\"\\'#[]{}\n é", max_size=6) | st.lists(st.integers(0, 9))
)
_places: list[tuple[str | int, ...]] = [
    ("hostname",),
    ("new",),
    ("smtp", "a", "tls"),
    ("smtp", "b", "new"),
    ("limits", "idle_seconds"),
    ("smtp", "a.b", "x"),
]


@given(st.lists(st.tuples(st.sampled_from(_places), _values), max_size=6))
def test_what_was_set_is_what_stands_there(tmp_path_factory: Any, changes: list[tuple[Any, Any]]) -> None:
    draft = Draft(written(tmp_path_factory.mktemp("edit"), _TEXT))
    for path, value in changes:
        draft.set(path, value)
        assert draft.value(path) == value
    read: Any = tomlkit.parse(draft.text).unwrap()
    for path, value in dict(changes).items():
        found = read
        for key in path:
            found = found[key]
        assert found == value
