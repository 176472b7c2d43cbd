"""Mail that waits."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StrictBool

from gatepost.admin.acts import Acts
from gatepost.admin.queue import Filter
from gatepost.admin.queue_page import queue_page
from gatepost.console.api.caller import acts_of, asks
from gatepost.console.api.idempotency import idempotency_key
from gatepost.console.api.shapes import After, Body, Done, Limit, Page, Row, Word, example, examples
from gatepost.store.orders import ItemState

router = APIRouter(tags=["queue"])
_MESSAGE = {"id": "0001J9ZK4W7QH2", "state": "deferred", "sender": "ann@example.org", "attempts": 3}


class Verb(Enum):
    HOLD = "hold"
    RELEASE = "release"
    RETRY = "retry"
    DELETE = "delete"
    BOUNCE = "bounce"


class Which(Body):
    """Which messages: ids, or a filter, or `all`."""

    model_config = examples(
        ids={"ids": ["0001J9ZK4W7QH2"]}, filter={"user": "ann@example.org", "state": "deferred"}
    )
    ids: Annotated[tuple[Word, ...], Field(max_length=10_000)] = ()
    user: Word | None = None
    peer: Word | None = None
    sender: Annotated[str, Field(max_length=254)] | None = None
    rcpt: Word | None = None
    domain: Word | None = None
    state: ItemState | None = None
    all: StrictBool = False

    def filter(self) -> Filter:
        """Raises BadFilter."""
        state = None if self.state is None else self.state.value
        return Filter(self.user, self.peer, self.sender, self.rcpt, self.domain, state)


@router.get("/queue", responses=example({"items": [_MESSAGE], "next": None}))
async def messages(
    acts: Annotated[Acts, Depends(asks("queue-show"))],
    user: Word | None = None,
    peer: Annotated[Word | None, Query(description="An address or network.")] = None,
    sender: Annotated[str | None, Query(max_length=254, description="Empty: the null sender.")] = None,
    rcpt: Word | None = None,
    domain: Annotated[Word | None, Query(description="Of a remaining recipient.")] = None,
    state: ItemState | None = None,
    limit: Limit = 50,
    after: After = "",
    newest_first: bool = False,
) -> Page:
    """A page of the queue. A page may be short though more follows: ask on while `next` is not null."""
    wanted = Filter(user, peer, sender, rcpt, domain, None if state is None else state.value)
    page = await queue_page(
        acts.house.ask, wanted, after=after or None, limit=limit, newest_first=newest_first
    )
    return Page(items=page.rows, next=page.next)


@router.get("/queue/{queue_id}", responses=example(_MESSAGE | {"header": "From: ..."}))
async def message(queue_id: str, acts: Annotated[Acts, Depends(asks("queue-show"))]) -> Row:
    """One message: envelope, attempts, the last answer for each recipient, its header."""
    row: Row = await acts.house.ask("queue-show", queue_id=queue_id.upper())
    return row


@router.post(
    "/queue/orders/{verb}",
    dependencies=[Depends(idempotency_key)],
    responses=example({"done": ["0001J9ZK4W7QH2"]}),
)
async def order(verb: Verb, which: Which, acts: Annotated[Acts, Depends(acts_of)]) -> Done:
    """Holds, releases, retries, deletes or bounces messages; `done` are those to which it was done.

    With an Idempotency-Key the same request is done once. What is not in the queue is left out of `done`.
    """
    act = {
        Verb.HOLD: acts.queue.hold, Verb.RELEASE: acts.queue.release, Verb.RETRY: acts.queue.retry,
        Verb.DELETE: acts.queue.delete, Verb.BOUNCE: acts.queue.bounce,
    }[verb]  # fmt: skip
    return Done(done=await act(which.ids, wanted=which.filter(), everything=which.all))
