"""What a flood from banned addresses leaves of the relay rate.

    python bench/flood.py [--sources 1000] [--rate 20000] [--seconds 5] [--rounds 2]

In turn, in one run: the relay alone; while the flood knocks at a port where nobody listens, which costs what
flooder and kernel cost; while it knocks at Gatepost from addresses that are banned. The last in parts of the
first is what the flood leaves, in parts of the second what is left of that by turning it away. Exit status 1
when the latter is less than four fifths.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests"), str(HERE.parent / "src")]

from drive import Sink, Work, measure  # noqa: E402
from live import loopback  # noqa: E402
from live.authority import Authority  # noqa: E402
from live.gate import command, done  # noqa: E402
from peers import PORT, Gatepost  # noqa: E402

FLOOD = HERE / "build" / "flood"
FIRST = IPv4Address("127.200.0.1")
GOAL = 0.8
WARM_UP_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Flood:
    sources: int
    rate: int

    def at(self, host: str, port: int, seconds: float) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [FLOOD, "--to", f"{host}:{port}", "--from", str(FIRST), "--sources", str(self.sources),
             "--rate", str(self.rate), "--seconds", str(seconds)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ban_list(self) -> str:
        return "".join(f"{FIRST + number}\n" for number in range(self.sources))


def relayed(gatepost: Gatepost, sink: Sink, messages: int, flood: subprocess.Popen[str] | None) -> float:
    """Messages a second through Gatepost; the flood, where there is one, lasts longer."""
    if flood is not None:
        try:
            flood.wait(WARM_UP_SECONDS)  # until it is recognised; its end would be too soon
            raise RuntimeError("the flood ended before the load began")
        except subprocess.TimeoutExpired:
            pass
    figures = measure(gatepost, sink, Work("relay", messages, pipelined=True))
    assert not figures.lost
    if flood is not None:
        said, _ = flood.communicate()
        print(f"    the flood: {said.strip()}", flush=True)
    return figures.drained_per_second


def rounds(
    gatepost: Gatepost, sink: Sink, flood: Flood, *, count: int, seconds: float
) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"alone": [], "flood elsewhere": [], "flood here": []}
    measure(gatepost, sink, Work("warm", 500, pipelined=True))
    messages = max(500, int(measure(gatepost, sink, Work("probe", 2_000)).drained_per_second * seconds))
    lasts = WARM_UP_SECONDS + 3 * seconds + 2
    elsewhere = loopback.address(PORT)
    for _ in range(count):
        for what, host in (("alone", ""), ("flood elsewhere", elsewhere), ("flood here", gatepost.host)):
            knocking = flood.at(host, PORT, lasts) if host else None
            rate = relayed(gatepost, sink, messages, knocking)
            found[what].append(rate)
            print(f"{what:16} {rate:8,.0f} messages/s", flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sources", type=int, default=1_000)
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long one measurement should take")
    options = parser.parse_args()
    flood = Flood(options.sources, options.rate)
    sink = Sink(numbers=5_000_000)
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-ca-") as folder:
        gatepost = Gatepost(sink.address, Authority(Path(folder)))
        gatepost.start()
        try:
            banned = Path(folder) / "banned"
            banned.write_text(flood.ban_list())
            done(command(gatepost.folder, "ban", "--import", str(banned)))
            found = rounds(gatepost, sink, flood, count=options.rounds, seconds=options.seconds)
        finally:
            gatepost.stop()
            gatepost.remove()
            sink.stop()
    medians = {what: statistics.median(rates) for what, rates in found.items()}
    of_alone = medians["flood here"] / medians["alone"]
    of_elsewhere = medians["flood here"] / medians["flood elsewhere"]
    print(
        json.dumps({"rates": found, "of_alone": round(of_alone, 2), "of_elsewhere": round(of_elsewhere, 2)})
    )
    return 0 if of_elsewhere >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
