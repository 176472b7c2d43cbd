"""One event a line, whatever is in the fields."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.log import Form, Level, Log, LogWriter
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret


class Turns:
    """A loop's call_soon, run by hand."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, work: Callable[[], None]) -> None:
        self.waiting.append(work)

    def run(self) -> None:
        waiting, self.waiting = self.waiting, []
        for work in waiting:
            work()


class Page:
    """A log into a file that can be read."""

    def __init__(self, path: Path, turns: Turns | None = None, *, form: Form = Form.PLAIN) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        self.writer = LogWriter(self.descriptor, turns)
        self.log = Log(self.writer, level=Level.DEBUG, form=form, clock=lambda: 1_800_000_000.25)

    @property
    def text(self) -> str:
        return self.path.read_bytes().decode()


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page(tmp_path / "log")


def test_a_line_has_time_level_name_and_fields(page: Page) -> None:
    page.log.event("session-closed", session="7F3K2Q", messages=3, seconds=1.5)
    assert page.text == "2027-01-15T08:00:00.250Z info session-closed session=7F3K2Q messages=3 seconds=1.5\n"


def test_enums_addresses_and_absent_values_are_written_plainly(page: Page) -> None:
    page.log.event("refused", reason=Reason.RELAY_DENIED, peer=ip_address("2001:db8::1"), user=None)
    assert page.text.endswith("refused reason=relay-denied peer=2001:db8::1\n")


def test_a_secret_is_three_stars_in_both_forms(tmp_path: Path) -> None:
    for form in Form:
        page = Page(tmp_path / form.value, form=form)
        page.log.event("login", password=Secret("tangerine"), others=[Secret("tangerine")])
        assert "tangerine" not in page.text
        assert "***" in page.text


def test_a_value_with_spaces_and_quotes_is_quoted(page: Page) -> None:
    page.log.event("helo", name='a "b" \\c')
    assert page.text.endswith('helo name="a \\"b\\" \\\\c"\n')


def test_a_long_value_is_cut(page: Page) -> None:
    page.log.event("helo", name="a" * 1_500)
    assert page.text.endswith("a" * 1_000 + '"+500\n')


def test_a_level_below_the_threshold_is_not_written(tmp_path: Path) -> None:
    page = Page(tmp_path / "log")
    log = Log(page.writer, level=Level.WARNING)
    log.debug("a")
    log.event("b")
    log.warning("c")
    log.error("d")
    assert [line.split()[1:] for line in page.text.splitlines()] == [["warning", "c"], ["error", "d"]]


def test_bound_fields_stand_on_every_line(page: Page) -> None:
    log = page.log.bind(worker=1).bind(session="X")
    log.event("a", more=2)
    page.log.event("b")
    assert "a worker=1 session=X more=2\n" in page.text
    assert page.text.endswith(" b\n")


def test_lines_wait_for_the_next_turn(tmp_path: Path) -> None:
    turns = Turns()
    page = Page(tmp_path / "log", turns)
    page.log.event("a")
    page.log.event("b")
    assert page.text == ""
    assert len(turns.waiting) == 1
    turns.run()
    assert page.text.count("\n") == 2
    page.log.event("c")
    turns.run()
    assert page.text.count("\n") == 3


def test_a_warning_does_not_wait_and_takes_along_what_waited(tmp_path: Path) -> None:
    turns = Turns()
    page = Page(tmp_path / "log", turns)
    page.log.event("a")
    page.log.warning("b")
    assert [line.split()[2] for line in page.text.splitlines()] == ["a", "b"]
    turns.run()
    assert page.text.count("\n") == 2


def test_a_buffer_never_grows_past_its_bound(tmp_path: Path) -> None:
    page = Page(tmp_path / "log", Turns())
    for _ in range(256):
        page.log.event("a")
    assert page.text.count("\n") == 256


def test_a_line_from_another_thread_is_written_at_once(tmp_path: Path) -> None:
    turns = Turns()
    page = Page(tmp_path / "log", turns)
    thread = threading.Thread(target=lambda: page.log.event("a"))
    thread.start()
    thread.join()
    assert page.text.count("\n") == 1
    assert not turns.waiting


