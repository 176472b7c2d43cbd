"""Numbers add up over workers, never go down, and are written as Prometheus reads them."""

from __future__ import annotations

import asyncio
import re
import socket
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.admin.metrics import House, Totals, exposition
from gatepost.admin.metrics_door import MetricsDoor
from gatepost.log import Log, LogWriter
from gatepost.meter import COMMIT_SECONDS, Meter
from gatepost.policy.reasons import Reason

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ENDS = {"default": datetime(2026, 6, 3, tzinfo=UTC)}
LINE = re.compile(r'(# (HELP|TYPE) \S+ .+|[a-z_]+(\{([a-z_]+="([^"\\\n]|\\.)*",?)+\})? -?[0-9.e+-]+)')


def answer(meter: Meter, **more: Any) -> dict[str, Any]:
    still = {"sessions": {}, "queue": {}, "oldest": None, "life": 1}
    return {**meter.snapshot(), **still, **more}


def page(totals: Totals, *answers: dict[str, Any]) -> str:
    return exposition(House(3, len(answers), 1, 1.5), totals, answers, ENDS, NOW)


def test_events_of_the_log_are_counted_at_any_level(tmp_path: Any) -> None:
    meter = Meter()
    with (tmp_path / "log").open("wb") as file:
        log = Log(LogWriter(file.fileno()), hear=meter.hear).bind(worker=1)
        log.event("accepted", virtual_server="internet")
        log.event("accepted", virtual_server="internet")
        log.event("refused", virtual_server="internet", reason="relay-denied")
        log.event("login-refused", reason=Reason.WRONG_PASSWORD)
        log.warning("login-not-decided")
        log.event("message-relayed", id="x")
        log.event("something-else", virtual_server="internet")
    totals = Totals()
    totals.hear(0, 1, answer(meter))
    lines = page(totals).splitlines()
    assert 'gatepost_messages_accepted_total{virtual_server="internet"} 2' in lines
    assert 'gatepost_refusals_total{virtual_server="internet",reason="relay-denied"} 1' in lines
    assert f'gatepost_logins_total{{outcome="{Reason.WRONG_PASSWORD.value}"}} 1' in lines
    assert 'gatepost_logins_total{outcome="directory-unavailable"} 1' in lines
    assert 'gatepost_attempts_total{outcome="relayed"} 1' in lines
    assert not any("something" in line for line in lines)


def test_the_histogram_holds_every_commit() -> None:
    meter, totals = Meter(), Totals()
    for seconds in (0.0, 0.001, 0.0011, 3.0, 99.0):
        meter.committed(seconds)
    totals.hear(0, 1, answer(meter))
    lines = page(totals).splitlines()
    assert 'gatepost_commit_seconds_bucket{le="0.001"} 2' in lines
    assert 'gatepost_commit_seconds_bucket{le="0.0025"} 3' in lines
    assert 'gatepost_commit_seconds_bucket{le="5.0"} 4' in lines
    assert 'gatepost_commit_seconds_bucket{le="+Inf"} 5' in lines
    assert "gatepost_commit_seconds_count 5" in lines


def test_gauges_are_those_of_the_workers_that_run() -> None:
    one = answer(
        Meter(), sessions={"internet": 2}, queue={"held": 1, "size_bytes": 9}, oldest=NOW.timestamp() - 60
    )
    other = answer(
        Meter(), sessions={"internet": 1, "mail": 4}, queue={"held": 2}, oldest=NOW.timestamp() - 90,
        directories=[["ad", "ldaps://dc1", 0]],
    )  # fmt: skip
    lines = page(Totals(), one, other).splitlines()
    assert 'gatepost_sessions_open{virtual_server="internet"} 3' in lines
    assert 'gatepost_queue_messages{state="held"} 3' in lines
    assert 'gatepost_queue_messages{state="deferred"} 0' in lines
    assert "gatepost_queue_bytes 9" in lines
    assert "gatepost_queue_oldest_seconds 90.0" in lines
    assert 'gatepost_directory_up{directory="ad",server="ldaps://dc1"} 0' in lines
    assert "gatepost_workers 2" in lines
    assert 'gatepost_certificate_remaining_seconds{certificate="default"} 172800' in lines
    assert "gatepost_generation 3" in lines


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.booleans(), st.sampled_from("ab"), st.integers(0, 5)), max_size=40
    )
)
def test_a_total_never_goes_down(steps: list[tuple[int, bool, str, int]]) -> None:
    totals, lives, meters = Totals(), [0, 0, 0], [Meter(), Meter(), Meter()]
    counted, before = 0, 0
    for worker, restarts, server, times in steps:
        if restarts:
            lives[worker], meters[worker] = lives[worker] + 1, Meter()
        for _ in range(times):
            meters[worker].hear("accepted", {"virtual_server": server})
            meters[worker].committed(COMMIT_SECONDS[times])
        counted += times
        totals.hear(worker, lives[worker], answer(meters[worker]))
        whole = totals.all()
        assert sum(whole.counts.values()) == sum(whole.commits) == counted >= before
        before = counted


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_label_breaks_a_line(server: str, reason: str) -> None:
    meter, totals = Meter(), Totals()
    meter.hear("refused", {"virtual_server": server, "reason": reason})
    totals.hear(0, 1, answer(meter, sessions={server: 1}))
    text = page(totals, answer(meter, sessions={server: 1}))
    for line in text.removesuffix("\n").split("\n"):
        assert LINE.fullmatch(line), line


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"200 OK"),
        (b"GET /metrics?x=1 HTTP/1.0\r\n\r\n", b"200 OK"),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"200 OK"),
        (b"GET / HTTP/1.1\r\n\r\n", b"404 "),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405 "),
        (b"EHLO x\r\n\r\n", b"400 "),
        (b"\x16\x03\x01\r\n\r\n", b"400 "),
        (b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 9000, b""),
    ],
)
def test_the_door_answers_one_page(said: bytes, status: bytes) -> None:
    async def page() -> str:
        return "up 1\n"

    async def asked() -> bytes:
        door = MetricsDoor(page)
        with socket.create_server(("127.0.0.1", 0)) as end:
            place = end.getsockname()
            await door.open(end)
            reader, writer = await asyncio.open_connection(*place)
            writer.write(said)
            try:
                return await asyncio.wait_for(reader.read(), 60)
            except ConnectionError:
                return b""
            finally:
                writer.close()
                door.close()

    got = asyncio.run(asked())
    assert got.startswith(b"HTTP/1.1 " + status if status else b"")
    assert got.endswith(b"\r\n\r\nup 1\n") == (status == b"200 OK" and said.startswith(b"GET"))
