"""Who tried to guess passwords here, with which names, and who is shut out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from gatepost.admin.guardhouse import ban_row
from gatepost.admin.link import NotRunning, Refused, ask_daemon
from gatepost.guard.bans import Ban, NotASource, network
from gatepost.store.attempts import Attempts, Offences, Span, Tally
from gatepost.store.guarddb import BanRow, GuardStore
from gatepost.store.place import Place

Row = dict[str, Any]
_BANNED_AT_ONCE = 2_000
_EXPORT_MOST = 100_000
_BARS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Attacks:
    """What the records say, each list the most frequent first."""

    names: list[Tally]
    peers: list[Tally]
    networks: list[Tally]
    timeline: list[Span]
    offences: list[Offences]

    def row(self) -> Row:
        return {
            "names": [tally_row(one, "name") for one in self.names],
            "sources": [tally_row(one, "source") for one in self.peers],
            "networks": [tally_row(one, "network") for one in self.networks],
            "offences": offence_rows(self.offences),
            "timeline": [asdict(span) | {"begins": _time(span.begins)} for span in self.timeline],
        }


def attacks(place: Place, since: float, until: float, *, limit: int = 20, steps: int = 48) -> Attacks:
    """Works whether a Gatepost runs or not. Raises: sqlite3.Error."""
    if not place.attempts.exists():
        return Attacks([], [], [], [], [])
    records = Attempts(place.attempts)
    return Attacks(
        records.by_name(since, limit),
        records.by_peer(since, limit),
        records.by_network(since, limit),
        records.timeline(since, until, steps),
        records.offences(since, limit),
    )


def tally_row(tally: Tally, what: str) -> Row:
    return {
        what: tally.what,
        "attempts": tally.count,
        "addresses": tally.peers,
        "names": tally.names,
        "refused": tally.refused,
        "first": _time(tally.first),
        "last": _time(tally.last),
    }


def offence_rows(found: Iterable[Offences]) -> list[Row]:
    return [
        {"offence": one.what, "source": one.peer, "count": one.count, "last": _time(one.last)}
        for one in found
    ]


def bar(spans: Iterable[Span]) -> str:
    """The failed attempts over time, one character a span."""
    counts = [span.failed for span in spans]
    most = max(counts, default=0)
    return "".join(_BARS[-(-count * 8 // most) if most else 0] for count in counts)


# what other programs take


def exported_names(place: Place, since: float) -> Iterator[str]:
    """The names tried, one a line, the most tried first. Line ends in them are not ours."""
    for tally in _all(place, since, Attempts.by_name):
        yield "".join(c if c.isprintable() else "?" for c in tally.what)


def exported_addresses(place: Place, since: float) -> Iterator[str]:
    for tally in _all(place, since, Attempts.by_peer):
        yield tally.what


def exported_nftables(sources: Iterable[str]) -> Iterator[str]:
    """A table with two sets for `nft -f`; it drops what comes from them."""
    networks = [ip_network(source) for source in sources]
    yield "table inet gatepost {"
    for version, kind in ((4, "ipv4_addr"), (6, "ipv6_addr")):
        elements = ", ".join(str(one) for one in networks if one.version == version)
        yield f"\tset banned{version} {{"
        yield f"\t\ttype {kind}; flags interval; auto-merge;"
        if elements:
            yield f"\t\telements = {{ {elements} }}"
        yield "\t}"
    yield "\tchain input {"
    yield "\t\ttype filter hook input priority filter - 10;"
    yield "\t\tip saddr @banned4 drop"
    yield "\t\tip6 saddr @banned6 drop"
    yield "\t}"
    yield "}"


def _all(place: Place, since: float, ask: Any) -> list[Tally]:
    if not place.attempts.exists():
        return []
    tallies: list[Tally] = ask(Attempts(place.attempts), since, _EXPORT_MOST)
    return tallies


# bans


def ban(place: Place, source: str, *, seconds: float | None, note: str, by: str) -> Row:
    """The source is shut out at once, or from the next start on. Raises NotASource, Refused."""
    return ban_all(place, [source], seconds=seconds, note=note, by=by)[0]


def ban_all(place: Place, sources: Iterable[str], *, seconds: float | None, note: str, by: str) -> list[Row]:
    """The same for many. Nobody is shut out when one of them is no source."""
    there = list(dict.fromkeys(network(source) for source in sources))
    try:
        rows: list[Row] = []
        for at in range(0, len(there), _BANNED_AT_ONCE):
            texts = [str(one) for one in there[at : at + _BANNED_AT_ONCE]]
            rows += ask_daemon(place.control, "guard-ban", sources=texts, seconds=seconds, note=note, by=by)
    except NotRunning:
        now = time.time()
        bans = [Ban(one, None if seconds is None else now + seconds, note, by, now) for one in there]
        store, new = GuardStore(place.guard), {str(one) for one in there}
        store.keep_bans([*(row for row in store.bans() if row.network not in new), *map(_kept, bans)])
        rows = [ban_row(one) for one in bans]
    return [shown_ban(row) for row in rows]


def pardon(place: Place, source: str, *, by: str) -> None:
    """The source is neither banned nor refused. Raises NotASource, Refused (exit code 3: it was not)."""
    there = str(network(source))
    try:
        ask_daemon(place.control, "guard-pardon", source=there, by=by)
    except NotRunning:
        store = GuardStore(place.guard)
        rows = store.bans()
        if all(row.network != there for row in rows):
            raise Refused(
                "it is not banned; what the guard refuses can be pardoned while it runs", 3
            ) from None
        store.keep_bans([row for row in rows if row.network != there])


def pardon_name(place: Place, name: str, *, by: str) -> None:
    """The name is not under attack any more. Raises NotRunning, Refused."""
    ask_daemon(place.control, "guard-pardon", name=name, by=by)


def bans(place: Place) -> list[Row]:
    """All that are shut out: by the administrator, and by the guard while it runs."""
    try:
        rows: list[Row] = ask_daemon(place.control, "guard-bans")
    except NotRunning:
        rows = [
            {"source": row.network, "until": row.until, "note": row.note, "by": row.by, "at": row.at}
            for row in GuardStore(place.guard).bans()
        ]
    return [shown_ban(row) for row in rows]


def imported(file: Path) -> list[str]:
    """The sources in a list, one a line; `#` begins a remark. Raises NotASource with the line, OSError."""
    found = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if text:
            try:
                found.append(str(network(text)))
            except NotASource as problem:
                raise NotASource(f"{file}:{number}: {problem}") from None
    return found


def shown_ban(row: Row) -> Row:
    """Times as ISO 8601, UTC."""
    return {**row, "until": _maybe(row["until"]), "at": _maybe(row["at"])}


def _kept(one: Ban) -> BanRow:
    return BanRow(str(one.network), one.until, one.note, one.by, one.at)


def _maybe(seconds: float | None) -> str | None:
    return None if seconds is None else _time(seconds)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
