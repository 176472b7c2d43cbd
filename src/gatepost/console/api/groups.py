"""Groups, aliases, directories."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field, StrictBool
from starlette.requests import Request

from gatepost.admin import accounts as admin
from gatepost.admin.acts import Acts
from gatepost.admin.directory import Step, steps
from gatepost.config.schema import Settings
from gatepost.console.api.caller import acts_of, asks, office_of
from gatepost.console.api.idempotency import idempotency_key
from gatepost.console.api.shapes import After, Body, Limit, Page, Row, Word, example, examples
from gatepost.log import Log

router = APIRouter(tags=["accounts"])
_RELAY = {"name": "POP3 Relay", "users": 12, "groups": ["Sales"], "relays": True}
_INFO = {"address": "info@example.org", "targets": ["ann@example.org"], "outside": False}


class NewGroup(Body):
    model_config = examples(relay={"name": "POP3 Relay"})
    name: Word


class Joining(Body):
    model_config = examples(plain={"even_so": False})
    even_so: Annotated[
        StrictBool, Field(description="Also an administrator, or a name that attackers try.")
    ] = False


class NewAlias(Body):
    model_config = examples(info={"address": "info@example.org", "targets": ["ann@example.org"]})
    address: Word
    targets: Annotated[tuple[Word, ...], Field(min_length=1, max_length=1_000)]
    outside: Annotated[StrictBool, Field(description="Targets may lie in other domains.")] = False


@router.get("/groups", responses=example({"items": [_RELAY], "next": None}))
def groups(
    acts: Annotated[Acts, Depends(asks("account-show"))], limit: Limit = 100, after: After = ""
) -> Page:
    """A page of the groups by name; `relays`: an access entry gives it relay."""
    found = acts.house.accounts.groups.page(after=after, limit=limit + 1)
    rows = admin.group_rows(acts.house.settings(), found[:limit])
    return Page(items=rows, next=rows[-1]["name"] if len(found) > limit else None)


@router.post(
    "/groups", status_code=201, dependencies=[Depends(idempotency_key)], responses=example(_RELAY, 201)
)
async def add_group(new: NewGroup, acts: Annotated[Acts, Depends(acts_of)]) -> Row:
    """A new, empty group. With an Idempotency-Key done once; a name that is taken is 409."""
    group = await acts.group.add(new.name)
    return (await acts.house.work(lambda: admin.group_rows(acts.house.settings(), [group])))[0]


@router.get("/groups/{name}", responses=example(_RELAY))
def group(name: str, acts: Annotated[Acts, Depends(asks("account-show"))]) -> Row:
    """One group; its members have pages of their own."""
    return admin.group_rows(acts.house.settings(), [acts.house.accounts.groups.get(name)])[0]


@router.delete("/groups/{name}", status_code=204)
async def delete_group(name: str, acts: Annotated[Acts, Depends(acts_of)]) -> Response:
    """The group is gone, its members stay. Idempotent: the second time it is 404."""
    await acts.group.delete(name)
    return Response(status_code=204)


@router.get(
    "/groups/{name}/members", responses=example({"items": [{"name": "ann@example.org"}], "next": None})
)
def members(
    name: str,
    acts: Annotated[Acts, Depends(asks("account-show"))],
    nested: Annotated[bool, Query(description="Also members of the groups in it.")] = False,
    limit: Limit = 100,
    after: After = "",
) -> Page:
    """A page of the users in the group."""
    found = acts.house.accounts.groups.members(name, nested=nested, after=after, limit=limit + 1)
    rows: list[Row] = [{"name": one} for one in found[:limit]]
    return Page(items=rows, next=found[limit - 1] if len(found) > limit else None)


@router.put("/groups/{name}/members/{member}", status_code=204)
async def join(
    name: str, member: str, acts: Annotated[Acts, Depends(acts_of)], joining: Joining | None = None
) -> Response:
    """A user, or another group (`group:NAME`), is in the group. Idempotent.

    Whoever should not relay is refused (409), unless `even_so`.
    """
    await acts.group.join(name, member, even_so=joining is not None and joining.even_so)
    return Response(status_code=204)


@router.delete("/groups/{name}/members/{member}", status_code=204)
async def leave(name: str, member: str, acts: Annotated[Acts, Depends(acts_of)]) -> Response:
    """The member is not in the group; sessions know within a second. Idempotent: then it is 422."""
    await acts.group.leave(name, member)
    return Response(status_code=204)


@router.get("/aliases", responses=example({"items": [_INFO], "next": None}))
def aliases(
    acts: Annotated[Acts, Depends(asks("account-show"))], limit: Limit = 100, after: After = ""
) -> Page:
    """A page of the aliases by address."""
    found = acts.house.accounts.aliases.page(after=after, limit=limit + 1)
    rows = [admin.alias_row(alias) for alias in found[:limit]]
    return Page(items=rows, next=rows[-1]["address"] if len(found) > limit else None)


@router.post(
    "/aliases", status_code=201, dependencies=[Depends(idempotency_key)], responses=example(_INFO, 201)
)
async def add_alias(new: NewAlias, acts: Annotated[Acts, Depends(acts_of)]) -> Row:
    """Mail for the address goes to the targets. With an Idempotency-Key done once."""
    return admin.alias_row(await acts.alias.add(new.address, new.targets, outside=new.outside))


@router.delete("/aliases/{address}", status_code=204)
async def delete_alias(address: str, acts: Annotated[Acts, Depends(acts_of)]) -> Response:
    """The alias is gone. Idempotent: the second time it is 404."""
    await acts.alias.delete(address)
    return Response(status_code=204)


@router.get(
    "/directories/test", responses=example([{"directory": "ad", "step": "bind", "good": True, "text": "..."}])
)
async def directory_steps(
    request: Request, acts: Annotated[Acts, Depends(asks("directory-test"))], user: Word | None = None
) -> list[Row]:
    """Each step to each directory; `user` adds who that is there and through which groups."""
    found = await _steps(await acts.house.work(acts.house.settings), office_of(request).log, user)
    return [asdict(step) for step in found]


async def _steps(settings: Settings, log: Log, user: str | None) -> list[Step]:
    return [step async for step in steps(settings, log, user)]
