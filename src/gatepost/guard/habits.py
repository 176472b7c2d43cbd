"""What each account is used to, and when it leaves that. Pure: times are Unix seconds.

A day's sending is compared with the account's own busy days and with lines for accounts that nobody
knows yet. From a network where it never was, or at an hour at which it never sends, the lines of an
unknown account are half as high: a stolen password shows itself there first.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from gatepost.config.schema import Habits as HabitSettings

DAY_SECONDS: Final = 86_400.0
HOUR_SECONDS: Final = 3_600.0
_MARK_BYTES: Final = 6
_RECIPIENTS_KNOWN: Final = 5_000
_NETWORKS_KNOWN: Final = 64
_HOURS_NEED_DAYS: Final = 10  # so many days before an hour can be an unusual one
_FADE: Final = 0.97  # a busy day counts half after three weeks
Part = dict[str, Any]


# What the lines for unknown accounts are made for: the default of recipients_per_day_per_user.
_USUAL_ALLOWANCE: Final = 2_000
_LINES: Final = ("messages_per_day", "recipients_per_day", "new_recipients_per_day", "domains_per_day")


def lines_for(settings: HabitSettings, recipients_per_day: int) -> HabitSettings:
    """The settings for a house that allows a user so many recipients a day.

    Who allows ten times the usual expects ten times the mail: lines that the file does not set itself
    grow in proportion, and never shrink.
    """
    if recipients_per_day <= _USUAL_ALLOWANCE:
        return settings
    larger = {
        name: getattr(settings, name) * recipients_per_day // _USUAL_ALLOWANCE
        for name in _LINES
        if name not in settings.model_fields_set
    }
    return settings.model_copy(update=larger)


@dataclass(frozen=True, slots=True)
class Breach:
    """More than the line. `what` is one of the counts: messages, recipients, ..."""

    what: str
    count: int
    line: int
    unusual: str = ""

    def __str__(self) -> str:
        where = f", {self.unusual}" if self.unusual else ""
        return f"{self.count} {self.what.replace('_', ' ')} within a day, the line is {self.line}{where}"


COUNTS: Final = ("messages", "recipients", "new_recipients", "domains", "refusals")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the administrator gave this user, or its groups, apart from everybody; 0: nothing."""

    recipients: int = 0
    domains: int = 0

    def of(self, what: str) -> int:
        """Each may be a message of its own, to somebody new. Nobody is given refusals."""
        return {"domains": self.domains, "refusals": 0}.get(what, self.recipients)


NOTHING_GIVEN: Final = Allowed()


@dataclass(slots=True)
class _Hour:
    begins: float
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    domains: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Account:
    """`busy` are the counts of busy days, fading; `hours` how many days it sent in each hour of the day."""

    recent: deque[_Hour] = field(default_factory=deque)
    recipients: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    networks: OrderedDict[str, None] = field(default_factory=OrderedDict)
    busy: dict[str, float] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0.0))
    hours: list[int] = field(default_factory=lambda: [0] * 24)
    days: int = 0
    day: int = -1
    today: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    hours_today: set[int] = field(default_factory=set)
    networks_today: set[str] = field(default_factory=set)
    unusual: str = ""
    allowed: Allowed = field(default_factory=lambda: NOTHING_GIVEN)


