"""The verdict on a thought-up SMTP session, stage by stage, with what decided it.

Nothing is decided here: every stage asks what a session asks (`policy.access` through the session's
own `Client`, the directories, the reading of commands) and says what a session would say. Not looked
at are the guard, limits of rate and number, room on the disk, and content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from gatepost.admin.remedy import remedy_for, remedy_for_right
from gatepost.config.schema import Settings, SmtpServer, TlsMode
from gatepost.directory.directory import Alias, Mailbox, Resolution, Unavailable, UnknownRecipient
from gatepost.mail.address import Address
from gatepost.policy.access import Answer, Entry, Match, Right, matches
from gatepost.policy.facts import ClientCertificate, Identity, Peer, UnknownType
from gatepost.policy.login import LoginRules, login_refused, offered
from gatepost.policy.principal import parse_principal
from gatepost.policy.reasons import Reason
from gatepost.server.client import Client
from gatepost.server.refuse import refused, refused_right
from gatepost.smtp.error import CommandError
from gatepost.smtp.path import parse_mail, parse_rcpt
from gatepost.smtp.reply import Reply

SESSION: Final = "SESSION"  # stands in replies where a session's id would
_ROUTING: Final = frozenset("%!@")


@dataclass(frozen=True, slots=True)
class Case:
    """The session that is thought up; `sender` and `recipient` as they would stand in the brackets.

    `certificate` is a name in the client's, by which an access entry may mean it.
    """

    peer: Peer
    tls: bool
    user: str | None
    sender: str
    recipient: str
    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What was learnt for it. `login` is who `user` is, or why there is no login; None: not wanted.

    `hostnames` are the peer's, where the access table asks for them. `resolve` may raise Unavailable.
    """

    login: Identity | Reason | None
    hostnames: frozenset[str] | UnknownType
    resolve: Callable[[Address], Resolution]


@dataclass(frozen=True, slots=True)
class Stage:
    """One question of the session and its answer.

    `text` says what was found, `reply` is what the peer hears when it is no yes. `right`, `entry`
    and `matches` are set where the access table was asked. `remedy` gets the other answer.
    """

    name: str
    answer: Answer
    reason: Reason
    text: str
    remedy: str
    reply: str | None = None
    right: Right | None = None
    entry: Entry | None = None
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """All stages; those behind the first that is no yes would not be reached."""

    stages: tuple[Stage, ...]

    @property
    def allowed(self) -> bool:
        return self.stops_at is None

    @property
    def stops_at(self) -> Stage | None:
        """The first stage that does not say yes."""
        return next((stage for stage in self.stages if stage.answer is not Answer.YES), None)


def explain(settings: Settings, server: SmtpServer, case: Case, known: Known) -> Explanation:
    """What would become of the case on the virtual server."""
    return Explanation(tuple(_Session(settings, server, case, known).stages()))


