"""Virtual servers and who is connected to them."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.exceptions import HTTPException

from gatepost.admin.acts import Acts
from gatepost.admin.house import House
from gatepost.admin.learn import learning
from gatepost.admin.relay_report import relay_report
from gatepost.admin.status import status_row
from gatepost.console.api.caller import acts_of, asks
from gatepost.console.api.shapes import Body, Done, Row, Word, example, examples

router = APIRouter(tags=["servers"])
_SERVER = {
    "protocol": "smtp",
    "name": "submission",
    "listening": ["0.0.0.0:587"],
    "sessions": 2,
    "state": "running",
}


class State(Enum):
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class WantedState(Body):
    """How the virtual server is to be."""

    model_config = examples(pause={"state": "paused"})
    state: State


@router.get("/servers", responses=example([_SERVER]))
async def servers(acts: Annotated[Acts, Depends(asks("server-show"))]) -> list[Row]:
    """Every virtual server: where it listens, its state, how many are connected."""
    said = await acts.house.ask("status")
    row = await acts.house.work(lambda: status_row(acts.house.settings(), said))
    found: list[Row] = row["virtual_servers"]
    return found


@router.put(
    "/servers/{name}/state", responses=example({"virtual_server": "smtp.submission", "state": "paused"})
)
async def set_state(name: str, wanted: WantedState, acts: Annotated[Acts, Depends(acts_of)]) -> Row:
    """Starts, pauses or stops it; it stays so over a restart. Idempotent. `name` may be `pop3.NAME`."""
    act = {State.RUNNING: acts.server.start, State.PAUSED: acts.server.pause, State.STOPPED: acts.server.stop}
    return await act[wanted.state](name)


@router.get("/servers/{name}/relayers", responses=example([{"kind": "user", "name": "ann@example.org"}]))
async def relayers(name: str, acts: Annotated[Acts, Depends(asks("explain"))]) -> list[Row]:
    """Everybody who could relay through the SMTP virtual server, and through what; or why not."""
    return await acts.house.work(lambda: _relayers(acts.house, name))


def _relayers(house: House, name: str) -> list[Row]:
    settings = house.settings()
    server = settings.smtp.get(name.removeprefix("smtp."))
    if server is None:
        raise HTTPException(404, f"there is no SMTP virtual server {name!r}")
    with learning(settings, house.accounts) as known:
        return relay_report(server, known)


@router.get("/sessions", responses=example([{"id": "7F3K2Q", "protocol": "smtp", "peer": "192.0.2.7"}]))
async def sessions(acts: Annotated[Acts, Depends(acts_of)]) -> list[Row]:
    """Who is connected, longest first."""
    return await acts.session.all()


@router.delete("/sessions/{session}", responses=example({"done": ["7F3K2Q"]}))
async def close(session: str, acts: Annotated[Acts, Depends(acts_of)]) -> Done:
    """Ends the session. Idempotent: one that is over is not found (404), and stays over."""
    closed = await acts.session.close(session=session)
    if not closed:
        raise HTTPException(404, "there is no such session")
    return Done(done=closed)


@router.delete("/sessions", responses=example({"done": ["7F3K2Q", "7F3K2R"]}))
async def close_all(
    user: Annotated[Word, Query(description="Whose.")], acts: Annotated[Acts, Depends(acts_of)]
) -> Done:
    """Ends all sessions of a user. Idempotent."""
    return Done(done=await acts.session.close(user=user))
