"""What sends here without being a person, and what a device's secret is good for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, Field, StrictBool

from gatepost.admin.acts import Acts
from gatepost.console.api.caller import acts_of
from gatepost.console.api.shapes import Body, Row, Word, example, examples
from gatepost.policy.allotment import Allotment
from gatepost.store.app_password import AppPasswordChange, networks_of, senders_of

router = APIRouter(tags=["accounts"])
_NAS = {
    "name": "10.0.5.17", "kind": "address", "of": "10.0.5.17", "label": None, "state": "well",
    "source": "10.0.5.17", "last_used": "2026-01-31T02:00:04+00:00", "last_sent": "2026-01-31T02:00:04+00:00",
    "usual_seconds": 86_400.0, "silent_since": None, "expires": None,
}  # fmt: skip
Words = Annotated[tuple[Word, ...], Field(max_length=50)] | None
Most = Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)] | None


class DeviceToChange(Body):
    """What is to be different; what is left out stays. Empty lists: anywhere, all addresses. 0: no limit."""

    model_config = examples(moved={"networks": ["10.0.9.31"]}, lasting={"unending": True})
    networks: Words = None
    senders: Words = None
    collects: StrictBool | None = None
    expires: AwareDatetime | None = None
    unending: Annotated[StrictBool, Field(description="It never expires.")] = False
    messages_per_minute: Most = None
    recipients_per_hour: Most = None
    recipients_per_day: Most = None

    def wanted(self) -> AppPasswordChange:
        """Raises AccountError."""
        return AppPasswordChange(
            None if self.networks is None else networks_of(self.networks),
            None if self.senders is None else senders_of(self.senders),
            Allotment(self.messages_per_minute, self.recipients_per_hour, self.recipients_per_day),
            self.collects,
            self.expires,
            unending=self.unending,
        )


@router.get("/devices", responses=example([_NAS]))
async def devices(acts: Annotated[Acts, Depends(acts_of)]) -> list[Row]:
    """Every device, those that are missed first: by app password, by account, by address."""
    return await acts.device.all()


@router.delete("/devices/{name:path}", responses=example(_NAS))
async def forget_device(name: str, acts: Annotated[Acts, Depends(acts_of)]) -> Row:
    """It is not missed any more, until it sends again. Idempotent: the second time it is 404."""
    return await acts.device.forget(name)


@router.get("/app-passwords", responses=example([{"account": "ann@example.org", "label": "Printer"}]))
async def all_app_passwords(acts: Annotated[Acts, Depends(acts_of)], revoked: bool = False) -> list[Row]:
    """The app passwords of all accounts, with the last use of each. Never a secret."""
    return await acts.device.app_passwords(over=revoked)


@router.patch(
    "/users/{name}/app-passwords/{label}",
    responses=example({"label": "Printer", "networks": ["10.0.9.31/32"]}),
)
async def change_app_password(
    name: str, label: str, change: DeviceToChange, acts: Annotated[Acts, Depends(acts_of)]
) -> Row:
    """Changes what is named; the secret stays. Idempotent."""
    return await acts.device.change(name, label, change.wanted())
