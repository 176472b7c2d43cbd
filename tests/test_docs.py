"""Every setting, reason and command stands in the manual, and the manual's links lead somewhere."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from pydantic import BaseModel
from typer.core import TyperGroup

from gatepost.cli.main import app
from gatepost.config.schema import Settings
from gatepost.policy.reasons import Reason

ROOT = Path(__file__).parents[1]
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
MANUAL = "\n".join(PAGES.values())


def settings(model: type[BaseModel], seen: frozenset[type] = frozenset()) -> Iterator[str]:
    """Every key that may stand in the file, wherever it may stand."""
    for name, field in model.model_fields.items():
        if field.exclude:
            continue  # carried along by the program; no key of the file
        yield field.alias or name
        for part in _models(field.annotation):
            if part not in seen:
                yield from settings(part, seen | {part})


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _models(part)


def commands(command: object, name: str = "gatepost") -> Iterator[str]:
    """Every command that can be typed, as it is typed."""
    if not isinstance(command, TyperGroup):
        yield name
        return
    for word, inner in command.commands.items():
        yield from commands(inner, f"{name} {word}")


def mentions(text: str, word: str) -> bool:
    """`word` stands in `text` as a whole word, set as code or in an example."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


@pytest.mark.parametrize("key", sorted({key for key in settings(Settings) if key.isidentifier()}))
def test_every_setting_is_described(key: str) -> None:
    assert mentions(PAGES["configuration.md"], key)


@pytest.mark.parametrize("reason", [reason.value for reason in Reason])
def test_every_reason_is_described(reason: str) -> None:
    assert mentions(PAGES["reasons.md"], reason)


@pytest.mark.parametrize("command", sorted(commands(typer.main.get_command(app()))))
def test_every_command_is_described(command: str) -> None:
    assert mentions(PAGES["cli.md"], command)


def test_there_is_much_to_describe() -> None:
    assert len(set(settings(Settings))) > 40
    assert len(list(commands(typer.main.get_command(app())))) > 15


def test_a_missing_word_is_noticed() -> None:
    assert not mentions("the idle_seconds and idle of it", "idle_second")
    assert not mentions("user-add", "user")
    assert mentions("say `gatepost user add NAME`", "gatepost user add")


@pytest.mark.parametrize(
    "page", [*(f"docs/{name}" for name in PAGES), "README.md", "CONTRIBUTING.md", "bench/README.md"]
)
def test_every_link_leads_to_a_file(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{page} points at {target}"
