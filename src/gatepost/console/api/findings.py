"""What is weak, and whether those whom Gatepost depends on answer."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from gatepost.admin.acts import Acts
from gatepost.admin.audit import STALE_DAYS, survey_now
from gatepost.admin.silence import silent_log
from gatepost.console.api.caller import acts_of, asks
from gatepost.console.api.idempotency import idempotency_key
from gatepost.console.api.shapes import Row, Word, example

router = APIRouter(tags=["status"])
_WEAK = {
    "severity": "high", "weakness": "file-open", "text": "...", "where": ["secrets/x"], "why": "...",
    "remedy": "chmod o-rwx secrets/x",
}  # fmt: skip
Days = Annotated[int, Query(ge=1, le=3_650, description="An account without a login for so long is unused.")]


@router.get("/weaknesses", responses=example({"weaknesses": [_WEAK], "relayers": {"submission": []}}))
async def weaknesses(acts: Annotated[Acts, Depends(asks("weaknesses"))], days: Days = STALE_DAYS) -> Row:
    """What `gatepost audit --json --no-passwords` says: what is weak, worst first, and who can relay.

    Takes seconds where directories are slow. Passwords that were guessed at the command line are in it.
    """
    house = acts.house
    found = await house.work(lambda: survey_now(house.settings(), house.accounts, days=days))
    return found.row()


@router.get(
    "/issuers/test", responses=example([{"issuer": "house", "step": "keys", "good": True, "text": "..."}])
)
async def issuer_steps(acts: Annotated[Acts, Depends(asks("oauth-test"))]) -> list[Row]:
    """Each step to each issuer of tokens and to the provider of the console; `good` false: it fails."""
    settings = acts.house.settings()
    if not settings.oauth and (settings.console is None or settings.console.openid is None):
        return []
    from gatepost.admin.oauth import steps  # an extra

    with silent_log() as log:
        return [asdict(step) async for step in steps(settings, log)]


@router.post(
    "/alarms/test", dependencies=[Depends(idempotency_key)],
    responses=example([{"alarm": "postmaster", "way": "mail", "told": True, "problem": None}]),
)  # fmt: skip
async def alarm_test(
    acts: Annotated[Acts, Depends(acts_of)],
    name: Annotated[Word | None, Query(description="Of [alarms.NAME]; else all.")] = None,
) -> list[Row]:
    """Tells everybody that this is a test, and says what came of it. Changes nothing."""
    return await acts.alarm.test(name)
