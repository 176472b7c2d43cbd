"""What status says is wrong."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from gatepost.admin import status
from gatepost.config.schema import Settings
from server.gate import written

SAID = {
    "hostname": "mail.example.org", "file": "gatepost.toml", "started_at": 0.0, "generation": 1,
    "restarts": 0,
    "trouble": {}, "selftest": {"state": "not yet run"}, "workers": [], "listeners": {}, "states": {},
}  # fmt: skip


def settings(folder: Path) -> Settings:
    found = written(folder, "")
    found.state.mkdir(exist_ok=True)
    return found


def test_a_disk_with_room_is_no_trouble(tmp_path: Path) -> None:
    assert status.status_row(settings(tmp_path), SAID)["trouble"] == {}


def test_a_disk_on_which_no_mail_is_taken_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(tmp_path)
    monkeypatch.setattr(status.shutil, "disk_usage", lambda _folder: SimpleNamespace(free=12_000_000))
    told = status.status_row(found, SAID)["trouble"]
    assert told == {"disk": f"12 MB are free at {found.state}: no mail is taken below 67 MB; make room"}
