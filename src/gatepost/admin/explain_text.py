"""An explanation in words: what every face says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

Row = dict[str, Any]
_ANSWERS: Final = {"yes": "yes    ", "no": "NO     ", "unknown": "UNKNOWN"}


def identity_lines(identity: Row) -> Iterator[str]:
    """Who logs in, and through which groups each group is reached."""
    marks = [word for word in ("administrator", "guessable") if identity[word]]
    yield f"{identity['name']} {'(' + ', '.join(marks) + ')' if marks else ''}".rstrip()
    for group in identity["groups"]:
        way = f", through {' in '.join(group['through'])}" if group["through"] else ""
        yield f"  in the group {group['name']}{way}"
    if not identity["groups"]:
        yield "  in no group"


def stage_lines(stage: Row) -> Iterator[str]:
    """The question with its answer; then why, where it was reached."""
    if not stage["reached"]:
        why = "" if stage["answer"] == "yes" else f", {stage['reason']}"
        yield f"        {stage['stage']:<10} not reached; would be {stage['answer']}{why}"
        return
    yield f"{_ANSWERS[stage['answer']]} {stage['stage']:<10} {stage['text']}"
    if stage["reply"]:
        yield f"reply: {stage['reply']}"
    if stage["means"]:
        yield f"{stage['reason']}: {stage['means']}"
    for match in stage["matches"]:
        decides = stage["entry"] is not None and match["line"] == stage["entry"]["line"]
        yield _entry(match, decides=decides)
    if stage["right"] and not stage["matches"]:
        yield f"no entry speaks of {stage['right']}"
    if stage["remedy"] and stage["answer"] != "yes":
        yield f"to change it: {stage['remedy']}"


def case_lines(row: Row) -> Iterator[str]:
    """Who it is, every stage with its answer, and why."""
    if isinstance(row["user"], dict):
        yield from identity_lines(row["user"])
        yield ""
    for stage in row["stages"]:
        first, *rest = stage_lines(stage)
        yield first
        yield from (f"{'':19}{line}" for line in rest)


def verdict_lines(row: Row) -> Iterator[str]:
    """The whole."""
    if row["allowed"]:
        yield f"YES: {row['virtual_server']} takes this mail."
        yield from [stage["remedy"] for stage in row["stages"] if stage["right"]][-1:]
    else:
        yield f"NO: {row['reason']}. The peer hears: {row['reply']}"


def _entry(match: Row, *, decides: bool) -> str:
    said = {"yes": "holds", "no": "does not hold", "unknown": "cannot be told"}[match["holds"]]
    if not match["reaches"] and match["holds"] != "no":
        said = "holds, and does not reach a protected account"
    if decides:
        said += "; this one decided"
    return f"line {match['line']}: {match['text']} ({said})"
