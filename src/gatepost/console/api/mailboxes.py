"""Mailboxes: how full they are, and from when their mail is. Never the mail."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from gatepost.admin import mailbox as admin
from gatepost.admin.acts import Acts
from gatepost.admin.house import House
from gatepost.console.api.caller import asks
from gatepost.console.api.shapes import After, Limit, Page, Row, example

router = APIRouter(tags=["accounts"])
_BOX = {
    "account": "bob@example.org", "messages": 12, "size_bytes": 81_920, "quota_bytes": 1_073_741_824,
    "has_user": True,
}  # fmt: skip


@router.get("/mailboxes", responses=example({"items": [_BOX], "next": None}))
async def mailboxes(
    acts: Annotated[Acts, Depends(asks("account-show"))], limit: Limit = 100, after: After = ""
) -> Page:
    """A page of the mailboxes, by account; also those whose user is gone."""
    rows = await acts.house.work(lambda: _page(acts.house, after, limit + 1))
    return Page(items=rows[:limit], next=str(rows[limit - 1]["account"]) if len(rows) > limit else None)


def _page(house: House, after: str, limit: int) -> list[Row]:
    settings = house.settings()
    boxes = admin.mailboxes(settings)
    names = [name for name in boxes.names() if name > after][:limit]
    return [admin.listed(settings, house.accounts, boxes, name) for name in names]


@router.get("/mailboxes/{name}", responses=example(_BOX | {"oldest": None, "newest": None}))
async def mailbox(name: str, acts: Annotated[Acts, Depends(asks("account-show"))]) -> Row:
    """One mailbox, also where it lies and from when its mail is."""
    return await acts.house.work(lambda: _one(acts.house, name))


def _one(house: House, name: str) -> Row:
    settings = house.settings()
    boxes = admin.mailboxes(settings)
    account = admin.account_of(settings, house.accounts, boxes, name)
    return admin.row(settings, house.accounts, boxes, account)
