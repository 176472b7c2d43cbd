"""gatepost trace: what became of a message, why a session was refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from gatepost.admin import trace as admin
from gatepost.admin.accounts import whole_name
from gatepost.cli.context import NO, USAGE, Context, Failure
from gatepost.cli.output import local_time, print_json, print_lines, size
from gatepost.store.place import Place
from gatepost.store.tracking import Question, Tracking

Row = dict[str, Any]


def trace(
    context: typer.Context,
    either: Annotated[
        str | None, typer.Argument(metavar="[SESSION-ID|QUEUE-ID]", help="As in the brackets of a reply.")
    ] = None,
    sender: Annotated[str | None, typer.Option(help="Only from this sender; <> is the null sender.")] = None,
    rcpt: Annotated[str | None, typer.Option(help="Only to this recipient.")] = None,
    user: Annotated[str | None, typer.Option(help="Only of this user.")] = None,
    device: Annotated[str | None, typer.Option(help="Only of the device with this label.")] = None,
    peer: Annotated[str | None, typer.Option(help="Only from this address.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only refused for this reason.")] = None,
    said: Annotated[str | None, typer.Option(help="Only where a next hop answered these words.")] = None,
    outcome: Annotated[
        str | None, typer.Option(metavar="WORD", help="Only delivered, relayed, deferred, failed, bounced...")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="T", help="30m, 2h, 3d, or a date and time.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 100,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Messages with what became of them, and refusals with their reason; newest last."""
    here: Context = context.obj
    settings = here.settings()
    question = Question(
        sender=None if sender is None else sender.strip("<>"),
        recipient=None if rcpt is None else rcpt.strip("<>"),
        user=None if user is None else whole_name(settings, user).lower(),
        device=device,
        peer=peer,
        reason=reason,
        said=said,
        outcome=None if outcome is None else outcome.lower(),
        since=None if since is None else _since(since),
        limit=limit,
    )
    rows = admin.trace(Tracking(Place(settings.state).tracking), question, either=either)
    if json:
        print_json(rows)
    for row in rows if not json else ():
        print_lines(_message(row) if row["kind"] == "message" else _refusal(row))
    if not rows:
        raise Failure("nothing found; history is kept for a while only, and is a second behind", NO)


def _since(text: str) -> float:
    try:
        return admin.since(text, datetime.now(UTC))
    except admin.NoTime as problem:
        raise Failure(f"--since: {problem}", USAGE) from None


def _message(row: Row) -> list[str]:
    lines = [
        f"{local_time(row['at'])}  {row['queue_id']}  accepted, {size(row['size_bytes'])}",
        f"    session {row['session']} on {row['virtual_server']}, {_who(row)}",
        f"    <{row['sender']}> to {', '.join(row['recipients'])}",
    ]
    if row["subject"]:
        lines.append(f"    subject: {row['subject']}")
    for outcome in row["outcomes"]:
        if not outcome["recipient"]:
            lines.append(f"    {local_time(outcome['at'])}  {outcome['disposition']} {outcome['text']}")
            continue
        via = f" by {outcome['next_hop']}" if outcome["next_hop"] else ""
        said = f"{outcome['code']} {outcome['enhanced']} {outcome['text']}"
        lines.append(
            f"    {local_time(outcome['at'])}  {outcome['recipient']}: {outcome['disposition']}{via}: {said}"
        )
    return lines


def _refusal(row: Row) -> list[str]:
    whom = f"    <{row['sender']}> to {row['recipient']}" if row["recipient"] else f"    <{row['sender']}>"
    lines = [
        f"{local_time(row['at'])}  refused at {row['stage']}: {row['reason']}",
        f"    session {row['session']} on {row['virtual_server']}, {_who(row)}",
    ]
    if row["sender"] or row["recipient"]:
        lines.append(whom)
    return [*lines, f"    {row['reply']}"] if row["reply"] else lines


def _who(row: Row) -> str:
    user = f", user {row['user']}" if row["user"] else ", not logged in"
    device = f", device {row['device']}" if row["device"] else ""
    return f"from {row['peer']}{user}{device}"


def add_to(app: typer.Typer) -> None:
    app.command()(trace)
