"""Attacks, bans, containment."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from gatepost.admin import attacks as admin
from gatepost.admin.acts import Acts
from gatepost.admin.trace import since as time_since
from gatepost.console.api.caller import acts_of, asks
from gatepost.console.api.shapes import Body, Row, Word, example, examples

router = APIRouter(tags=["guard"])
Since = Annotated[str, Query(max_length=40, description="30m, 2h, 3d, or an ISO time.")]
_BAN = {
    "source": "192.0.2.0/24",
    "until": None,
    "note": "scans",
    "by": "ann",
    "at": "2026-01-31T08:00:00+00:00",
}


class NewBan(Body):
    model_config = examples(day={"seconds": 86_400, "note": "scans"})
    seconds: Annotated[float, Field(gt=0, le=10 * 366 * 86_400, strict=True)] | None = None
    note: Annotated[str, Field(max_length=1_000)] = ""


class Containing(Body):
    model_config = examples(stolen={"why": "password in a phishing form"})
    why: Annotated[str, Field(max_length=1_000)] = "by hand"


@router.get("/attacks", responses=example({"names": [{"name": "admin", "attempts": 812}], "timeline": []}))
def attacks(
    acts: Annotated[Acts, Depends(asks("attacks"))],
    since: Since = "24h",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 20,
) -> Row:
    """Names tried without success, sources, networks, and when: the most frequent first."""
    begins = time_since(since, datetime.now(UTC))
    return admin.attacks(acts.house.place, begins, time.time() + 1, limit=limit).row()


@router.get("/bans", responses=example([_BAN]))
def bans(acts: Annotated[Acts, Depends(asks("attacks"))]) -> list[Row]:
    """Who is shut out: by an administrator, and by the guard now."""
    return admin.bans(acts.house.place)


@router.put("/bans/{source:path}", responses=example(_BAN))
async def ban(source: str, acts: Annotated[Acts, Depends(acts_of)], new: NewBan | None = None) -> Row:
    """Connections from the address or network are refused; without `seconds` until pardoned. Idempotent."""
    wanted = new or NewBan()
    return await acts.guard.ban(source, seconds=wanted.seconds, note=wanted.note)


@router.delete("/bans/{source:path}", status_code=204)
async def pardon(source: str, acts: Annotated[Acts, Depends(acts_of)]) -> Response:
    """The source is neither banned nor refused. Idempotent: the second time it is 404."""
    await acts.guard.pardon(source)
    return Response(status_code=204)


@router.delete("/names-under-attack/{name}", status_code=204)
async def pardon_name(name: str, acts: Annotated[Acts, Depends(acts_of)]) -> Response:
    """The name is not treated as under attack any more. Idempotent: the second time it is 404."""
    await acts.guard.pardon_name(name)
    return Response(status_code=204)


@router.get("/contained", responses=example([{"user": "bob@example.org", "why": "by hand", "held": []}]))
async def contained(acts: Annotated[Acts, Depends(asks("attacks"))]) -> list[Row]:
    """Accounts that may not relay, with the messages that are held for it."""
    return [_contained(row) for row in await acts.house.ask("contained")]


@router.put("/contained/{user}", responses=example({"user": "bob@example.org", "why": "by hand", "held": []}))
async def contain(
    user: Word, acts: Annotated[Acts, Depends(acts_of)], containing: Containing | None = None
) -> Row:
    """The account may not relay, its sessions end, its queued mail is held. Idempotent: then it is 404."""
    return _contained(await acts.guard.contain(user, why=(containing or Containing()).why))


@router.delete("/contained/{user}", responses=example({"user": "bob@example.org", "held": []}))
async def release(user: Word, acts: Annotated[Acts, Depends(acts_of)]) -> Row:
    """Everything is given back. Idempotent: the second time it is 404."""
    return _contained(await acts.guard.release(user))


def _contained(row: Row) -> Row:
    return row | {"at": datetime.fromtimestamp(row["at"], UTC).isoformat(timespec="seconds")}
