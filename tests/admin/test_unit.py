"""The unit names what is there, opens what must be written to, and quotes what needs it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.admin.expiry import stage
from gatepost.admin.unit import unit, writable_folders
from gatepost.config.schema import Settings

BASE = {"hostname": "mail.example.org", "state": "/var/lib/gatepost"}


def settings(**more: object) -> Settings:
    return Settings.model_validate({**BASE, **more})


def text(made: Settings, file: str = "/etc/gatepost/gatepost.toml") -> str:
    return unit(made, file=Path(file), program=Path("/opt/gatepost/bin/gatepost"), user="gatepost")


def test_the_unit_runs_this_file_as_the_user() -> None:
    lines = text(settings()).splitlines()
    assert "ExecStart=/opt/gatepost/bin/gatepost -c /etc/gatepost/gatepost.toml run" in lines
    assert "User=gatepost" in lines
    assert "ReadWritePaths=/var/lib/gatepost" in lines
    assert "ProtectHome=yes" in lines


def test_a_file_in_a_home_stays_readable() -> None:
    assert "ProtectHome=read-only" in text(settings(), str(Path("/") / "home" / "ann" / "gatepost.toml"))


def test_what_is_written_to_is_writable_and_nothing_twice() -> None:
    made = settings(
        routes={"*": {"via": "capture:/srv/out"}, "x.example": {"via": "capture:/var/lib/gatepost/x"}},
        certificates={"default": {"chain": "/etc/gatepost/certs/a.pem", "key": "/etc/gatepost/certs/a.key"}},
        acme={"email": "a@example.org", "names": ["mail.example.org"]},
    )
    assert [str(one) for one in writable_folders(made)] == [
        "/var/lib/gatepost", "/srv/out", "/etc/gatepost/certs",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "word"),
    [("/a b/c", '"/a b/c"'), ("/100%/c", "/100%%/c"), ("/$x/c", "/$$x/c"), ('/a"b', '"/a\\"b"')],
)
def test_odd_paths_stay_one_word(file: str, word: str) -> None:
    assert f" -c {word} run" in text(settings(), file)


@given(st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=800)))
def test_a_stage_is_reached_at_30_14_7_1_and_0_days(left: timedelta) -> None:
    found = stage(left)
    if found is None:
        assert left > timedelta(days=30)
    else:
        assert found in (30, 14, 7, 1, 0)
        assert left <= timedelta(days=found)
        smaller = [days for days in (14, 7, 1, 0) if days < found]
        assert all(left > timedelta(days=days) for days in smaller)
