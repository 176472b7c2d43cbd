"""The file is edited at the command line: comments kept, and never into what is not valid or not safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.terminal import Terminal
from gatepost.admin.file_edits import BadKey, key_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("hostname", ("hostname",)),
        ("smtp.submission.tls", ("smtp", "submission", "tls")),
        ('domains."a.example".unknown', ("domains", "a.example", "unknown")),
        ("smtp.in.access[0].allow[12]", ("smtp", "in", "access", 0, "allow", 12)),
    ],
)
def test_a_key_is_written_as_toml_has_it(text: str, path: tuple[str | int, ...]) -> None:
    assert key_path(text) == path


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "a[", "a[x]", "[0]", 'a."b', "a]b"])
def test_what_is_no_key_is_said_so(text: str) -> None:
    with pytest.raises(BadKey, match="is no key"):
        key_path(text)


def test_a_change_is_told_and_written(terminal: Terminal, house: Path) -> None:
    file = house / "gatepost.toml"
    file.write_text(file.read_text() + "\n# a remark at the end\n")
    server = next(name for name in ("submission", "internet", "smtp") if f"[smtp.{name}]" in file.read_text())
    assert terminal("config", "set", "limits.recipients_per_message", "77").code == 0
    assert terminal("config", "set", "log.level", "warning").code == 0
    text = file.read_text()
    assert "recipients_per_message = 77" in text
    assert 'level = "warning"' in text
    assert "# a remark at the end" in text
    denied = terminal(
        "config", "deny", server, "submit", "--to", "net:192.0.2.0/24", "--from", "192.0.2.0/25"
    )
    assert denied.code == 0, denied
    assert '{ deny = ["submit"], to = "net:192.0.2.0/24", from = ["192.0.2.0/25"] }' in file.read_text()
    assert terminal("config", "unset", "limits.recipients_per_message").code == 0
    assert "recipients_per_message" not in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("set", "nonsense", "1"), 1),
        (("set", "limits.recipients_per_message", "many"), 1),
        (("set", "a..b", "1"), 2),
        (("unset", "limits.nothing"), 3),
        (("allow", "nobody", "submit", "--to", "anyone"), 3),
        (("allow", "SERVER", "submit", "relay", "--to", "anyone"), 3),
        (("allow", "SERVER", "fly", "--to", "anyone"), 1),
    ],
)
def test_what_would_not_do_is_not_written(
    terminal: Terminal, house: Path, arguments: tuple[str, ...], code: int
) -> None:
    file = house / "gatepost.toml"
    before = file.read_text()
    server = next(name for name in ("submission", "internet", "smtp") if f"[smtp.{name}]" in before)
    said = terminal("config", *(server if one == "SERVER" else one for one in arguments))
    assert said.code == code, said
    assert file.read_text() == before


def test_a_virtual_server_is_renamed_with_all_that_is_in_it(terminal: Terminal, house: Path) -> None:
    file = house / "gatepost.toml"
    (server, other) = [
        name for name in ("submission", "internet", "smtp") if f"[smtp.{name}]" in file.read_text()
    ]
    file.write_text(file.read_text().replace(f"[smtp.{server}]", f"[smtp.{server}] # for people"))
    done = terminal("config", "rename-server", server, "clients")
    assert done.code == 0, done
    assert f"smtp.{server} is called smtp.clients from now on" in done.out
    assert "could relay" not in done.out
    assert "[smtp.clients] # for people" in file.read_text()
    assert terminal("config", "rename-server", server, "people").code == 3
    assert terminal("config", "rename-server", "clients", other).code == 3
    assert terminal("config", "rename-server", "clients", "a name").code == 3
    assert "[smtp.clients]" in file.read_text()
