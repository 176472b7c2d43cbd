"""Administrators, tokens, and what all of them did."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, Field

from gatepost.admin.acts import Acts
from gatepost.admin.roles import Area, Role
from gatepost.console.api.caller import acts_of, asks
from gatepost.console.api.idempotency import MARK, idempotency_key
from gatepost.console.api.shapes import Body, Limit, Page, Row, Word, example, examples

router = APIRouter(tags=["administrators"])
_ANN = {"name": "ann", "role": "operator", "totp": True, "security_keys": [], "sessions": 1}
_TOKEN = {"id": "1f2e3d4c", "label": "backup", "role": "viewer", "scope": ["queue"], "expires": None}
_LINK = {"name": "ann", "link": "https://mail.example.org:8443/invitation/..."}


class NewAdministrator(Body):
    model_config = examples(ann={"name": "ann", "role": "operator"})
    name: Word
    role: Role


class WantedRole(Body):
    model_config = examples(one={"role": "viewer"})
    role: Role


class TokenToAdd(Body):
    """Without `expires` it ends after 90 days."""

    model_config = examples(backup={"label": "backup", "role": "viewer", "scope": ["queue", "tracking"]})
    label: Word
    role: Role = Role.VIEWER
    scope: Annotated[tuple[Area, ...], Field(max_length=20)] = ()
    expires: AwareDatetime | None = None


@router.get("/administrators", responses=example([_ANN]))
async def administrators(acts: Annotated[Acts, Depends(acts_of)]) -> list[Row]:
    """Gatepost's own, and people of the directories who have signed in."""
    return await acts.administrator.all()


@router.post(
    "/administrators", status_code=201, dependencies=[Depends(idempotency_key)], responses=example(_LINK, 201)
)
async def add(new: NewAdministrator, response: Response, acts: Annotated[Acts, Depends(acts_of)]) -> Row:
    """A new one, and the one-time link by which it sets its password: in this answer alone."""
    response.headers[MARK] = "yes"
    link = await acts.administrator.add(new.name, new.role)
    return {"name": new.name, "link": link.reveal()}


@router.put("/administrators/{name}/role", responses=example(_ANN))
async def set_role(name: str, wanted: WantedRole, acts: Annotated[Acts, Depends(acts_of)]) -> Row:
    """Another role, from the next request on. Idempotent. The last administrator stays one (409)."""
    return await acts.administrator.set_role(name, wanted.role)


@router.post(
    "/administrators/{name}/reset", status_code=201, dependencies=[Depends(idempotency_key)],
    responses=example(_LINK, 201),
)  # fmt: skip
async def reset(name: str, response: Response, acts: Annotated[Acts, Depends(acts_of)]) -> Row:
    """Signed out everywhere; the link sets a new password, without second factors."""
    response.headers[MARK] = "yes"
    link = await acts.administrator.reset(name)
    return {"name": name, "link": link.reveal()}


@router.delete("/administrators/{name}", status_code=204)
async def remove(name: str, acts: Annotated[Acts, Depends(acts_of)]) -> Response:
    """Gone, signed out, its tokens worth nothing. Idempotent: the second time it is 404."""
    await acts.administrator.remove(name)
    return Response(status_code=204)


@router.get("/tokens", responses=example([_TOKEN]))
async def tokens(acts: Annotated[Acts, Depends(acts_of)]) -> list[Row]:
    """Every token without its secret, the newest first."""
    return await acts.token.all()


@router.post(
    "/tokens", status_code=201, dependencies=[Depends(idempotency_key)],
    responses=example(_TOKEN | {"token": "gp_1f2e3d4c_..."}, 201),
)  # fmt: skip
async def add_token(new: TokenToAdd, response: Response, acts: Annotated[Acts, Depends(acts_of)]) -> Row:
    """A token: its secret is in this answer alone. An Idempotency-Key sent again is told 409."""
    response.headers[MARK] = "yes"
    scope = [area.value for area in new.scope]
    expires = new.expires or datetime.now(UTC) + timedelta(days=90)
    made = await acts.token.add(new.label, new.role, scope=scope, expires=expires)
    return made.row | {"token": made.secret.reveal()}


@router.delete("/tokens/{token}", status_code=204)
async def revoke(token: str, acts: Annotated[Acts, Depends(acts_of)]) -> Response:
    """Worth nothing, at once. Idempotent: the second time it is 404."""
    await acts.token.revoke(token)
    return Response(status_code=204)


@router.get(
    "/audit", tags=["audit"],
    responses=example({"items": [{"id": 7, "who": "ann", "what": "queue-hold"}], "next": None}),
)  # fmt: skip
def audit(
    acts: Annotated[Acts, Depends(asks("audit"))],
    subject: Annotated[Word | None, Query(description="Of this alone.")] = None,
    limit: Limit = 100,
    after: Annotated[int | None, Query(ge=1, le=2**62, description="The `next` of the page before.")] = None,
) -> Page:
    """Who changed what, from what to what, the newest first. Never a secret."""
    found = acts.house.accounts.audit.changes(subject=subject, before_id=after, limit=limit + 1)
    rows = [asdict(one) | {"at": one.at.isoformat()} for one in found[:limit]]
    return Page(items=rows, next=str(found[limit - 1].id) if len(found) > limit else None)
