"""What this version cannot do is refused, each thing on the one list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomlkit

from config.files import HEAD
from gatepost.config.fault import written
from gatepost.config.later import LATER, Later
from gatepost.config.load import ConfigError, load_text

_NAMES = {"smtp": "a", "pop3": "a", "routes": "*", "directory": "ad"}


def _concrete(later: Later) -> list[str | int]:
    """The path with names in place of the stars; the last star of a list is an index."""
    return [
        (0 if place >= 2 else _NAMES[str(later.path[0])]) if key == "*" else key
        for place, key in enumerate(later.path)
    ]


def _document(path: list[str | int], value: Any) -> Any:
    if not path:
        return value
    key, *rest = path
    inner = _document(rest, value)
    return [inner] if isinstance(key, int) else {key: inner}


@pytest.mark.parametrize("later", LATER, ids=lambda later: f"{'.'.join(map(str, later.path))}-{later.value}")
@pytest.mark.parametrize("shape", ["text", "table", "list"])
def test_each_thing_on_the_list_is_refused(later: Later, shape: str) -> None:
    value: Any = {"text": "x", "table": {}, "list": []}[shape]
    if later.value is not None:
        value = later.value + ("x" if later.value.endswith(":") else "")
    path = _concrete(later)
    text = HEAD + tomlkit.dumps(_document(path, value))
    with pytest.raises(ConfigError) as caught:
        load_text(text, Path("/nonexistent/x.toml"))
    mine = [fault for fault in caught.value.faults if fault.key == written(tuple(path))]
    assert len(mine) == 1
    assert "not available in this version" in mine[0].problem


def test_what_is_not_on_the_list_is_taken() -> None:
    text = (
        HEAD
        + '[guard]\nguessable = ["Root"]\n[guard.harvest]\nrefuse_after = 5\n'
        + '[directory.local]\nkind = "local"\n[mailboxes]\nquota_bytes = 1_000_000\nwhen_full = "refuse"\n'
    )
    settings = load_text(text, Path("/nonexistent/x.toml"))
    assert settings.guard.guessable == ("root",)
    assert settings.guard.harvest.refuse_after == 5
