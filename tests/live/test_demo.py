"""The lines that `make run` prints do what it says they do."""

from __future__ import annotations

import contextlib
import poplib
import re
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from live import loopback
from live.gate import SOURCES
from live.program import Program

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-demo")]

ROOT = Path(__file__).parents[2]
PORTS = (2525, 5870, 1100, 9950, 8025)


class Demo:
    """The demo as `make run` serves it, on an address of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.address = folder, loopback.address(*PORTS)
        # What `make run` finds in .venv/bin stands in a folder of ours, so that no installation is needed.
        self.bin = folder.parent / "bin"
        self.bin.mkdir(exist_ok=True)
        script = f'#!/bin/sh\nPYTHONPATH={SOURCES} exec {sys.executable} -m gatepost "$@"\n'
        (self.bin / "gatepost").write_text(script)
        (self.bin / "gatepost").chmod(0o755)

    def serve(self) -> Program:
        """It has said "ready"."""
        script = ROOT / "tools" / "demo.sh"
        program = Program(["sh", script, self.bin, self.folder, self.address], folder=ROOT)
        program.wait_for_line(lambda line: line == "ready\n")
        return program


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return Demo(tmp_path_factory.mktemp("demo") / "demo")


@pytest.fixture(scope="module")
def printed(demo: Demo) -> Iterator[list[str]]:
    """The lines to try, from a demo that is served meanwhile."""
    program = demo.serve()
    yield [line.strip() for line in program.output.splitlines() if re.match(r" {3}\S", line)]
    assert program.stop() == 0


def _type(printed: list[str], *words: str) -> str:
    """What is seen when the one printed line that holds all `words` is typed."""
    (line,) = [line for line in printed if all(word in line for word in words)]
    typed = subprocess.run(
        f"({line}) 2>&1", shell=True, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=240, check=False,
    )  # fmt: skip
    return f"{typed.stdout}\nexit status {typed.returncode}"


def test_anns_mail_lands_in_the_outbox(demo: Demo, printed: list[str], require: Callable[..., None]) -> None:
    require("swaks", "curl")
    assert "250 2.0.0 queued as" in _type(printed, "swaks", "ann@demo.test", "you@elsewhere.example")
    assert "exit status 0" in _type(printed, "curl", "--mail-from ann@demo.test")
    assert ".eml" in _type(printed, f"ls {demo.folder}/outbox")


def test_bob_is_refused_and_told_why(printed: list[str], require: Callable[..., None]) -> None:
    require("swaks")
    said = _type(printed, "swaks", "bob-demo-pass", "you@elsewhere.example")
    assert "550 5.7.1 Unable to relay for you@elsewhere.example [relay-denied " in said


def test_a_stranger_writes_to_bob_who_collects_it_and_to_nobody_else(
    printed: list[str], require: Callable[..., None]
) -> None:
    require("swaks", "curl")
    assert "550 5.7.1 Unable to relay" in _type(printed, "stranger@", "--to you@elsewhere.example")
    assert "250 2.0.0 queued as" in _type(printed, "stranger@", "--to bob@demo.test")
    # Taken in is not yet delivered: each look is a login of its own, and one of the first sees it.
    looks = (_type(printed, "pop3s", ":9950/1") for _ in range(100))
    assert any("From: stranger@elsewhere.example" in said for said in looks)


def test_ann_writes_to_bob_who_collects_it(printed: list[str], require: Callable[..., None]) -> None:
    require("swaks", "curl")
    assert "250 2.0.0 queued as" in _type(printed, "swaks", "ann-demo-pass", "--to bob@demo.test")
    address = re.search(r"pop3s://([\d.]+):", "\n".join(printed))
    assert address is not None
    found = ""
    for _ in range(600):  # each look is a login of its own
        with contextlib.closing(
            poplib.POP3_SSL(address[1], 9950, context=ssl._create_unverified_context())
        ) as bob:
            bob.user("bob@demo.test")
            bob.pass_("bob-demo-pass")
            found = "".join(str(bob.retr(number + 1)) for number in range(bob.stat()[0]))
            bob.quit()
        if "Subject: from ann" in found:
            return
    pytest.fail(found)


def test_explain_says_the_same(printed: list[str]) -> None:
    assert "exit status 0" in _type(printed, "explain", "--user ann@demo.test")
    said = _type(printed, "explain", "--user bob@demo.test")
    assert "relay-denied" in said
    assert "exit status 3" in said


def test_a_second_run_keeps_the_data(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "demo")
    demo.serve().stop()
    kept = tmp_path / "demo" / "state" / "kept"
    kept.write_text("still there")
    again = demo.serve()
    assert "ann@demo.test is there" not in again.output
    assert kept.read_text() == "still there"
    again.stop()
