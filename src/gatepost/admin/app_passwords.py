"""App passwords as an operator handles them: for whom, what is doubtful about one, and how it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from gatepost.admin.accounts import whole_name
from gatepost.config.schema import Settings
from gatepost.mail.address import Address
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store import naming
from gatepost.store.account_error import AccountError, Ambiguous, BadName, NotFound
from gatepost.store.accounts import Accounts
from gatepost.store.app_password import (
    LENGTH,
    AppPassword,
    AppPasswordChange,
    NewAppPassword,
    grouped,
    numbers_of,
)

Row = dict[str, Any]
_DAYS: Final = re.compile(r"\d{1,5}")
_WHY_NOBODY: Final = {
    Reason.ACCOUNT_DISABLED: "is disabled, and so are its devices",
    Reason.DIRECTORY_UNAVAILABLE: "may be somebody's: the directory does not answer now",
}


class NoHolder(AccountError):
    """The account cannot have a device now."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new app password and its secret, which is nowhere else. `notes` are what may not be meant."""

    app_password: AppPassword
    secret: Secret
    notes: tuple[str, ...] = ()

    def row(self) -> Row:
        """With the secret, for whoever asked for it."""
        return app_password_row(self.app_password) | {
            "secret": grouped(self.secret), "notes": list(self.notes)
        }  # fmt: skip


def add_app_password(
    settings: Settings,
    accounts: Accounts,
    name: str,
    new: NewAppPassword,
    *,
    by: str,
    length: int = LENGTH,
) -> Issued:
    """A device may log in as the account, of whichever directory. Asks the directories: in a thread.

    Raises:
        NotFound, NoHolder: nobody is called so, or nobody who may log in.
        BadName, NameTaken: as the store.
    """
    # Loaded here: with it come all kinds of directories, and what only lists or revokes needs none.
    from gatepost.admin.learn import learning

    with learning(settings, accounts) as known:
        login = known.login(whole_name(settings, name) if "\\" not in name else name)
        if login is Reason.UNKNOWN_USER and "@" not in name:
            login = known.login(name)
    if login is Reason.UNKNOWN_USER:
        raise NotFound(f"no user {name[:254]!r} in any directory", "gatepost user list shows the local ones")
    if isinstance(login, Reason):
        why = _WHY_NOBODY.get(login, "cannot log in now")
        raise NoHolder(f"{name[:254]} {why}", "see to that first")
    made, secret = accounts.app_passwords.add(
        login.name, new, by=by, directory=login.directory, names=_names(login, name), length=length
    )
    return Issued(made, secret, tuple(_notes(login, new.senders)))


def app_password_rows(
    settings: Settings, accounts: Accounts, name: str | None = None, *, over: bool = False
) -> list[Row]:
    """Of one account, or of all; `over` adds those that were revoked. Raises Ambiguous."""
    account = None if name is None else account_of(settings, accounts, name)
    return [app_password_row(one) for one in accounts.app_passwords.all(account, revoked=over)]


def change_app_password(
    settings: Settings, accounts: Accounts, name: str, label: str, change: AppPasswordChange, *, by: str
) -> AppPassword:
    """The secret stays and is good for something else. Raises NotFound, Ambiguous, BadName."""
    return accounts.app_passwords.change(account_of(settings, accounts, name), label, change, by=by)


def revoke_app_password(
    settings: Settings, accounts: Accounts, name: str, label: str, *, by: str
) -> AppPassword:
    """The secret is worth nothing, in all workers at once. Asks no directory. Raises NotFound, Ambiguous."""
    return accounts.app_passwords.revoke(account_of(settings, accounts, name), label, by=by)


def account_of(settings: Settings, accounts: Accounts, name: str) -> str:
    """The account that `name` means among those that have devices; else a name that has none.

    Raises:
        Ambiguous: a bare name that several have.
    """
    wanted = naming.canonical(name.strip())
    there = {one.account for one in accounts.app_passwords.all(revoked=True)}
    for text in (wanted, naming.canonical(whole_name(settings, wanted))):
        if text in there:
            return text
    short = wanted.rpartition("\\")[2]
    found = sorted(account for account in there if account.partition("@")[0] == short)
    if len(found) > 1:
        raise Ambiguous(f"{name!r} is {' and '.join(found)}", "give the whole name")
    return found[0] if found else naming.canonical(whole_name(settings, wanted))


def app_password_row(one: AppPassword, now: datetime | None = None) -> Row:
    """Never the secret. `state` is good, expired or revoked. Times are ISO 8601, UTC."""
    return {
        "account": one.account,
        "directory": one.directory,
        "label": one.label,
        "state": _state(one, now or datetime.now(UTC)),
        "networks": [str(network) for network in one.networks],
        "senders": [str(sender) for sender in one.senders],
        "limits": {key: value for key, value in numbers_of(one.limits).items() if value is not None},
        "collects": one.collects,
        "created": _text(one.created),
        "made_by": one.made_by,
        "expires": _text(one.expires),
        "revoked": _text(one.revoked),
    }


def expiry_of(text: str, now: datetime) -> datetime:
    """When `90` (days), `2027-01-31` (the end of that day here) or an ISO time is. Raises BadName."""
    text = text.strip()
    if _DAYS.fullmatch(text):
        return now + timedelta(days=int(text))
    try:
        try:
            whole = date.fromisoformat(text) + timedelta(days=1)
            return datetime.combine(whole, time()).astimezone(UTC)
        except ValueError:
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadName(
            f"{text[:40]!r} is no expiry", "write a number of days, or a day like 2027-01-31"
        ) from None


def _names(login: Identity, name: str) -> set[str]:
    """What the account may be called in the device."""
    addresses = (str(address) for address in login.addresses)
    return {*login.names, *addresses, name.strip()}


def _notes(identity: Identity, senders: tuple[Address, ...]) -> Iterator[str]:
    strange = [
        str(one) for one in senders if Address(one.local.lower(), one.domain) not in identity.addresses
    ]
    if strange:
        yield (
            f"{', '.join(strange)}: no address of {identity.name}; the device may send as that only where "
            "an access entry gives the account any-sender"
        )
    if identity.privileged or identity.guessable:
        kind = "an administrator" if identity.privileged else "a name that attackers try"
        yield (
            f"{identity.name} is {kind}: its devices relay only where an access entry says "
            f'to = "user:{identity.name}"; better give the device an account of its own'
        )


def _state(one: AppPassword, now: datetime) -> str:
    if one.revoked is not None:
        return "revoked"
    return "expired" if one.expires is not None and one.expires <= now else "good"


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
