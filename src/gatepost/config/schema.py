"""Every setting there is: one TOML file, one `Settings`.

Each field's name is its key in the file. What a field means stands in docs/configuration.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, model_validator

from gatepost.config.acme import Acme
from gatepost.config.alarms import Alarm
from gatepost.config.allotments import Allotted, SharedLimits
from gatepost.config.console import Console
from gatepost.config.kerberos import Kerberos
from gatepost.config.metrics import Metrics
from gatepost.config.model import NAME, SOURCE, Model
from gatepost.config.oauth import OAuth
from gatepost.config.servers import (
    Limits,
    OnGreylist,
    OnReject,
    OnSilence,
    OnSuspicion,
    Pop3Server,
    Scan,
    SmtpServer,
    TlsMode,
    VirtualServer,
)
from gatepost.config.source import Source
from gatepost.config.value import (
    Bytes,
    Count,
    Deliver,
    Domain,
    Endpoint,
    FilePath,
    Forward,
    LdapUrl,
    Listed,
    MailAddress,
    Name,
    Net,
    OneOrList,
    RoutePattern,
    Seconds,
    Text,
    Via,
    one_of,
)
from gatepost.config.watching import WatchedDevices
from gatepost.log import Form, Level

__all__ = [
    "Alarm",
    "Allotted",
    "Certificate",
    "Directory",
    "DirectoryKind",
    "Endpoint",
    "Guard",
    "Habits",
    "Harvest",
    "Limits",
    "LocalDomain",
    "Log",
    "LogLevel",
    "LoginBy",
    "Mailboxes",
    "OnFull",
    "OnGreylist",
    "OnReject",
    "OnSilence",
    "OnSuspicion",
    "Pop3Server",
    "Retry",
    "Route",
    "RouteLogin",
    "RouteTls",
    "Scan",
    "Settings",
    "SharedLimits",
    "SmtpServer",
    "TlsMode",
    "Tracking",
    "VirtualServer",
    "WatchedDevices",
]

# The names of the attacks' literature.
GUESSABLE: Final = (
    "administrator",
    "admin",
    "root",
    "guest",
    "test",
    "demo",
    "webmaster",
    "master",
    "web",
    "www",
    "backup",
    "server",
    "data",
    "abc",
    "user",
)
DECOYS: Final = ("info", "sales", "support", "scanner", "office")


class LocalDomain(Model):
    """`[domains."NAME"]`: mail to it is never relay."""

    deliver: Deliver = "mailbox"
    unknown: Forward = "reject"
    catch_all: MailAddress | None = None
    postmaster: MailAddress | None = None
    plus_addressing: bool = True
    call_ahead: bool = True
    when_silent: Annotated[OnSilence, one_of(OnSilence)] = OnSilence.DEFER

    @property
    def defers_unheard(self) -> bool:
        return self.when_silent is OnSilence.DEFER


class Certificate(Model):
    """`[certificates.NAME]`: PEM as `chain` and `key`, or PKCS#12 as `pfx`."""

    chain: FilePath | None = None
    key: FilePath | None = None
    pfx: FilePath | None = None
    pfx_password_file: FilePath | None = None


class RouteTls(Enum):
    OFF = "off"
    MAY = "may"
    REQUIRE = "require"
    VERIFY = "verify"


class RouteLogin(Model):
    """How to log in at a smart host."""

    user: Text | None = None
    password_file: FilePath | None = None
    oauth: Text | None = None


class Route(Model):
    """`[routes."PATTERN"]`."""

    via: Via
    tls: Annotated[RouteTls, one_of(RouteTls)] = RouteTls.MAY
    ca_file: FilePath | None = None
    login: RouteLogin | None = None


class DirectoryKind(Enum):
    LOCAL = "local"
    LDAP = "ldap"


class LoginBy(Enum):
    """How a password is checked: of the entry found first, or of a name made from what was typed."""

    SEARCH = "search"
    DIRECT = "direct"


class Directory(Model):
    """`[directory.NAME]`: where accounts are; asked in the file's order."""

    kind: Annotated[DirectoryKind, one_of(DirectoryKind)] = DirectoryKind.LOCAL
    url: Annotated[tuple[LdapUrl, ...], OneOrList] = ()
    starttls: bool = True
    base: Text | None = None
    domain: Name | None = None
    bind_user: Text | None = None
    bind_password_file: FilePath | None = None
    ca_file: FilePath | None = None
    login: Annotated[LoginBy, one_of(LoginBy)] = LoginBy.SEARCH
    login_name: Text | None = None
    timeout_seconds: Seconds = 5
    facts_seconds: Seconds = 300
    stale_seconds: Seconds = 900
    proven_seconds: Annotated[int, Field(ge=0, le=86_400)] = 60
    connections: Annotated[int, Field(ge=1, le=1_000)] = 8


class OnFull(Enum):
    """A full mailbox: DEFER is told 452, REFUSE 552."""

    DEFER = "defer"
    REFUSE = "refuse"


class Mailboxes(Model):
    """`[mailboxes]`: the default quota, and what happens when it is used up."""

    quota_bytes: Bytes | None = None
    when_full: Annotated[OnFull, one_of(OnFull)] = OnFull.DEFER


class Retry(Model):
    """`[retry]`: the waits between attempts, the last one repeated."""

    intervals_seconds: Annotated[tuple[Seconds, ...], Listed, Field(min_length=1)] = (
        900,
        1_800,
        3_600,
        14_400,
    )
    delay_warning_seconds: Seconds = 43_200
    give_up_seconds: Seconds = 172_800


