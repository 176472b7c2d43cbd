"""Explanations in words, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from gatepost.admin.explain_text import answers, case_lines, verdict_lines
from gatepost.cli.output import local_time, print_lines, size

Row = dict[str, Any]
_NOTHING: Final[Row] = {"user": None, "stages": []}


def show_case(row: Row) -> None:
    """Every stage with its verdict; then the whole."""
    print_lines(_case(row))


def _case(row: Row) -> Iterator[str]:
    yield from case_lines(row)
    yield ""
    yield from verdict_lines(row)


def show_relayers(name: str, rows: list[Row]) -> None:
    """Who may, by what; then who is meant by an entry and may not."""
    print_lines(_relayers(name, rows))


def _relayers(name: str, rows: list[Row]) -> Iterator[str]:
    may = [row for row in rows if row["may_relay"]]
    yield f"{len(may)} may relay through {name}:" if may else f"Nobody may relay through {name}."
    for row in may:
        yield f"  {_who(row)}{_where(row)}"
        yield from (f"      line {entry['line']}: {entry['text']}" for entry in row["entries"])
        yield from (f"      member of {' in '.join(way)}" for way in row["through"])
    kept_out = [row for row in rows if not row["may_relay"]]
    if kept_out:
        yield ""
        yield "Meant by an entry, and may not all the same:"
    for row in kept_out:
        yield f"  {_who(row)}: {row['reason']}"
        yield from (f"      line {entry['line']}: {entry['text']}" for entry in row["entries"])
        yield from (f"      member of {' in '.join(way)}" for way in row["through"])
        yield f"      to change it: {row['remedy']}"


def _who(row: Row) -> str:
    return str(row["name"] if row["kind"] in ("user", "not-logged-in") else f"{row['kind']} {row['name']}")


def _where(row: Row) -> str:
    places = "" if "elsewhere" in row["from"] else f", from {' or '.join(row['from'])}"
    return places + (", over TLS only" if row["only_over_tls"] else "")


def show_session(row: Row) -> None:
    """What is on record of one session."""
    print_lines(_session(row))


def _session(row: Row) -> Iterator[str]:
    user = f"user {row['user']}" if row["user"] else "not logged in"
    device = f", device {row['device']}" if row["device"] else ""
    yield f"session {row['session']} on {row['virtual_server']}, from {row['peer']}, {user}{device}"
    for event in row["events"]:
        yield ""
        if event["kind"] == "message":
            yield f"{local_time(event['at'])}  {event['queue_id']} was accepted, {size(event['size_bytes'])}"
            yield f"  <{event['sender']}> to {', '.join(event['recipients'])}"
            for outcome in event["outcomes"]:
                said = f"{outcome['code']} {outcome['text']}"
                yield f"  {outcome['recipient']}: {outcome['disposition']}, {said}"
        else:
            yield f"{local_time(event['at'])}  refused at {event['stage']}: {event['reason']}"
            if event["recipient"]:
                yield f"  <{event['sender']}> to {event['recipient']}"
            yield f"  reply: {event['reply']}"
            if event["means"]:
                yield f"  {event['means']}"
                yield f"  to change it: {event['remedy']}"
        for heading, answer in answers(event, local_time):
            yield f"  {heading}"
            yield from (f"    {line}".rstrip() for line in case_lines(answer or _NOTHING))
