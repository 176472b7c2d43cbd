"""What became of messages, and why somebody may or may not."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.exceptions import HTTPException

from gatepost.admin.accounts import whole_name
from gatepost.admin.acts import Acts
from gatepost.admin.explain import Case
from gatepost.admin.explain import explain as explained
from gatepost.admin.explain_rows import explanation_row
from gatepost.admin.explain_session import session_explained
from gatepost.admin.house import House
from gatepost.admin.learn import learning
from gatepost.admin.trace import since as time_since
from gatepost.admin.trace import trace
from gatepost.console.api.caller import asks
from gatepost.console.api.shapes import Limit, Page, Row, Word, example
from gatepost.store.tracking import Question, Tracking

router = APIRouter(tags=["tracking"])
_TRACKED = {
    "kind": "message",
    "at": "2026-01-31T08:00:00.000+00:00",
    "queue_id": "0001J9ZK4W7QH2",
    "outcomes": [],
}
Time = Annotated[str | None, Query(max_length=40, description="30m, 2h, 3d, or an ISO time.")]


@router.get("/tracking", responses=example({"items": [_TRACKED], "next": None}))
def tracking(
    acts: Annotated[Acts, Depends(asks("trace"))],
    sender: Annotated[str | None, Query(max_length=254, description="Empty: the null sender.")] = None,
    rcpt: Word | None = None,
    user: Word | None = None,
    peer: Word | None = None,
    reason: Annotated[Word | None, Query(description="Only refused for this.")] = None,
    said: Annotated[Word | None, Query(description="Words of a next hop's answer.")] = None,
    device: Annotated[Word | None, Query(description="The label of a device.")] = None,
    outcome: Annotated[Word | None, Query(description="delivered, relayed, deferred, failed...")] = None,
    since: Time = None,
    before: Annotated[Time, Query(description="The `next` of the page before, or a time.")] = None,
    limit: Limit = 100,
) -> Page:
    """Messages and refusals, the newest page first, in a page the newest last."""
    settings, now = acts.house.settings(), datetime.now(UTC)
    question = Question(
        sender=sender,
        recipient=rcpt,
        user=None if user is None else whole_name(settings, user).lower(),
        peer=peer,
        reason=reason,
        said=said,
        device=device,
        outcome=None if outcome is None else outcome.lower(),
        since=None if since is None else time_since(since, now),
        before=None if before is None else time_since(before, now),
        limit=limit,
    )
    rows = trace(Tracking(acts.house.place.tracking), question)
    return Page(items=rows, next=str(rows[0]["at"]) if len(rows) >= limit else None)


@router.get("/tracking/{either}", responses=example([_TRACKED]))
def tracked(either: str, acts: Annotated[Acts, Depends(asks("trace"))]) -> list[Row]:
    """All that is on record of a session or a message, by the id that stands in replies."""
    rows = trace(Tracking(acts.house.place.tracking), Question(limit=1_000), either=either)
    if not rows:
        raise HTTPException(404, "nothing is on record of it; history is kept for a while only")
    return rows


@router.get("/explain", responses=example({"allowed": False, "reason": "relay-denied", "stages": []}))
def explain(
    acts: Annotated[Acts, Depends(asks("explain"))],
    server: Word,
    peer: Annotated[IPv4Address | IPv6Address, Query(description="The peer's address.")],
    rcpt: Annotated[str, Query(max_length=254)],
    mail_from: Annotated[str, Query(max_length=254, description="Empty: the null sender.")] = "",
    user: Word | None = None,
    certificate: Annotated[Word | None, Query(description="A name in the client's certificate.")] = None,
    tls: bool = False,
) -> Row:
    """The verdict on a thought-up SMTP session, stage by stage, with the entry that decided."""
    mapped = peer.ipv4_mapped if isinstance(peer, IPv6Address) else None
    case = Case(mapped or peer, tls, user, mail_from, rcpt, certificate)
    return _explained(acts.house, server, case)


def _explained(house: House, name: str, case: Case) -> Row:
    settings = house.settings()
    server = settings.smtp.get(name.removeprefix("smtp."))
    if server is None:
        raise HTTPException(404, f"there is no SMTP virtual server {name!r}")
    with learning(settings, house.accounts) as known:
        facts = known.known(server, case)
        answer = explained(settings, server, case, facts)
        return explanation_row(server.name, case, answer, facts.login, known.paths(facts.login))


@router.get("/explain/sessions/{session}", responses=example({"session": "7F3K2Q", "events": []}))
def explain_session(session: str, acts: Annotated[Acts, Depends(asks("explain"))]) -> Row:
    """What is on record of a session, what refusals mean, and what the file of then and of now says to it."""
    row = session_explained(acts.house, session, acts.house.settings())
    if row is None:
        raise HTTPException(404, "nothing is on record of it; history is kept for a while only")
    return row
