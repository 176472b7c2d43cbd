"""An explanation in words: what every face says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


def answers(event: Row, clock: Callable[[str], str]) -> Iterator[tuple[str, Row | None]]:
    """What is said of an event of a session, each time with the explanation that stands below it, if any.

    `clock` shows an ISO time.
    """
    then, now = event["then"], event["now"]
    if then is None and now is not None:
        yield "As the file and the accounts are now (which file was in force then is not known):", now
    if then is None:
        return
    if then["same_file"]:
        began = "the session had begun with it, " if then["replaced_meanwhile"] else ""
        which = f"By generation {then['generation']} ({began}the file still is it)"
        yield f"{which}, and the accounts as they are now:", now
    else:
        yield _by(then, clock), then["answer"]
    if then["agrees"] is False:
        yield "That is not what happened: accounts, groups or names in DNS were others then.", None
    if not then["same_file"]:
        yield from _since(then, now)


def _by(then: Row, clock: Callable[[str], str]) -> str:
    span = f"from {clock(then['since'])}" + (f" to {clock(then['until'])}" if then["until"] else " on")
    with_it = "with which the session had begun, " if then["replaced_meanwhile"] else ""
    start = f"By generation {then['generation']}, {with_it}in force {span}"
    if then["problem"]:
        return f"{start}: cannot be told, that file is of use no more: {then['problem']}"
    if then["answer"] is None:
        return f"{start}: there was no such virtual server."
    return f"{start}, and the accounts as they are now:"


def _since(then: Row, now: Row | None) -> Iterator[tuple[str, Row | None]]:
    if now is None:
        yield "The file has changed since: there is no such virtual server now.", None
    elif then["answer"] is not None and _without_lines(then["answer"]) == _without_lines(now):
        yield "The file has changed since, and says the same to this.", None
    else:
        yield "The file has changed since. As the file and the accounts are now:", now


def _without_lines(value: Any) -> Any:
    """Entries move up and down in a file and stay what they are."""
    if isinstance(value, dict):
        return {key: _without_lines(inner) for key, inner in value.items() if key not in ("line", "remedy")}
    return [_without_lines(inner) for inner in value] if isinstance(value, list) else value


def _entry(match: Row, *, decides: bool) -> str:
    said = {"yes": "holds", "no": "does not hold", "unknown": "cannot be told"}[match["holds"]]
    if not match["reaches"] and match["holds"] != "no":
        said = "holds, and does not reach a protected account"
    if decides:
        said += "; this one decided"
    return f"line {match['line']}: {match['text']} ({said})"
