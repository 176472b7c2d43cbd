"""What an idle TLS session costs in memory, and what a message of 100 MB adds while it passes.

python bench/memory.py [--sessions 1000]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests"), str(HERE.parent / "src")]

from drive import Sink, Work, load_arguments, measure  # noqa: E402
from live.authority import Authority  # noqa: E402
from peers import Gatepost, Peer, Postfix  # noqa: E402

POSTFIX_SESSIONS = 100
"""One process a session: enough to divide by."""
LARGE_BYTES = 100_000_000
_AT_A_TIME = 50
_SETTLE_SECONDS = 2.0  # history and log are written within a second


def idle_kibibytes(peer: Peer, sessions: int) -> float:
    """Memory added by each of `sessions` that are logged in over TLS and silent; they come fifty at a time.

    A fifth as many are there before: what the first ones cause once is no session's cost.
    """
    with ExitStack() as stack:
        for _ in range(0, sessions // 5, _AT_A_TIME):
            stack.enter_context(_silent(peer, _AT_A_TIME))
        time.sleep(_SETTLE_SECONDS)
        before = peer.account.kibibytes()
        for _ in range(0, sessions, _AT_A_TIME):
            stack.enter_context(_silent(peer, _AT_A_TIME))
        time.sleep(_SETTLE_SECONDS)
        return (peer.account.kibibytes() - before) / sessions


@contextmanager
def _silent(peer: Peer, sessions: int) -> Iterator[None]:
    """So many are logged in and say nothing."""
    arguments = [*load_arguments(peer, Work("idle", 1, sessions=sessions)), "--idle"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load:
        assert load.stdin is not None
        assert load.stdout is not None
        if load.stdout.readline() != "idle\n":
            raise RuntimeError("the sessions could not be opened")
        yield
        load.stdin.close()
        load.stdout.read()


def large_mebibytes(peer: Peer, sink: Sink) -> float:
    """The most that one message of 100 MB adds to what is resident, from its first byte to the sink."""
    before = peer.account.resident_kibibytes()
    peer.account.begin_peak()
    figures = measure(peer, sink, Work("large", 1, sessions=1, size_bytes=LARGE_BYTES))
    if figures.lost or figures.refused:
        raise RuntimeError("the large message did not pass")
    return (peer.account.peak_kibibytes() - before) / 1024


def main() -> int:
    """Prints one line a figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--workers", type=int, help="Gatepost's workers; its own default otherwise")
    options = parser.parse_args()
    sink = Sink(numbers=100_000)
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-ca-") as folder:
        authority = Authority(Path(folder))
        gatepost = Gatepost(sink.address, authority, workers=options.workers)
        postfix = Postfix(sink.address, authority, processes=POSTFIX_SESSIONS + 50)
        try:
            for peer, sessions in ((gatepost, options.sessions), (postfix, POSTFIX_SESSIONS)):
                peer.start()
                try:
                    _report(peer, sink, sessions)
                finally:
                    peer.stop()
                    peer.remove()
        finally:
            sink.stop()
    return 0


def _report(peer: Peer, sink: Sink, sessions: int) -> None:
    measure(peer, sink, Work("warm", 100, sessions=10))  # what is loaded once is no session's cost
    print(f"{peer.name}: {peer.account.kibibytes() / 1024:.0f} MiB at rest", flush=True)
    print(
        f"{peer.name}: {idle_kibibytes(peer, sessions):.1f} KiB an idle TLS session ({sessions})", flush=True
    )
    print(f"{peer.name}: {large_mebibytes(peer, sink):.1f} MiB added by a message of 100 MB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
