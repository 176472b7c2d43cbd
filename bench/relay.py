"""Gatepost beside a tuned Postfix, in turn, in one run: rate, processor time, latency, losses.

    make bench                        the whole comparison
    python bench/relay.py --only gatepost --rounds 1 --seconds 3

STARTTLS, AUTH PLAIN, 50 sessions, messages of 4 KiB, relayed to a sink on this machine. A message counts
when it has reached the sink; processor time is user and system time of all the server's processes, ended
ones included.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests"), str(HERE.parent / "src")]

from drive import Figures, Sink, Work, measure  # noqa: E402
from live.authority import Authority  # noqa: E402
from peers import Gatepost, Peer, Postfix  # noqa: E402

WORKS = (
    Work("10 messages a connection", 0),
    Work("10 messages a connection, pipelined", 0, pipelined=True),
    Work("1 message a connection", 0, per_connection=1),
)
WARM_UP = 200
MOST_MESSAGES = 60_000


def rounds(servers: list[Peer], sink: Sink, *, count: int, seconds: float) -> dict[str, list[Figures]]:
    """The figures of every work and server, in the order of the rounds; servers take turns within each."""
    found: dict[str, list[Figures]] = {}
    for number in range(count):
        for work in WORKS:
            for peer in servers if number % 2 == 0 else servers[::-1]:
                peer.start()
                try:
                    figures = _one(peer, sink, work, seconds)
                finally:
                    peer.stop()
                found.setdefault(f"{work.name}|{peer.name}", []).append(figures)
                print(f"round {number + 1}  {work.name:36} {peer.name:9} {_line(figures)}", flush=True)
    return found


def _one(peer: Peer, sink: Sink, work: Work, seconds: float) -> Figures:
    """A short load first tells how many messages fill `seconds`."""
    warm = measure(peer, sink, dataclasses.replace(work, messages=WARM_UP))
    probe = measure(
        peer, sink, dataclasses.replace(work, messages=max(WARM_UP, int(warm.drained_per_second)))
    )
    messages = min(MOST_MESSAGES, max(WARM_UP, int(probe.drained_per_second * seconds)))
    return measure(peer, sink, dataclasses.replace(work, messages=messages))


def _line(figures: Figures) -> str:
    return (
        f"{figures.drained_per_second:8.0f}/s {figures.cpu_us_per_message:8.0f} us CPU a message"
        f"  p50 {figures.p50_ms:7.1f} ms  p99 {figures.p99_ms:7.1f} ms"
        f"  lost {figures.lost} twice {figures.duplicates} refused {figures.refused}"
    )


def _median(all_figures: list[Figures]) -> Figures:
    """Field by field; of losses, duplicates and refusals the sum."""
    whole = {"lost", "duplicates", "refused"}
    values = {}
    for field in dataclasses.fields(Figures):
        column = [getattr(figures, field.name) for figures in all_figures]
        values[field.name] = sum(column) if field.name in whole else statistics.median(column)
    return Figures(**values)


def table(found: dict[str, list[Figures]]) -> str:
    """Medians in Markdown, with how many times Gatepost is faster and cheaper."""
    lines = [
        "| load | server | drained/s | CPU us/message | p50 ms | p99 ms | lost | twice |",
        "|---|---|---|---|---|---|---|---|",
    ]
    ratios = []
    for work in WORKS:
        keys = {name: f"{work.name}|{name}" for name in ("gatepost", "postfix")}
        medians = {name: _median(found[key]) for name, key in keys.items() if key in found}
        for name, m in medians.items():
            lines.append(
                f"| {work.name} | {name} | {m.drained_per_second:.0f} | {m.cpu_us_per_message:.0f}"
                f" | {m.p50_ms:.1f} | {m.p99_ms:.1f} | {m.lost} | {m.duplicates} |"
            )
        if len(medians) == 2:
            rate = medians["gatepost"].drained_per_second / medians["postfix"].drained_per_second
            cpu = medians["postfix"].cpu_us_per_message / medians["gatepost"].cpu_us_per_message
            ratios.append(f"{work.name}: {rate:.1f} times the rate, 1/{cpu:.1f} of the CPU a message")
    return "\n".join([*lines, "", *ratios])


def main() -> int:
    """Prints a line a measurement and the table; 1 when a message was lost."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0, help="how long one measurement should take")
    parser.add_argument("--only", choices=["gatepost", "postfix"])
    parser.add_argument("--workers", type=int, help="Gatepost's workers; its own default otherwise")
    parser.add_argument("--json", type=Path, help="every figure, to this file")
    options = parser.parse_args()
    sink = Sink(numbers=20_000_000)
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-ca-") as folder:
        authority = Authority(Path(folder))
        # One folder a server for the whole run, as in service: accounts and queue stay between starts.
        servers: list[Gatepost | Postfix] = []
        if options.only != "postfix":
            servers.append(Gatepost(sink.address, authority, workers=options.workers))
        if options.only != "gatepost":
            servers.append(Postfix(sink.address, authority))
        print(
            f"Python {platform.python_version()} ({sys.executable}), {platform.machine()}, {_cores()} cores"
        )
        try:
            found = rounds(list(servers), sink, count=options.rounds, seconds=options.seconds)
        finally:
            sink.stop()
            for server in servers:
                server.remove()
    print("\n" + table(found))
    if options.json:
        whole = {key: [dataclasses.asdict(figures) for figures in column] for key, column in found.items()}
        options.json.write_text(json.dumps(whole))
    return 1 if any(figures.lost for column in found.values() for figures in column) else 0


def _cores() -> int:
    return len(os.sched_getaffinity(0))


if __name__ == "__main__":
    sys.exit(main())
