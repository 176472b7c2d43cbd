"""Gatepost's POP3 beside a tuned Dovecot, in turn, in one run: empty polls and the reading of mailboxes.

    python bench/pop3.py
    python bench/pop3.py --only gatepost --rounds 1 --seconds 2

POP3 over TLS from the first byte, a full handshake for each session, USER and PASS. A poll is a login, STAT
and QUIT on an empty mailbox, 50 sessions at a time; reading is RETR of all of 1,000 messages of 10 kB, one
after another or 10 under way, 10 sessions at a time. Both servers have copies of the same Maildirs. Processor
time is user and system time of all the server's processes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import poplib
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests"), str(HERE.parent / "src")]

from collecting import MESSAGES, PASSWORD, POLLED, READ, Dovecot, Gatepost, Server  # noqa: E402
from live.authority import Authority  # noqa: E402

LOAD = HERE / "build" / "pop3load"


@dataclass(frozen=True, slots=True)
class Work:
    """How the load is given. `unit` is what rates and processor time are told by."""

    name: str
    user: str
    users: int
    retr: int = 0
    window: int = 1
    unit: str = "session"


WORKS = (
    Work("empty polls", "poll%ld", POLLED),
    Work("RETR, one by one", "full%ld", READ, retr=MESSAGES, unit="MB"),
    Work("RETR, 10 under way", "full%ld", READ, retr=MESSAGES, window=10, unit="MB"),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of one load on one server; units are sessions or MB (1,000,000 octets of mail)."""

    units_per_second: float
    cpu_us_per_unit: float
    p50_ms: float
    p99_ms: float
    broken: int


def measure(server: Server, work: Work, total: int) -> Figures:
    """`total` sessions were held, as many at a time as there are users."""
    cpu = server.account.seconds()
    loaded = subprocess.run(
        [
            LOAD, "--to", f"{server.host}:{server.port}", "--tls", "implicit",
            "--user", work.user + "@load.example", "--users", str(work.users), "--password", PASSWORD,
            "--sessions", str(work.users), "--total", str(total),
            "--retr", str(work.retr), "--window", str(work.window),
        ],
        stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if loaded.returncode:
        raise RuntimeError(f"pop3load: exit status {loaded.returncode}")
    cpu = server.account.seconds() - cpu
    told = json.loads(loaded.stdout)
    units = told["octets"] / 1e6 if work.retr else told["done"]
    return Figures(
        units_per_second=units / told["seconds"],
        cpu_us_per_unit=cpu / max(units, 1) * 1e6,
        p50_ms=told["session_ms"]["p50"],
        p99_ms=told["session_ms"]["p99"],
        broken=told["broken"],
    )


def _one(server: Server, work: Work, seconds: float) -> Figures:
    """Each user logs in once before; then a short load tells how many sessions fill `seconds`."""
    _log_everybody_in(server, work)
    probe = measure(server, work, work.users * (1 if work.retr else 10))
    per_session = MESSAGES * 0.01024 if work.retr else 1
    total = int(probe.units_per_second / per_session * seconds)
    return measure(server, work, max(work.users, total))


def _log_everybody_in(server: Server, work: Work) -> None:
    """One after another: 50 new faces from one address at once are what a guard is there for."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    for number in range(work.users):
        client = poplib.POP3_SSL(server.host, server.port, context=trusting)
        client.user(work.user.replace("%ld", str(number)) + "@load.example")
        client.pass_(PASSWORD)
        client.quit()


def rounds(servers: list[Server], *, count: int, seconds: float) -> dict[str, list[Figures]]:
    """The figures of every work and server; the servers take turns within each round."""
    found: dict[str, list[Figures]] = {}
    for number in range(count):
        for work in WORKS:
            for server in servers if number % 2 == 0 else servers[::-1]:
                server.start()
                try:
                    figures = _one(server, work, seconds)
                finally:
                    server.stop()
                found.setdefault(f"{work.name}|{server.name}", []).append(figures)
                print(
                    f"round {number + 1}  {work.name:20} {server.name:9} {_line(figures, work)}", flush=True
                )
    return found


def _line(figures: Figures, work: Work) -> str:
    return (
        f"{figures.units_per_second:8.0f} {work.unit}/s {figures.cpu_us_per_unit:8.0f} us CPU a {work.unit}"
        f"  p50 {figures.p50_ms:7.1f} ms  p99 {figures.p99_ms:7.1f} ms  broken {figures.broken}"
    )


def table(found: dict[str, list[Figures]]) -> str:
    """Medians in Markdown, with how many times Gatepost is faster and cheaper."""
    lines = [
        "| load | server | a second | CPU us each | session p50 ms | p99 ms |",
        "|---|---|---|---|---|---|",
    ]
    ratios = []
    for work in WORKS:
        rate, cpu = {}, {}
        for name in ("gatepost", "dovecot"):
            column = found.get(f"{work.name}|{name}", [])
            if not column:
                continue
            rate[name] = statistics.median(f.units_per_second for f in column)
            cpu[name] = statistics.median(f.cpu_us_per_unit for f in column)
            p50, p99 = (
                statistics.median(getattr(f, field) for f in column) for field in ("p50_ms", "p99_ms")
            )
            lines.append(
                f"| {work.name} | {name} | {rate[name]:.0f} {work.unit} | {cpu[name]:.0f}"
                f" | {p50:.1f} | {p99:.1f} |"
            )
        if len(rate) == 2:
            ratios.append(
                f"{work.name}: {rate['gatepost'] / rate['dovecot']:.2f} times the rate,"
                f" {cpu['gatepost'] / cpu['dovecot']:.2f} times the CPU"
            )
    return "\n".join([*lines, "", *ratios])


def main() -> int:
    """Prints a line a measurement and the table; 1 when a session broke."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long one measurement should take")
    parser.add_argument("--only", choices=["gatepost", "dovecot"])
    parser.add_argument("--workers", type=int, help="Gatepost's workers; its own default otherwise")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gatepost-bench-pop3-"))
    folder.chmod(0o755)
    try:
        authority = Authority(folder / "authority")
        servers: list[Server] = []
        if options.only != "dovecot":
            servers.append(Gatepost(folder / "gatepost", authority, workers=options.workers))
        if options.only != "gatepost":
            servers.append(Dovecot(folder / "dovecot", authority))
        cores = len(os.sched_getaffinity(0))
        print(f"Python {platform.python_version()} ({sys.executable}), {platform.machine()}, {cores} cores")
        found = rounds(servers, count=options.rounds, seconds=options.seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\n" + table(found))
    return 1 if any(figures.broken for column in found.values() for figures in column) else 0


if __name__ == "__main__":
    sys.exit(main())
