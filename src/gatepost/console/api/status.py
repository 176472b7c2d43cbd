"""How it stands: status, numbers, the self-test, and who asks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import PlainTextResponse

from gatepost.admin.actor import Actor
from gatepost.admin.acts import Acts
from gatepost.admin.house import House
from gatepost.admin.roles import ACTS
from gatepost.admin.selftest import selftest as probes
from gatepost.admin.selftest_round import announced
from gatepost.admin.status import status_row
from gatepost.console.api.caller import actor_of, asks
from gatepost.console.api.idempotency import idempotency_key
from gatepost.console.api.shapes import Row, example

router = APIRouter(tags=["status"])


@router.get("/me", responses=example({"name": "ann", "role": "operator", "may": ["queue-hold"]}))
async def me(actor: Annotated[Actor, Depends(actor_of)]) -> Row:
    """Who asks, with which role, and which acts that allows."""
    areas = None if actor.areas is None else sorted(area.value for area in actor.areas)
    may = sorted(act for act in ACTS if actor.may(act))
    return {"name": actor.name, "role": actor.role.value, "via": actor.via, "scope": areas, "may": may}


@router.get("/status", responses=example({"hostname": "mail.example.org", "generation": 12, "sessions": 3}))
async def status(acts: Annotated[Acts, Depends(asks("status"))]) -> Row:
    """Virtual servers, sessions, queue, certificates, self-test: as `gatepost status --json`."""
    said = await acts.house.ask("status")
    return await acts.house.work(lambda: status_row(acts.house.settings(), said))


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(acts: Annotated[Acts, Depends(asks("metrics"))]) -> str:
    """The numbers of all workers, as Prometheus reads them."""
    return str(await acts.house.ask("exposition"))


@router.post(
    "/selftest",
    dependencies=[Depends(idempotency_key)],
    responses=example([{"server": "smtp.internet", "name": "relay", "result": "passed"}]),
)
async def selftest(acts: Annotated[Acts, Depends(asks("selftest"))]) -> list[Row]:
    """Tries each running virtual server from outside, as a stranger. Takes seconds; changes nothing."""
    return await acts.house.work(lambda: _probed(acts.house))


def _probed(house: House) -> list[dict[str, Any]]:
    listeners = house.ask_now("status")["listeners"]
    with announced(house.ask_now) as announce:
        found = list(probes(house.settings(), listeners, announce))
    return [asdict(one) | {"result": one.result.value} for one in found]
