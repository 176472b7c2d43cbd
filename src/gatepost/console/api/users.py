"""Users and their devices."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, Field, SecretStr, StrictBool

from gatepost.admin import accounts as admin
from gatepost.admin.acts import Acts
from gatepost.admin.acts_accounts import NewUser, UserChange
from gatepost.console.api.caller import acts_of, asks
from gatepost.console.api.idempotency import MARK, idempotency_key
from gatepost.console.api.shapes import After, Body, Limit, Page, Row, Word, example, examples
from gatepost.policy.allotment import Allotment
from gatepost.secret import Secret
from gatepost.store.app_password import LENGTH, NewAppPassword, networks_of, senders_of
from gatepost.store.user import User

router = APIRouter(tags=["accounts"])
_BOB = {
    "name": "bob@example.org", "full_name": "Bob", "addresses": ["robert@example.org"], "disabled": False,
    "administrator": False, "guessable": False, "quota_bytes": None, "created": "2026-01-31T08:00:00+00:00",
}  # fmt: skip
Password = Annotated[SecretStr, Field(min_length=1, max_length=1_024)]
Quota = Annotated[int, Field(ge=0, le=2**62, strict=True)]
Most = Annotated[int, Field(ge=1, le=1_000_000_000, strict=True)] | None


class UserToAdd(Body):
    """A user. Without a password nobody can log in with it yet."""

    model_config = examples(
        bob={"name": "bob@example.org", "password": "three plain words", "full_name": "Bob"}
    )
    name: Word
    password: Password | None = None
    full_name: Annotated[str, Field(max_length=254)] = ""
    addresses: Annotated[tuple[Word, ...], Field(max_length=1_000)] = ()
    administrator: StrictBool = False
    quota_bytes: Quota | None = None
    even_so: Annotated[
        StrictBool, Field(description="Also a password that is short, or that attackers try.")
    ] = False


class UserToChange(Body):
    """What is to be different; left out: stays."""

    model_config = examples(name={"full_name": "Robert"}, quota={"quota_default": True})
    full_name: Annotated[str, Field(max_length=254)] | None = None
    addresses: Annotated[tuple[Word, ...], Field(max_length=1_000)] | None = None
    quota_bytes: Quota | None = None
    quota_default: Annotated[StrictBool, Field(description="The quota of [mailboxes].")] = False
    administrator: StrictBool | None = None


class NewPassword(Body):
    model_config = examples(one={"password": "three plain words"})
    password: Password
    even_so: StrictBool = False


class Disabled(Body):
    model_config = examples(one={"disabled": True})
    disabled: StrictBool


class Device(Body):
    """What the secret of a device is to be good for. No networks: anywhere; no senders: all addresses."""

    model_config = examples(printer={"label": "Printer 2nd floor", "networks": ["10.0.5.0/24"]})
    label: Word
    networks: Annotated[tuple[Word, ...], Field(max_length=50)] = ()
    senders: Annotated[tuple[Word, ...], Field(max_length=50)] = ()
    collects: Annotated[StrictBool, Field(description="Also for fetching mail.")] = False
    expires: AwareDatetime | None = None
    messages_per_minute: Most = None
    recipients_per_hour: Most = None
    recipients_per_day: Most = None

    def wanted(self) -> NewAppPassword:
        """Raises AccountError."""
        limits = Allotment(self.messages_per_minute, self.recipients_per_hour, self.recipients_per_day)
        expires: datetime | None = self.expires
        networks, senders = networks_of(self.networks), senders_of(self.senders)
        return NewAppPassword(self.label, networks, senders, limits, self.collects, expires)


@router.get("/users", responses=example({"items": [_BOB], "next": None}))
def users(
    acts: Annotated[Acts, Depends(asks("account-show"))],
    containing: Annotated[str, Query(max_length=254, description="In name or full name.")] = "",
    limit: Limit = 100,
    after: After = "",
) -> Page:
    """A page of the users by name."""
    settings, accounts = acts.house.settings(), acts.house.accounts
    found = accounts.users.page(after=after, limit=limit + 1, containing=containing)
    rows = [admin.user_row(settings, accounts, user) for user in found[:limit]]
    return Page(items=rows, next=rows[-1]["name"] if len(found) > limit else None)


@router.post("/users", status_code=201, dependencies=[Depends(idempotency_key)], responses=example(_BOB, 201))
async def add_user(new: UserToAdd, acts: Annotated[Acts, Depends(acts_of)]) -> Row:
    """A new user with a mailbox. With an Idempotency-Key done once; a name that is taken is 409."""
    password = None if new.password is None else Secret(new.password.get_secret_value())
    user = await acts.user.add(
        NewUser(
            new.name, password, new.full_name, new.addresses, new.administrator, new.quota_bytes, new.even_so
        )
    )
    return await _row(acts, user)


@router.get("/users/{name}", responses=example(_BOB | {"groups": ["pop3 relay"]}))
def user(name: str, acts: Annotated[Acts, Depends(asks("account-show"))]) -> Row:
    """One user, with groups (also through groups) and mailbox."""
    settings, accounts = acts.house.settings(), acts.house.accounts
    found = accounts.users.get(name, tuple(settings.domains))
    return admin.user_row(settings, accounts, found, whole=True)


@router.patch("/users/{name}", responses=example(_BOB))
async def change_user(name: str, change: UserToChange, acts: Annotated[Acts, Depends(acts_of)]) -> Row:
    """Changes what is named. Idempotent: it names what shall be, not steps."""
    wanted = UserChange(
        change.full_name, change.addresses, change.quota_bytes, change.quota_default, change.administrator
    )
    return await _row(acts, await acts.user.change(name, wanted))


@router.put("/users/{name}/password", status_code=204)
async def set_password(name: str, new: NewPassword, acts: Annotated[Acts, Depends(acts_of)]) -> Response:
    """A new password; the old one is dead at once. Idempotent."""
    await acts.user.set_password(name, Secret(new.password.get_secret_value()), even_so=new.even_so)
    return Response(status_code=204)


@router.put("/users/{name}/disabled", responses=example(_BOB | {"disabled": True}))
async def set_disabled(name: str, wanted: Disabled, acts: Annotated[Acts, Depends(acts_of)]) -> Row:
    """No login any more, or again. Idempotent."""
    return await _row(acts, await (acts.user.disable(name) if wanted.disabled else acts.user.enable(name)))


@router.delete("/users/{name}", status_code=204)
async def delete_user(
    name: str, acts: Annotated[Acts, Depends(acts_of)], with_mailbox: bool = False
) -> Response:
    """The user is gone; the mailbox stays unless `with_mailbox`. Idempotent: the second time it is 404."""
    await acts.user.delete(name, with_mailbox=with_mailbox)
    return Response(status_code=204)


@router.get(
    "/users/{name}/app-passwords", responses=example([{"label": "Printer 2nd floor", "state": "good"}])
)
async def app_passwords(
    name: str, acts: Annotated[Acts, Depends(acts_of)], revoked: bool = False
) -> list[Row]:
    """The devices of an account, without their secrets. Accounts of other directories have them too."""
    return await acts.device.app_passwords(name, over=revoked)


@router.post(
    "/users/{name}/app-passwords", status_code=201, dependencies=[Depends(idempotency_key)],
    responses=example({"label": "Printer 2nd floor", "secret": "abcd-efgh-jkmn-pqrs"}, 201),
)  # fmt: skip
async def add_app_password(
    name: str, device: Device, response: Response, acts: Annotated[Acts, Depends(acts_of)]
) -> Row:
    """One secret for one device: it is in this answer and nowhere else.

    With an Idempotency-Key done once; the answer to the same request is then 409, without the secret.
    """
    response.headers[MARK] = "yes"
    return (await acts.device.add(name, device.wanted(), length=LENGTH)).row()


@router.delete(
    "/users/{name}/app-passwords/{label}", responses=example({"label": "Printer", "state": "revoked"})
)
async def revoke_app_password(name: str, label: str, acts: Annotated[Acts, Depends(acts_of)]) -> Row:
    """The device may not log in any more. Idempotent: the second time it is 404."""
    return await acts.device.revoke(name, label)


async def _row(acts: Acts, user: User) -> Row:
    return await acts.house.work(lambda: admin.user_row(acts.house.settings(), acts.house.accounts, user))