class Habits:
    """Of at most `accounts` accounts, the longest unused forgotten first."""

    def __init__(self, settings: HabitSettings, *, accounts: int = 20_000) -> None:
        self._settings = settings
        self._accounts_at_most = accounts
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        self._changed: dict[str, None] = {}

    def change(self, settings: HabitSettings) -> None:
        self._settings = settings

    def sent(
        self, user: str, network: str, recipients: Sequence[str], now: float, *, messages: int = 1
    ) -> Breach | None:
        """Messages to these in all were taken in from the user; what line is crossed by that, if any."""
        account = self._at(user, now)
        hour = self._hour(account, now)
        strangers = sum(self._is_new(account, recipient) for recipient in recipients)
        known = {domain for one in account.recent for domain in one.domains}
        domains = {recipient.rpartition("@")[2] for recipient in recipients} - known
        hour.domains |= domains
        account.unusual = self._unusual(account, network, now)
        account.hours_today.add(_hour_of_day(now))
        self._add(account, hour, messages=messages, recipients=len(recipients), new_recipients=strangers,
                  domains=len(domains))  # fmt: skip
        return self._breach(user, account)

    def refused(self, user: str, count: int, now: float) -> Breach | None:
        """Next hops refused so many of its recipients for good."""
        account = self._at(user, now)
        self._add(account, self._hour(account, now), refusals=count)
        return self._breach(user, account)

    def allow(self, user: str, allowed: Allowed, now: float) -> None:
        """Within that it is never contained."""
        if allowed != NOTHING_GIVEN or user in self._accounts:
            self._at(user, now).allowed = allowed

    def nobody_apart(self) -> None:
        """Nobody was given anything any more."""
        for account in self._accounts.values():
            account.allowed = NOTHING_GIVEN

    def forgive(self, user: str) -> None:
        """What it did lately is not held against it; where and to whom it sends is usual now."""
        account = self._accounts.get(user)
        if account is not None:
            account.recent.clear()
            self._changed[user] = None
            account.networks.update(dict.fromkeys(account.networks_today))

    def line(self, user: str, what: str, *, unusual: bool = False) -> int:
        """How much of it is let pass within a day."""
        settings = self._settings
        cold = {
            "messages": settings.messages_per_day,
            "recipients": settings.recipients_per_day,
            "new_recipients": settings.new_recipients_per_day,
            "domains": settings.domains_per_day,
            "refusals": settings.refusals_per_day,
        }[what]
        account = self._accounts.get(user)
        usual = account.busy[what] * settings.factor if account is not None else 0.0
        given = account.allowed.of(what) if account is not None else 0
        return max(cold // 2 if unusual else cold, int(usual), given, 1)

    def changed(self, most: int) -> dict[str, Part | None]:
        """Up to so many users who did something since they were last asked for; None: forgotten."""
        users = list(self._changed)[:most]
        for user in users:
            del self._changed[user]
        return {user: self._part(self._accounts[user]) if user in self._accounts else None for user in users}

    def not_kept(self, users: Iterable[str]) -> None:
        """They are asked for again."""
        self._changed |= dict.fromkeys(users)

    def restore(self, user: str, row: Any, elapsed_seconds: float) -> None:
        """What was learnt, and what was done within a day. Raises ValueError for what is no part."""
        try:
            marks = bytes.fromhex(row["recipients"])
            account = _Account(
                recent=deque(_Hour(at, dict(counts), set(domains)) for at, counts, domains in row["recent"]),
                busy={what: float(row["busy"][what]) for what in COUNTS},
                hours=[int(count) for count in row["hours"]],
                days=int(row["days"]),
                day=int(row["day"]),
                today={what: int(row["today"][what]) for what in COUNTS},
                hours_today=set(row["hours_today"]),
                networks_today=set(row["networks_today"]),
            )
            for at in range(0, len(marks), _MARK_BYTES):
                account.recipients[marks[at : at + _MARK_BYTES]] = None
            account.networks = OrderedDict.fromkeys(row["networks"])
            self._accounts[user] = account
        except (KeyError, TypeError) as problem:
            raise ValueError(f"no habits: {problem}") from None

    @staticmethod
    def _part(one: _Account) -> Part:
        """As JSON can hold it."""
        return {
            "recipients": b"".join(one.recipients).hex(),
            "networks": list(one.networks),
            "recent": [[hour.begins, hour.counts, sorted(hour.domains)] for hour in one.recent],
            "busy": one.busy,
            "hours": one.hours,
            "days": one.days,
            "day": one.day,
            "today": one.today,
            "hours_today": sorted(one.hours_today),
            "networks_today": sorted(one.networks_today),
        }

    # inside

    def _at(self, user: str, now: float) -> _Account:
        account = self._accounts.get(user)
        if account is None:
            account = self._accounts[user] = _Account()
            if len(self._accounts) > self._accounts_at_most:
                self._changed[self._accounts.popitem(last=False)[0]] = None
        self._accounts.move_to_end(user)
        self._changed[user] = None
        day = int(now // DAY_SECONDS)
        if day > account.day:
            self._learn(account)
            account.day = day
        return account

    def _learn(self, account: _Account) -> None:
        """A day is over: it is what the account is used to."""
        if account.today["messages"]:
            account.days += 1
            for what in COUNTS:
                account.busy[what] = max(account.busy[what] * _FADE, float(account.today[what]))
            for hour in account.hours_today:
                account.hours[hour] += 1
        for network in account.networks_today:
            account.networks[network] = None
            account.networks.move_to_end(network)
            if len(account.networks) > _NETWORKS_KNOWN:
                account.networks.popitem(last=False)
        account.today = dict.fromkeys(COUNTS, 0)
        account.hours_today = set()
        account.networks_today = set()

    @staticmethod
    def _hour(account: _Account, now: float) -> _Hour:
        recent = account.recent
        while recent and recent[0].begins <= now - DAY_SECONDS:
            recent.popleft()
        if not recent or now - recent[-1].begins >= HOUR_SECONDS:
            recent.append(_Hour(now))
        return recent[-1]

    @staticmethod
    def _add(account: _Account, hour: _Hour, **counts: int) -> None:
        for what, count in counts.items():
            hour.counts[what] += count
            account.today[what] += count

    @staticmethod
    def _is_new(account: _Account, recipient: str) -> bool:
        mark = blake2b(recipient.lower().encode("utf-8", "replace"), digest_size=_MARK_BYTES).digest()
        is_new = mark not in account.recipients
        account.recipients[mark] = None
        account.recipients.move_to_end(mark)
        if len(account.recipients) > _RECIPIENTS_KNOWN:
            account.recipients.popitem(last=False)
        return is_new

    @staticmethod
    def _unusual(account: _Account, network: str, now: float) -> str:
        """Why the message is an unusual one, in words; empty when it is not."""
        if network not in account.networks:
            account.networks_today.add(network)
            if account.days:
                return f"from {network}, a new network"
        hour = _hour_of_day(now)
        near = sum(account.hours[(hour + step) % 24] for step in (-1, 0, 1))
        if account.days >= _HOURS_NEED_DAYS and not near:
            return "at an hour at which it never sends"
        return ""

    def _breach(self, user: str, account: _Account) -> Breach | None:
        if not self._settings.enabled or user in self._settings.exempt:
            return None
        unusual = account.unusual
        for what in COUNTS:
            count = sum(hour.counts[what] for hour in account.recent)
            line = self.line(user, what, unusual=bool(unusual))
            if count > line:
                return Breach(what, count, line, unusual)
        return None


def _hour_of_day(now: float) -> int:
    return int(now % DAY_SECONDS // HOUR_SECONDS)
