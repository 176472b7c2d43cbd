"""What is weak here: every virtual server, account, certificate and setting looked at, worst first.

Works whether a Gatepost runs or not. Not to be confused with `store/audit.py`, the list of changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from gatepost.admin.audit_access import access_weaknesses, line_of
from gatepost.admin.audit_accounts import (
    alias_weakness,
    contained_weaknesses,
    disabled_weakness,
    recorded_logins,
    stale_weaknesses,
)
from gatepost.admin.audit_certificates import certificate_weaknesses
from gatepost.admin.audit_directory import Surveyed, asked_of_directories, surveyed
from gatepost.admin.audit_files import file_weaknesses
from gatepost.admin.audit_house import house_weaknesses
from gatepost.admin.audit_meanings import Weak
from gatepost.admin.audit_passwords import Outcome, Subject, still_weak
from gatepost.admin.audit_people import Asked, protected_weaknesses
from gatepost.admin.audit_secrets import secret_weaknesses
from gatepost.admin.audit_weakness import Grade, Weakness, worst_first
from gatepost.admin.explain_rows import relayer_row
from gatepost.admin.learn import Learning, learning
from gatepost.admin.relay_groups import everybody_in
from gatepost.admin.relay_report import empty_groups, without_login
from gatepost.admin.relayers import relay_entries, strangers, users
from gatepost.admin.silence import silent_log
from gatepost.config.gateway import container_gateway
from gatepost.config.schema import Settings
from gatepost.log import Log
from gatepost.policy.access import Kind
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.store.accounts import Accounts
from gatepost.store.memberships import Ways
from gatepost.store.place import Place
from gatepost.store.user import Credential

Row = dict[str, Any]
STALE_DAYS: Final = 90
CONSOLE: Final = "console administrator "  # before their names, among those whose passwords are tried


@dataclass(frozen=True, slots=True)
class Survey:
    """The answer. `relayers` has a row for each who could relay, or was meant to, by virtual server."""

    hostname: str
    file: str
    at: datetime
    weaknesses: tuple[Weakness, ...]
    relayers: dict[str, list[Row]] = field(default_factory=dict)
    passwords: Outcome | None = None

    @property
    def is_critical(self) -> bool:
        return any(one.grade is Grade.CRITICAL for one in self.weaknesses)

    def count(self, grade: Grade) -> int:
        return sum(one.grade is grade for one in self.weaknesses)

    def row(self) -> Row:
        tried = self.passwords
        return {
            "hostname": self.hostname,
            "file": self.file,
            "at": self.at.isoformat(timespec="seconds"),
            "counts": {grade.value: self.count(grade) for grade in Grade},
            "weaknesses": [one.row() for one in self.weaknesses],
            "relayers": self.relayers,
            "passwords": None
            if tried is None
            else {"weak": tried.weak, "not_finished": tried.left, "tried": tried.tried},
        }


@dataclass(slots=True)
class _House:
    """What was learnt of the people, virtual server by virtual server."""

    asked: list[Asked] = field(default_factory=list)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    disabled: list[str] = field(default_factory=list)


def survey_now(settings: Settings, accounts: Accounts, *, days: int = STALE_DAYS) -> Survey:
    """`survey` at this moment, with nothing logged of it. Raises as it does."""
    with learning(settings, accounts) as known, silent_log() as log:
        return survey(settings, known, log, now=datetime.now(UTC), days=days)


def survey(
    settings: Settings,
    known: Learning,
    log: Log,
    *,
    now: datetime,
    days: int = STALE_DAYS,
    passwords: Outcome | None = None,
) -> Survey:
    """Everything but trying passwords, whose outcome is given; without it the last one counts.

    Raises DatabaseError, sqlite3.Error.
    """
    accounts, place = known.accounts, Place(settings.state)
    there = surveyed(settings, known, log)
    house = _people(settings, known, there)
    found: list[Weakness] = [*access_weaknesses(settings, container_gateway()), *there.weaknesses]
    found += protected_weaknesses(settings, house.asked)
    found += stale_weaknesses(house.asked, recorded_logins(place), accounts, now=now, days=days)
    found += disabled_weakness(house.disabled)
    found += contained_weaknesses(place)
    found += _groups(settings, accounts, there)
    found += alias_weakness(settings, accounts)
    found += secret_weaknesses(settings, accounts, now)
    found += certificate_weaknesses(settings, now)
    found += house_weaknesses(settings)
    found += file_weaknesses(settings)
    weak = passwords.weak if passwords is not None else _known_weak(place, accounts)
    found += _password_weaknesses(accounts, house, weak)
    found += _not_tried(passwords)
    file = str(settings.source.path)
    return Survey(settings.hostname, file, now, worst_first(found), house.rows, passwords)


def _people(settings: Settings, known: Learning, there: Surveyed) -> _House:
    house = _House()
    elsewhere = list(asked_of_directories(settings, known, there))
    house.disabled += there.disabled
    numbers = {user.name: user.id for user in known.accounts.users.all()}
    ways = Ways(known.accounts.database)
    logins: dict[str, Identity | Reason] = {}
    for server in settings.smtp.values():
        rows = [relayer_row(one, {}) for one in strangers(server)]
        for name in known.names_meant(server):
            login = logins[name] if name in logins else logins.setdefault(name, known.login(name))
            if isinstance(login, Identity):
                paths = ways.of(numbers[login.name]) if login.name in numbers else {}
                mine = [Asked(server, login, one, paths) for one in users(server, [login])]
                house.asked += mine
                rows += [one.row() for one in mine]
            else:
                rows.append(without_login(name, login))
                house.disabled += [name] if login is Reason.ACCOUNT_DISABLED else []
        others = [one for one in elsewhere if one.server is server]
        house.asked += others
        rows += [one.row() for one in others]
        house.rows[server.name] = [*rows, *empty_groups(server, known, there.there)]
    return house


def _groups(settings: Settings, accounts: Accounts, there: Surveyed) -> Iterator[Weakness]:
    """Relay groups with nobody or everybody in them, as far as the local accounts can tell."""
    for server in settings.smtp.values():
        for entry in relay_entries(server.access):
            group = entry.to.text.partition(":")[2]
            where = (line_of(settings, entry.line),)
            if entry.to.kind is not Kind.GROUP or entry.to.name in there.there:
                continue
            if accounts.groups.find(group) is None:
                text = f"{server.name}: there is no group {group}"
                yield Weakness(Weak.NO_MEMBER, Grade.INFO, text, where, f'`gatepost group add "{group}"`')
            elif not accounts.groups.members(group, nested=True, limit=1):
                text = f"{server.name}: nobody is in the group {group}"
                yield Weakness(
                    Weak.NO_MEMBER, Grade.INFO, text, where, f'`gatepost group join "{group}" USER`'
                )
            elif count := everybody_in(accounts, group):
                text = f"everybody is in the group {group}: all {count} accounts"
                yield Weakness(Weak.EVERYBODY_RELAYS, Grade.MEDIUM, text, where)


def _password_weaknesses(accounts: Accounts, house: _House, weak: Sequence[str]) -> Iterator[Weakness]:
    relaying = {one.identity.name for one in house.asked if one.relayer.may}
    for name in weak:
        if name.startswith(CONSOLE):
            text = f"the password of {name} is one that attackers try first"
            remedy = f"`gatepost admin reset {name.removeprefix(CONSOLE)}` prints a link for a new one"
            yield Weakness(Weak.WEAK_PASSWORD, Grade.CRITICAL, text, (name,), remedy)
            continue
        user = accounts.users.find(name)
        administrator = user is not None and user.administrator
        grade = Grade.CRITICAL if name in relaying or administrator else Grade.HIGH
        may = "it may relay" if name in relaying else "an administrator" if administrator else "it may log in"
        text = f"the password of {name} is one that attackers try first, and {may}"
        remedy = f"`gatepost user passwd {name}`; `gatepost trace --user {name}` shows whether it was used"
        yield Weakness(Weak.WEAK_PASSWORD, grade, text, (name,), remedy)


def _not_tried(outcome: Outcome | None) -> Iterator[Weakness]:
    if outcome is None:
        text = "passwords of local accounts were not tried this time"
        yield Weakness(Weak.PASSWORDS_NOT_TRIED, Grade.INFO, text, (), "run `gatepost audit` with passwords")
    elif outcome.left:
        text = f"the passwords of {len(outcome.left)} accounts were not tried to the end"
        yield Weakness(Weak.PASSWORDS_NOT_TRIED, Grade.INFO, text, tuple(outcome.left))


def _known_weak(place: Place, accounts: Accounts) -> list[str]:
    """Whose password an earlier run found, as long as it stands."""

    def credential(name: str) -> Credential | None:
        if not name.startswith(CONSOLE):
            user = accounts.users.find(name)
            return None if user is None or user.disabled else accounts.users.credential(name)
        one = accounts.administrators.find(name.removeprefix(CONSOLE))
        return None if one is None or one.password_hash is None else Credential(one.password_hash, None)

    return still_weak(place.password_trials, credential)


def subjects(accounts: Accounts, *, year: int) -> list[Subject]:
    """Who can log in with a password kept here: the console's administrators, then local accounts."""
    found = [
        Subject(f"{CONSOLE}{one.name}", Credential(one.password_hash, None), "", year)
        for one in accounts.administrators.all()
        if one.password_hash is not None
    ]
    for user in sorted(accounts.users.all(), key=lambda user: not user.administrator):
        credential = None if user.disabled else accounts.users.credential(user.name)
        if credential is not None:
            found.append(Subject(user.name, credential, user.full_name, year))
    return found
