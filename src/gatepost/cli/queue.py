"""gatepost queue ...: mail that waits to be delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from gatepost.admin.link import Refused
from gatepost.admin.queue import BadFilter, Filter
from gatepost.cli.context import NO, USAGE, Context, Failure
from gatepost.cli.output import (
    is_terminal,
    local_time,
    print_fields,
    print_json,
    print_lines,
    print_table,
    size,
)
from gatepost.store.orders import ItemState

app = typer.Typer(no_args_is_help=True)
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Messages by their queue id.")]
User = Annotated[str | None, typer.Option("--user", help="Only handed in by this user.")]
Peer = Annotated[str | None, typer.Option("--from", metavar="IP", help="Only from this address or network.")]
Sender = Annotated[str | None, typer.Option("--sender", help="Only from this sender; <> is the null sender.")]
Rcpt = Annotated[str | None, typer.Option("--rcpt", help="Only to this recipient.")]
Domain = Annotated[str | None, typer.Option("--domain", help="Only to this recipient domain.")]
State = Annotated[ItemState | None, typer.Option("--state", help="Only in this state.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

Row = dict[str, Any]
_SHOWN = 5


def _filter(
    user: str | None, peer: str | None, sender: str | None, rcpt: str | None, domain: str | None,
    state: ItemState | None,
) -> Filter:  # fmt: skip
    try:
        return Filter(user, peer, sender, rcpt, domain, state.value if state else None)
    except BadFilter as problem:
        raise Failure(str(problem), USAGE) from None


@app.command("list")
def list_queue(
    context: typer.Context,
    ids: Ids = None,
    user: User = None,
    peer: Peer = None,
    sender: Sender = None,
    rcpt: Rcpt = None,
    domain: Domain = None,
    state: State = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 1_000,
    json: Json = False,
) -> None:
    """Messages that are not delivered yet, oldest first."""
    here: Context = context.obj
    wanted = _filter(user, peer, sender, rcpt, domain, state)
    rows: list[Row] = here.ask("queue-list", filter=wanted.fields(), ids=_upper(ids), limit=limit)
    rows = sorted(rows, key=lambda row: str(row["received_at"]))[:limit]
    if json:
        print_json(rows)
        return
    if is_terminal():
        print_lines(line for row in rows for line in _lines(row))
        if not rows:
            print("No message is waiting.")
    else:
        print_table(_COLUMNS, [_listed(row) for row in rows], empty="No message is waiting.")


_COLUMNS = {"id": "ID", "state": "STATE", "arrived": "ARRIVED", "next": "NEXT TRY", "size": "SIZE",
            "sender": "FROM", "to": "TO", "last": "LAST ANSWER"}  # fmt: skip


def _lines(row: Row) -> Iterator[str]:
    """Two lines a message: a table of all this would fold on every screen."""
    listed = _listed(row)
    to = ", ".join(row["recipients"][:_SHOWN]) + (" ..." if len(row["recipients"]) > _SHOWN else "")
    yield f"{row['id']}  {row['state']:<8}  {listed['size']:>8}  {listed['sender']} to {to}"
    last = f": {listed['last'][0]}" if listed["last"] else ""
    tries = f", next try {listed['next']}" if listed["next"] else ""
    yield f"{'':17}tried {row['attempts']}x since {listed['arrived']}{tries}{last}"


def _listed(row: Row) -> Row:
    return {
        "id": row["id"],
        "state": row["state"],
        "arrived": local_time(row["received_at"]),
        "next": _next(row),
        "size": size(row["size_bytes"]),
        "sender": f"<{row['sender']}>",
        "to": row["recipients"],
        "last": [_said(outcome) for outcome in row["last_outcomes"][-1:]],
    }


def _next(row: Row) -> str | None:
    if row["next_attempt"] is None:
        return None
    return local_time(row["next_attempt"]) if row["attempts"] else "now"


def _said(outcome: Row) -> str:
    by = f"{outcome['host']}: " if outcome["host"] else ""
    return f"{by}{outcome['code']} {outcome['enhanced']} {outcome['text']}"


@app.command()
def show(
    context: typer.Context,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Messages by their queue id.")],
    json: Json = False,
) -> None:
    """A message: envelope, attempts, the last answer for each recipient, and its header."""
    here: Context = context.obj
    rows = [_one(here, queue_id) for queue_id in _upper(ids)]
    if json:
        print_json(rows[0] if len(rows) == 1 else rows)
        return
    for index, row in enumerate(rows):
        if index:
            print()
        _show(row)


def _one(here: Context, queue_id: str) -> Row:
    try:
        row: Row | None = here.ask("queue-show", queue_id=queue_id)
    except Refused as refusal:
        if refusal.exit_code != NO:
            raise
        row = None
    if not row:
        raise Failure(f"there is no message {queue_id} in the queue; `gatepost trace {queue_id}`", NO)
    return row


def _show(row: Row) -> None:
    said = {outcome["recipient"]: outcome for outcome in row["last_outcomes"]}
    recipients = [
        f"{one}: {said[one]['disposition']}, {_said(said[one])}" if one in said else one
        for one in row["recipients"]
    ]
    print_fields(
        {
            "id": row["id"],
            "state": row["state"],
            "sender": f"<{row['sender']}>",
            "waiting for": recipients,
            "size": size(row["size_bytes"]),
            "arrived": local_time(row["received_at"]),
            "attempts": row["attempts"],
            "next try": _next(row),
            "user": row["user"],
            "peer": row["peer"],
            "virtual server": row["virtual_server"],
            "session": row["session"],
        }
    )
    print()
    print_lines(row["header"].splitlines())


@dataclass(frozen=True, slots=True)
class Order:
    """A verb that changes messages. `done` is said of them, `not_done` of ids it did nothing to."""

    verb: str
    does: str
    done: str
    not_done: str


ORDERS = (
    Order("retry", "Try now, whatever the waiting time.", "is tried now", "is not waiting in the queue"),
    Order("hold", "Keep until released; nothing is lost.", "is held", "is not in the queue"),
    Order("release", "Let go on what was held.", "is released", "is not held in the queue"),
    Order("bounce", "Give up; the sender gets a report.", "goes back to its sender", "is not in the queue"),
    Order("delete", "Take out for good; nobody is told.", "is deleted", "is not in the queue"),
)


def _command(order: Order) -> Callable[..., None]:
    def act(
        context: typer.Context,
        ids: Ids = None,
        user: User = None,
        peer: Peer = None,
        sender: Sender = None,
        rcpt: Rcpt = None,
        domain: Domain = None,
        state: State = None,
        everything: Annotated[bool, typer.Option("--all", help="All messages there are.")] = False,
        json: Json = False,
    ) -> None:
        wanted = _filter(user, peer, sender, rcpt, domain, state)
        chosen = bool(ids) + (wanted != Filter()) + everything
        if chosen != 1:
            many = "say one of the three" if chosen else "say which messages"
            raise Failure(f"queue {order.verb}: {many}: an ID, a filter such as --user, or --all", USAGE)
        _act(context.obj, order, wanted, _upper(ids), json=json, everything=everything)

    return act


def _act(
    here: Context, order: Order, wanted: Filter, ids: list[str], *, json: bool, everything: bool
) -> None:
    done = here.act(lambda acts: acts.queue.order(order.verb, ids, wanted=wanted, everything=everything))
    if json:
        print_json(done)
    else:
        for queue_id in done:
            print(f"{queue_id} {order.done}")
    left = [queue_id for queue_id in ids if queue_id not in done]
    if left:
        raise Failure(f"{', '.join(left)} {order.not_done}", NO)
    if not done:
        raise Failure("no message matches", NO)


def _upper(ids: list[str] | None) -> list[str]:
    return [queue_id.upper() for queue_id in dict.fromkeys(ids or ())]


for each in ORDERS:
    app.command(each.verb, help=each.does)(_command(each))