class Harvest(Model):
    """`[guard.harvest]`: unknown recipients named by one source, counted over `window_seconds`."""

    slow_after: Count = 5
    refuse_after: Count = 20
    window_seconds: Seconds = 3_600
    refuse_seconds: Seconds = 3_600


class Habits(Model):
    """`[guard.habits]`: what an account may do in a day before it is contained."""

    enabled: bool = True
    factor: Annotated[int, Field(ge=2, le=100)] = 5
    messages_per_day: Count = 500
    recipients_per_day: Count = 1_000
    new_recipients_per_day: Count = 300
    domains_per_day: Count = 150
    refusals_per_day: Count = 50
    exempt: Annotated[tuple[Name, ...], Listed] = ()


Few = Annotated[int, Field(ge=1, le=1_000)]  # the guard tells no more than so many passwords apart


class Guard(Model):
    """`[guard]`: the defence against guessing."""

    guessable: Annotated[tuple[Name, ...], Listed] = GUESSABLE
    harvest: Harvest = Harvest()
    habits: Habits = Habits()
    devices: WatchedDevices = WatchedDevices()
    directory_down_seconds: Seconds = 300
    decoys: Annotated[tuple[Name, ...], Listed] = DECOYS
    trusted: Annotated[tuple[Net, ...], Listed] = ()
    records_days: Count = 90
    known_sources_days: Count = 90
    window_seconds: Seconds = 86_400
    wrong_passwords_per_address: Few = 10
    wrong_passwords_per_small_network: Few = 25
    wrong_passwords_per_network: Few = 50
    wrong_passwords_per_name: Few = 20
    wrong_passwords_per_known_source: Few = 20
    slow_after: Few = 3
    delay_most_seconds: Annotated[int, Field(ge=0, le=60)] = 8
    refuse_seconds: Seconds = 3_600
    refuse_most_seconds: Seconds = 86_400
    spray_names: Few = 50
    spray_wrong_passwords_per_address: Few = 3
    offence_window_seconds: Seconds = 3_600
    auth_not_offered_per_address: Count = 5
    rubbish_per_address: Count = 5
    silent_per_address: Count = 1_000


class LogLevel(Enum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def level(self) -> Level:
        return Level[self.name]


class Log(Model):
    """`[log]`."""

    format: Annotated[Form, one_of(Form)] = Form.PLAIN
    level: Annotated[LogLevel, one_of(LogLevel)] = LogLevel.INFO


class Tracking(Model):
    """`[tracking]`: what is kept of each message for `gatepost trace`."""

    days: Count = 30
    size_bytes: Bytes = 10_737_418_240
    subjects: bool = False


class Settings(Model):
    """The whole file."""

    hostname: Domain
    state: FilePath
    workers: Annotated[int, Field(ge=1, le=256)] | None = None
    user: Text | None = None
    domains: dict[Domain, LocalDomain] = Field(default_factory=dict)
    certificates: dict[str, Certificate] = Field(default_factory=dict)
    smtp: dict[str, SmtpServer] = Field(default_factory=dict)
    pop3: dict[str, Pop3Server] = Field(default_factory=dict)
    routes: dict[RoutePattern, Route] = Field(default_factory=dict)
    directory: dict[str, Directory] = Field(default_factory=dict)
    mailboxes: Mailboxes = Mailboxes()
    limits: SharedLimits = SharedLimits()
    retry: Retry = Retry()
    guard: Guard = Guard()
    log: Log = Log()
    tracking: Tracking = Tracking()
    console: Console | None = None
    metrics: Metrics | None = None
    acme: Acme | None = None
    kerberos: Kerberos | None = None
    oauth: dict[str, OAuth] = Field(default_factory=dict)
    alarms: dict[str, Alarm] = Field(default_factory=dict)
    source: Source = Field(default=Source(Path("gatepost.toml")), alias=SOURCE, repr=False, exclude=True)

    @property
    def watching(self) -> Guard:
        """`guard`, trusting the load balancers too: what comes in their own name is no client's doing."""
        servers = (*self.smtp.values(), *self.pop3.values())
        proxies = tuple(network for server in servers for network in server.proxies)
        if not proxies:
            return self.guard
        return self.guard.model_copy(update={"trusted": (*self.guard.trusted, *proxies)})

    @model_validator(mode="before")
    @classmethod
    def _names_and_limits(cls, value: object) -> object:
        """Each virtual server gets its name and the limits it does not set itself."""
        if not isinstance(value, Mapping):
            return value
        shared = value.get("limits")
        limits = (
            {k: v for k, v in shared.items() if k in Limits.model_fields}
            if isinstance(shared, Mapping)
            else {}
        )
        changed = {kind: _completed(value[kind], limits) for kind in ("smtp", "pop3") if kind in value}
        return {**value, **changed, "directory": _with_local(value.get("directory", {}))}


def _completed(servers: object, limits: Mapping[str, object]) -> object:
    if not isinstance(servers, Mapping):
        return servers
    return {
        name: {**limits, **server, NAME: name} if isinstance(server, Mapping) else server
        for name, server in servers.items()
    }


def _with_local(directories: object) -> object:
    """Gatepost's own accounts are always there, asked first where the file does not place them."""
    if not isinstance(directories, Mapping) or "local" in directories:
        return directories
    return {"local": {}, **directories}
