"""A contained account: relay off, sessions closed, its mail held; a release gives all of it back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gatepost.admin.custody import Custody
from gatepost.admin.link import Refused
from gatepost.config.load import load_text
from gatepost.guard.event import Event, EventKind
from gatepost.log import Log, LogWriter
from gatepost.store.guarddb import GuardStore
from patience import becomes

_FILE = """
hostname = "mail.example.org"
state = "state"
[domains."example.org"]
[guard.habits]
new_recipients_per_day = 10
"""


@dataclass(slots=True)
class Workers:
    """Two workers' queues: message ids and their states by user."""

    queues: list[dict[str, list[str]]] = field(default_factory=lambda: [{}, {}])
    told: list[list[str]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    async def ask_all(self, verb: str, **fields: Any) -> list[Any]:
        if verb == "session-close":
            self.closed.append(fields["user"])
            return [[], []]
        state = {"queue-contain": "held", "queue-release": "active"}[verb]
        done = []
        for queue in self.queues:
            if state == "held":
                mine = [
                    one
                    for one, (owner, now) in queue.items()
                    if (owner, now != state) == (fields["user"], True)
                ]
            else:
                mine = [one for one in fields["ids"] if one in queue]
            for one in mine:
                queue[one][1] = state
            done.append(mine)
        return done

    def tell_all(self, verb: str, **fields: Any) -> None:
        assert verb == "contained"
        self.told.append(fields["users"])

    async def ask_one(self, index: int, verb: str, **fields: Any) -> Any:
        return 0


@dataclass(slots=True)
class Prison:
    custody: Custody
    workers: Workers
    events: list[Event]


def prison(tmp_path: Path, workers: Workers | None = None) -> Prison:
    settings = load_text(_FILE, tmp_path / "gatepost.toml")
    events: list[Event] = []
    workers = workers or Workers()
    with (tmp_path / "log").open("ab") as file:
        log = Log(LogWriter(file.fileno()))
        custody = Custody(settings, GuardStore(tmp_path / "guard"), log, workers, on_event=events.append)
    custody.open()
    return Prison(custody, workers, events)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatepost.admin.custody._AGAIN_SECONDS", 0.0)


def test_who_leaves_his_habits_is_contained_and_his_mail_held(tmp_path: Path) -> None:
    async def facts() -> None:
        here = prison(tmp_path)
        here.workers.queues = [
            {"A1": ["ann", "active"], "A2": ["bob", "active"]},
            {"B1": ["ann", "deferred"], "B2": ["ann", "held"]},
        ]
        sent = [["ann", "192.0.2.1", f"x{n}@d.example"] for n in range(11)]
        here.custody.hear(0, "conduct", {"sent": sent, "refused": {}})
        await becomes(lambda: here.events and here.workers.closed)
        assert here.workers.told[-1] == ["ann"]
        assert here.workers.closed == ["ann"]
        assert [event.kind for event in here.events] == [EventKind.CONTAINED]
        (row,) = await here.custody.answer("contained", {})
        assert "11 new recipients" in row["why"]
        assert row["held"] == ["A1", "B1"]
        await here.custody.answer("release", {"user": "ann"})
        assert here.workers.told[-1] == []
        assert here.workers.queues == [
            {"A1": ["ann", "active"], "A2": ["bob", "active"]},
            {"B1": ["ann", "active"], "B2": ["ann", "held"]},
        ]
        with pytest.raises(Refused) as caught:
            await here.custody.answer("release", {"user": "ann"})
        assert caught.value.exit_code == 3

    asyncio.run(facts())


def test_the_habit_line_is_at_least_what_the_administrator_gave(tmp_path: Path) -> None:
    async def facts() -> None:
        here = prison(tmp_path)
        sent = [["ann", "192.0.2.1", f"x{n}@d.example"] for n in range(40)]
        here.custody.hear(0, "conduct", {"sent": sent, "refused": {}, "allowed": {"ann": [40, 40]}})
        await asyncio.sleep(0)
        assert here.workers.told == []
        here.custody.change(load_text(_FILE, tmp_path / "gatepost.toml"))  # nobody is given anything now
        here.custody.hear(0, "conduct", {"sent": [sent[0]], "refused": {}})
        await asyncio.sleep(0)
        assert here.workers.told[-1] == ["ann"]

    asyncio.run(facts())


def test_containment_lasts_over_a_restart(tmp_path: Path) -> None:
    async def facts() -> None:
        here = prison(tmp_path)
        here.workers.queues[0] = {"A1": ["ann", "active"]}
        await here.custody.answer("contain", {"user": "ann", "why": "stolen", "by": "root"})
        with pytest.raises(Refused):
            await here.custody.answer("contain", {"user": "ann"})
        again = prison(tmp_path, here.workers)
        assert again.custody.hear(0, "contained-all", {}) == ["ann"]
        row = await again.custody.answer("release", {"user": "ann"})
        assert (row["why"], row["by"], row["held"]) == ("stolen", "root", ["A1"])
        assert prison(tmp_path).custody.hear(0, "contained-all", {}) == []

    asyncio.run(facts())


def test_other_verbs_are_not_known(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        prison(tmp_path).custody.hear(0, "nonsense", {})