class _Session:
    """Walks through the stages in the order of the conversation."""

    def __init__(self, settings: Settings, server: SmtpServer, case: Case, known: Known) -> None:
        self._settings = settings
        self._server = server
        self._case = case
        self._known = known
        self._client = Client(SESSION, case.peer, server.access, now=0.0)
        if server.access.needs_hostnames:
            self._client.named(known.hostnames)

    def stages(self) -> Iterator[Stage]:
        is_implicit = self._server.tls is TlsMode.IMPLICIT
        if is_implicit:
            self._client.secured("TLS", self._shown())
        yield self._right("connect", Right.CONNECT, f"{self._case.peer} connects to {self._server.name}")
        yield self._tls()
        if self._case.tls and self._server.tls is not TlsMode.OFF and not is_implicit:
            self._client.secured("TLS", self._shown())
        if self._case.user is not None:
            yield self._login(self._case.user)
        yield from self._mail()
        yield from self._rcpt()

    # before MAIL

    def _shown(self) -> ClientCertificate | None:
        """The client's certificate, where one is asked for."""
        name = self._case.certificate
        if name is None or self._server.client_ca_file is None:
            return None
        return ClientCertificate(name, frozenset({parse_principal(f"certificate:{name}").name}))

    def _tls(self) -> Stage:
        mode = self._server.tls
        if mode is TlsMode.IMPLICIT:
            return _yes("tls", f"TLS is on from the first byte{self._certificate()}")
        if mode is TlsMode.REQUIRE and not self._case.tls:
            return self._no("tls", Reason.TLS_REQUIRED, "TLS is required and not on")
        if mode is TlsMode.OFF and self._case.tls:
            text = 'the virtual server has tls = "off", so STARTTLS is refused'
            return self._no("tls", Reason.NOT_IMPLEMENTED, text, remedy='set tls = "offer" or "require"')
        started = f"TLS was started{self._certificate()}"
        return _yes("tls", started if self._case.tls else f'in clear, with tls = "{mode.value}"')

    def _certificate(self) -> str:
        name = self._case.certificate
        if name is None:
            return ""
        asked = self._server.client_ca_file is not None
        return f" with the certificate {name}" if asked else "; no client certificate is asked for here"

    def _login(self, user: str) -> Stage:
        rules = LoginRules(self._server.auth, self._server.auth_in_clear)
        channel = self._client.channel
        mechanisms = offered(rules, channel)
        reason = login_refused((mechanisms or rules.mechanisms or ("PLAIN",))[0], rules, channel)
        if reason is not None:
            return self._no("login", reason, f"{user} cannot log in here")
        login = self._known.login
        if isinstance(login, Identity):
            self._client.logged_in(login, 0)
            return _yes("login", f"{user} is {login.name}, by {' or '.join(mechanisms)}")
        reason = login or Reason.UNKNOWN_USER
        if reason is Reason.DIRECTORY_UNAVAILABLE:
            stage = self._no("login", reason, f"no directory says now who {user} is")
            return replace(stage, answer=Answer.UNKNOWN)
        return self._no("login", reason, f"{user} is refused, whatever the password")

    # MAIL FROM

    def _mail(self) -> Iterator[Stage]:
        user = self._client.user or "somebody who is not logged in"
        could_log_in = self._client.identity is None and bool(self._server.auth)
        yield self._right("mail", Right.SUBMIT, f"{user} hands in mail", login_would_be_heard=could_log_in)
        try:
            sender = parse_mail(f"MAIL FROM:<{self._case.sender}>{_utf8(self._case.sender)}").sender
        except CommandError as error:
            yield _unreadable("sender", error.reply, Reason.SENDER_SYNTAX)
            return
        if self._client.identity is None:
            yield _yes("sender", "nobody is logged in, so the sender is not compared with anything")
        elif sender is None:
            yield _yes("sender", "<> is the sender of reports; anybody may use it")
        elif self._client.owns(sender):
            yield _yes("sender", f"{sender} is an address of {user}")
        else:
            text = f"{sender} is not an address of {user}"
            yield self._right("sender", Right.ANY_SENDER, text, address=sender)

    # RCPT TO

    def _rcpt(self) -> Iterator[Stage]:
        try:
            address = parse_rcpt(f"RCPT TO:<{self._case.recipient}>").address
        except CommandError as error:
            yield _unreadable("recipient", error.reply, Reason.RECIPIENT_SYNTAX)
            return
        domains = self._settings.domains
        domain = address.domain or next(iter(domains), "")
        if domain in domains:
            yield self._local(address, domain)
        else:
            yield _yes("recipient", f"{address.domain} is no local domain: this is relay")
            yield self._right("relay", Right.RELAY, f"to {address}", address=address)

    def _local(self, address: Address, domain: str) -> Stage:
        try:
            resolution = self._known.resolve(address)
        except Unavailable:
            stage = self._no("recipient", Reason.FACT_UNKNOWN, "no directory answers", address=address)
            return replace(stage, answer=Answer.UNKNOWN)
        if not isinstance(resolution, UnknownRecipient):
            return _yes("recipient", f"{domain} is local: {_goes_to(resolution)}")
        settings = self._settings.domains[domain]
        onward = settings.unknown if settings.unknown != "reject" else settings.deliver
        if onward != "mailbox" and _ROUTING.isdisjoint(address.local):
            return _yes("recipient", f"{domain} is local, nobody here has the address: it goes to {onward}")
        text = f"{domain} is local and nobody has this address"
        return self._no("recipient", Reason.UNKNOWN_RECIPIENT, text, address=address)

    # answers

    def _right(
        self, name: str, right: Right, text: str, *, address: Address | None = None,
        login_would_be_heard: bool = False,
    ) -> Stage:  # fmt: skip
        verdict = self._client.may(right)
        found = matches(right, self._client.facts, self._server.access)
        reason, reply = verdict.reason, None
        if not verdict.allowed:
            reason, said = refused_right(
                right, verdict, SESSION, address=address or "", login_would_be_heard=login_would_be_heard
            )
            reply = str(said)
        remedy = remedy_for_right(right, verdict, reason, found, self._client.facts)
        return Stage(name, verdict.answer, reason, text, remedy, reply, right, verdict.entry, found)

    def _no(
        self, name: str, reason: Reason, text: str, *, address: Address | None = None, remedy: str = ""
    ) -> Stage:
        reply = refused(reason, SESSION, address=address or "")
        return Stage(name, Answer.NO, reason, text, remedy or remedy_for(reason), str(reply))


def _yes(name: str, text: str) -> Stage:
    return Stage(name, Answer.YES, Reason.ALLOWED, text, "")


def _unreadable(name: str, reply: Reply, reason: Reason) -> Stage:
    """The command was refused as it was read. RFC 5321 §4.2.4 parts 501 and 553."""
    if reply.code != 553:
        reason = Reason.SYNTAX_ERROR
    said = reply.one_line(reason.value, SESSION)
    return Stage(name, Answer.NO, reason, "the address cannot be read", remedy_for(reason), str(said))


def _utf8(address: str) -> str:
    return "" if address.isascii() else " SMTPUTF8"


def _goes_to(resolution: Mailbox | Alias) -> str:
    if isinstance(resolution, Mailbox):
        return f"the mailbox of {resolution.account}"
    names: Iterable[object] = (*(box.account for box in resolution.mailboxes), *resolution.addresses)
    return f"an alias for {', '.join(map(str, names))}"
