"""What somebody is changing is kept under his name, over a restart, and not for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.rig import Rig
from gatepost.admin import administrators as admin
from gatepost.console.drafts import KEPT_SECONDS, Drafts
from gatepost.store.consoledb import ConsoleStore


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def console(folder: Path, clock: Clock) -> Drafts:
    """As a console that has just started."""
    (folder / "gatepost.toml").touch()
    return Drafts(folder / "gatepost.toml", ConsoleStore(folder / "console.sqlite3"), clock)


def test_a_draft_outlives_the_console(tmp_path: Path, clock: Clock) -> None:
    before = console(tmp_path, clock)
    before.of("ann").put("hostname = 'a.example'\n")
    after = console(tmp_path, clock)
    kept = after.begun("ann")
    assert kept is not None
    assert (kept.base, kept.text) == ("", "hostname = 'a.example'\n")
    assert after.begun("bob") is None
    assert after.of("ann") is after.of("ann")


def test_two_windows_of_one_person_share_it(tmp_path: Path, clock: Clock) -> None:
    drafts = console(tmp_path, clock)
    one, other = drafts.of("ann"), drafts.of("ann")
    one.put("a = 1\n")
    assert other.text == "a = 1\n"


def test_what_is_taken_back_or_forgotten_is_gone(tmp_path: Path, clock: Clock) -> None:
    drafts = console(tmp_path, clock)
    work = drafts.of("ann")
    work.put("a = 1\n")
    work.put("")
    assert console(tmp_path, clock).begun("ann") is None
    work.put("a = 1\n")
    drafts.forget("ann")
    assert console(tmp_path, clock).begun("ann") is None
    assert drafts.of("ann").text == ""


def test_a_week_later_it_is_gone(tmp_path: Path, clock: Clock) -> None:
    drafts = console(tmp_path, clock)
    drafts.of("ann").put("a = 1\n")
    clock.now += KEPT_SECONDS + 1
    assert drafts.begun("ann") is None
    drafts.of("bob").put("b = 1\n")
    assert drafts.store.draft("ann", changed_since=0) is None


def test_a_hundred_people_and_no_more(tmp_path: Path, clock: Clock) -> None:
    drafts = console(tmp_path, clock)
    for number in range(102):
        clock.now += 1
        drafts.of(f"p{number}").put("a = 1\n")
    found = [number for number in range(102) if drafts.begun(f"p{number}") is not None]
    assert found == list(range(2, 102))


def test_it_goes_with_the_administrator(rig: Rig) -> None:
    rig.add("ann")
    rig.add("bob")
    drafts = Drafts(rig.office.house.file, rig.office.store)
    drafts.of("bob").put("x = 1\n")
    admin.remove(rig.settings, rig.accounts, "bob", by="ann")
    assert drafts.begun("bob") is None
