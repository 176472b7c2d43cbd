"""The self-test runs by itself after the start and after each change, leaves no trace, and is loud."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon.house import EXTRA, House, internet, pop3
from gatepost.admin.patrol import Beat, Patrol
from gatepost.config.load import load
from gatepost.log import Log, LogWriter

LOCKED = 'tls = "require"'


def test_it_passes_after_start_and_reload_and_leaves_no_trace(make_house: Callable[..., House]) -> None:
    house = make_house(workers=2)
    servers = internet(), pop3().replace('tls = "offer"\nauth_in_clear = true', LOCKED)
    house.write(*servers)
    house.start()
    house.running.wait_for_line(lambda line: " selftest-passed " in line)
    assert house.status()["selftest"]["state"] == "passed"
    number = house.reload(*servers, internet(EXTRA, name="extra"))
    house.running.wait_for_line(lambda line: " selftest-passed " in line and f"generation={number}" in line)
    said = house.status()["selftest"]
    assert said["generation"] == number
    assert said["failed"] == []
    assert said["tried"] > 60
    assert house.log_lines("refused") == []
    assert house.log_lines("session-closed") == []
    assert house.ask("guard-status")["refused"] == 0


class Gullible(socketserver.StreamRequestHandler):
    """Says yes to everything."""

    def handle(self) -> None:
        self.wfile.write(b"220 hello\r\n")
        for line in self.rfile:
            self.wfile.write({b"DATA": b"354 go\r\n"}.get(line[:4].upper(), b"250 yes\r\n"))


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """The test hangs up when it knows enough."""


@pytest.fixture
def gullible() -> Iterator[str]:
    with Server(("127.0.0.1", 0), Gullible) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_what_gets_through_is_loud(furnished: Path, tmp_path: Path, gullible: str) -> None:
    house = House.copy(furnished, tmp_path / "house")
    house.write(internet())
    with (tmp_path / "log").open("wb") as file:
        told: list[str] = []
        over = threading.Event()

        def ask(verb: str, **fields: object) -> None:
            told.append(verb)
            if verb == "selftest-over":
                over.set()

        patrol = Patrol(Log(LogWriter(file.fileno())), ask)
        assert patrol.row()["state"] == "not yet run"
        patrol.due(Beat(load(house.file), {"smtp.internet": [gullible]}, 7))
        assert over.wait(60)
        while patrol.row()["state"] == "not yet run":
            pass
        patrol.stop()
    assert patrol.row()["state"] == "failed"
    assert patrol.row()["generation"] == 7
    assert len(patrol.row()["failed"]) > 20
    assert told.count("selftest-from") > 10
    assert "error selftest-failed" in (tmp_path / "log").read_text()
