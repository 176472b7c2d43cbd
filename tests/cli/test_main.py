"""What holds for every verb: help, exit codes, one line for every error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from cli.terminal import Terminal
from gatepost import __version__
from gatepost.cli.main import app

SOURCES = Path(__file__).parents[2] / "src"


def commands(command: object, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(command, TyperGroup):
        return [words]
    return [one for word, inner in command.commands.items() for one in commands(inner, (*words, word))]


ALL = commands(typer.main.get_command(app()))


def gatepost(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    environment.pop("GATEPOST_CONFIG", None)
    program = [sys.executable, "-m", "gatepost", *arguments]
    return subprocess.run(
        program, cwd=cwd, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def test_alone_it_prints_help_and_exits_2(terminal: Terminal) -> None:
    said = terminal.bare()
    assert said.code == 2
    assert "explain" in said.out
    assert said.err == ""


@pytest.mark.parametrize("group", ["user", "group", "alias", "cert", "queue"])
def test_a_group_of_verbs_alone_prints_its_help(terminal: Terminal, group: str) -> None:
    said = terminal(group)
    assert said.code == 2
    assert "show" in said.out or "list" in said.out


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_verb_has_help(terminal: Terminal, words: tuple[str, ...]) -> None:
    said = terminal(*words, "--help")
    assert said.code == 0
    assert f"gatepost {' '.join(words)}" in said.out


SHOWING = {"list", "show", "status", "check", "explain", "trace"}


@pytest.mark.parametrize("words", [words for words in ALL if words[-1] in SHOWING], ids=" ".join)
def test_everything_that_lists_or_shows_can_print_json(terminal: Terminal, words: tuple[str, ...]) -> None:
    assert "--json" in terminal(*words, "--help").out


def test_it_says_its_version(terminal: Terminal) -> None:
    assert terminal("--version").out == f"gatepost {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nonsense",), 2),
        (("user", "show"), 2),
        (("user", "list", "--nonsense"), 2),
        (("user", "add", "dora"), 2),
        (("queue", "hold"), 2),
        (("queue", "delete", "ID", "--all"), 2),
        (("queue", "list", "--from", "nowhere"), 2),
        (("queue", "list", "--state", "lost"), 2),
        (("trace", "--since", "yesterday"), 2),
        (("explain",), 2),
        (("explain", "submission"), 2),
        (("explain", "submission", "--session", "X"), 2),
        (
            (
                "explain",
                "submission",
                "--from",
                "home",
                "--mail-from",
                "a@b.example",
                "--rcpt",
                "c@d.example",
            ),
            2,
        ),
        (("user", "show", "nobody"), 3),
        (("group", "show", "Nobody"), 3),
        (("user", "delete", "nobody"), 3),
        (("alias", "delete", "nobody@example.org"), 3),
        (("explain", "--session", "XXXXXX"), 3),
        (("explain", "--who-can-relay", "nowhere"), 3),
        (("trace", "XXXXXX"), 3),
        (("group", "join", "POP3 Relay", "nobody"), 3),
        (("status",), 1),
        (("status", "--json"), 1),
        (("queue", "list"), 1),
        (("group", "add", "Sales"), 1),
        (("alias", "add", "x@elsewhere.example", "ann@example.org"), 1),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else None,
)
def test_an_error_is_one_line_and_a_code(terminal: Terminal, arguments: tuple[str, ...], code: int) -> None:
    said = terminal(*arguments)
    assert said.code == code
    assert said.err.startswith("gatepost: ")
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_missing_file_is_named(tmp_path: Path, terminal: Terminal) -> None:
    terminal.file = tmp_path / "none.toml"
    said = terminal("user", "list")
    assert said.code == 1
    assert str(terminal.file) in said.err


def test_nothing_runs_is_said_with_the_folder(terminal: Terminal, house: Path) -> None:
    assert terminal("status").err.startswith(f"gatepost: no Gatepost runs on {house / 'state'}")


def test_as_a_process_it_finds_the_file_beside_it(house: Path) -> None:
    said = gatepost("user", "list", cwd=house)
    assert said.returncode == 0
    assert "ann@example.org\t" in said.stdout
    assert gatepost("user", "show", "nobody", cwd=house).returncode == 3
    assert gatepost("user", "sow", cwd=house).returncode == 2