def test_a_reader_that_went_away_costs_lines_and_nothing_else() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = LogWriter(writing)
    Log(writer).event("a")
    assert writer.lost == 1
    os.close(writing)


def test_a_pipe_gets_whole_lines_of_at_most_its_atomic_size() -> None:
    reading, writing = os.pipe()
    turns = Turns()
    log = Log(LogWriter(writing, turns))
    for number in range(200):
        log.event("a", number=number, filler="x" * 50)
    turns.run()
    received = os.read(reading, 65_536).decode()
    assert [line.split()[3] for line in received.splitlines()] == [f"number={n}" for n in range(200)]
    os.close(reading)
    os.close(writing)


def test_json_keeps_numbers_and_names_odd_values(tmp_path: Path) -> None:
    page = Page(tmp_path / "log", form=Form.JSON)
    page.log.event("a", n=1, reason=Reason.ALLOWED, peer=ip_address("192.0.2.1"), none=None)
    assert json.loads(page.text) == {
        "time": "2027-01-15T08:00:00.250Z",
        "level": "info",
        "event": "a",
        "n": 1,
        "reason": "allowed",
        "peer": "192.0.2.1",
        "none": None,
    }


def test_json_takes_a_value_that_json_cannot_hold(tmp_path: Path) -> None:
    page = Page(tmp_path / "log", form=Form.JSON)
    page.log.event("a", odd={(1, 2): "x"}, not_a_number=float("nan"))
    assert page.text.count("\n") == 1
    itself: list[object] = []
    itself.append(itself)
    page.log.event("b", itself=itself)
    assert json.loads(page.text.splitlines()[1])["itself"] == "[[...]]"


@given(st.dictionaries(st.sampled_from(["helo", "peer", "name"]), st.text(), min_size=1))
def test_nothing_in_a_field_leaves_its_line(
    tmp_path_factory: pytest.TempPathFactory, fields: dict[str, str]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    for form in Form:
        page = Page(folder / form.value, form=form)
        page.log.event("a", **fields)
        assert page.text.endswith("\n")
        assert page.text[:-1].isprintable()
        if form is Form.JSON:
            assert {key: json.loads(page.text)[key] for key in fields} == fields
        os.close(page.descriptor)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_field_cannot_pretend_to_be_another(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    page = Page(tmp_path_factory.mktemp("log") / "log")
    page.log.event("a", helo=value)
    rest = page.text.split(" a helo=", 1)[1][:-1]
    assert rest.startswith('"') or (" " not in rest and rest == value)
    os.close(page.descriptor)


def test_a_field_of_a_line_stands_in_place_of_a_bound_one(page: Page) -> None:
    log = page.log.bind(worker=0, peer="192.0.2.1")
    log.event("moved", peer="192.0.2.2")
    log.bind(worker=1).event("other")
    assert page.text.splitlines() == [
        "2027-01-15T08:00:00.250Z info moved worker=0 peer=192.0.2.2",
        "2027-01-15T08:00:00.250Z info other worker=1 peer=192.0.2.1",
    ]


def test_a_change_reaches_what_was_bound_before(page: Page) -> None:
    log = page.log.bind(worker=0)
    page.log.change(Level.WARNING, Form.JSON)
    log.event("unheard")
    log.warning("heard")
    assert json.loads(page.text) == {
        "time": "2027-01-15T08:00:00.250Z", "level": "warning", "event": "heard", "worker": 0,
    }  # fmt: skip


def test_a_log_apart_has_its_own_level_and_is_not_counted(tmp_path: Path) -> None:
    heard: list[str] = []
    descriptor = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    log = Log(LogWriter(descriptor), hear=lambda name, fields: heard.append(name)).bind(worker=1)
    apart = log.apart(Level.ERROR)
    apart.event("unseen")
    apart.error("broken")
    log.event("seen")
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.partition(" ")[2] for line in lines] == ["error broken worker=1", "info seen worker=1"]
    assert heard == ["seen"]
    os.close(descriptor)
