"""Active Directory by Samba: who may relay, what is told to whom, and what happens when it is away."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import smtplib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gatepost.config.load import load_text
from gatepost.directory.build import ldap_directory
from gatepost.directory.directory import Mailbox, Refusal, UnknownRecipient, settled
from gatepost.directory.ldap import LdapDirectory
from gatepost.log import Log, LogWriter
from gatepost.mail.address import Address
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from live.active_directory import SHORT, ActiveDirectory, BlackHole, password_file
from live.ad_seed import PASSWORD
from live.gate import LOCAL_DOMAIN, SUBMISSION, SUBMISSION_TLS, Gate, done, route
from patience import PATIENCE_SECONDS, until
from sessions import Smtp

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("active-directory")]

SESSIONS = 200
TIMEOUT, FACTS, STALE = 4, 3, 6
OUTSIDE = "someone@elsewhere.example"


@pytest.fixture(scope="module")
def gate(
    corp: ActiveDirectory, make_gate: Callable[..., Gate], tmp_path_factory: pytest.TempPathFactory
) -> Gate:
    folder = tmp_path_factory.mktemp("secrets")
    more = (
        f"timeout_seconds = {TIMEOUT}\nfacts_seconds = {FACTS}\nstale_seconds = {STALE}\nproven_seconds = 2\n"
    )
    table = corp.settings(password_file(folder), more=more)
    limit = "errors_per_session = 1_000_000\n"  # goes on where the file's [limits] end
    table += '[guard]\ntrusted = ["127.0.0.0/8"]\n[guard.habits]\nenabled = false\n'
    made: Gate = make_gate(limit + route(f"capture:{folder / 'captured'}") + table, workers=1)
    return made


@asynccontextmanager
async def directory_at(
    corp: ActiveDirectory, folder: Path, url: str = "", more: str = ""
) -> AsyncIterator[LdapDirectory]:
    head = f'hostname = "mail.example.org"\nstate = "{folder / "state"}"\n[domains."{LOCAL_DOMAIN}"]\n'
    settings = load_text(
        head + corp.settings(password_file(folder), url=url, more=more), folder / "gatepost.toml"
    )
    with (folder / "log").open("ab") as log:
        directory = ldap_directory(settings, "ad", Log(LogWriter(log.fileno())))
        try:
            yield directory
        finally:
            directory.close()


def relayed(
    gate: Gate, user: str, password: str = PASSWORD, sender: str = "", recipient: str = OUTSIDE
) -> str:
    """The reply that decided: to AUTH, MAIL, RCPT or the content."""
    with Smtp(gate.host, SUBMISSION) as client:
        client.starttls(context=ssl.create_default_context(cafile=str(gate.authority.ca_file)))
        try:
            client.login(user, password)
            client.sendmail(sender or f"{user}@{LOCAL_DOMAIN}", recipient, "Subject: a\r\n\r\nb\r\n")
        except smtplib.SMTPResponseException as refused:
            return f"{refused.smtp_code} {refused.smtp_error!r}"
        except smtplib.SMTPRecipientsRefused as refused:
            return next(f"{code} {text!r}" for code, text in refused.recipients.values())
    return "250"


# -- who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["nora", "NORA", f"{SHORT}\\nora", "nora@gatepost.test", f"nora@{LOCAL_DOMAIN}"]
)
def test_a_member_through_three_levels_relays_by_each_name(gate: Gate, name: str) -> None:
    assert relayed(gate, name, sender=f"nora@{LOCAL_DOMAIN}") == "250"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("alice", "relay-denied"),
        ("ivan", "relay-denied"),
        ("heidi", "protected-account"),
        ("root", "protected-account"),
    ],
)
def test_others_and_administrators_do_not(gate: Gate, name: str, reason: str) -> None:
    answer = relayed(gate, name)
    assert answer.startswith("550")
    assert reason in answer


def test_somebody_elses_address_is_refused(gate: Gate) -> None:
    assert "sender-not-own" in relayed(gate, "nora", sender=f"alice@{LOCAL_DOMAIN}")
    assert relayed(gate, "smtpsvc", sender=f"relay@{LOCAL_DOMAIN}", recipient=f"nora@{LOCAL_DOMAIN}") == "250"


def test_every_refused_login_looks_the_same_and_is_logged_apart(gate: Gate) -> None:
    tries = {
        "carol": "account-disabled", "dave": "account-expired", "frank": "password-expired",
        "nobody": "unknown-user",
    }  # fmt: skip
    said = {_without_session(relayed(gate, name)) for name in tries}
    said.add(_without_session(relayed(gate, "alice", "wrong")))
    for _ in range(4):
        said.add(_without_session(relayed(gate, "locked", "wrong")))
    said.add(_without_session(relayed(gate, "locked")))
    assert len(said) == 1
    assert gate.program is not None
    for name, reason in {**tries, "alice": "wrong-password", "locked": "account-locked"}.items():
        wanted = ("login-refused", f"name={name} ", f"reason={reason}")
        gate.program.wait_for_line(lambda line, wanted=wanted: all(part in line for part in wanted))


def _without_session(answer: str) -> str:
    return answer.rpartition(" ")[0]


def test_a_device_of_somebody_of_the_directory(gate: Gate, corp: ActiveDirectory) -> None:
    """Its secret outlives the account's password, and no longer the account."""
    corp.user("create", "devon", PASSWORD, f"--mail-address=devon@{LOCAL_DOMAIN}")
    made = gate.command("user", "app-password", f"{SHORT}\\devon", "--label", "Scanner", "--json")
    row = json.loads(done(made).stdout)
    assert (row["account"], row["directory"]) == ("devon@gatepost.test", "ad")
    local = f"alice@{LOCAL_DOMAIN}"
    for name in ("devon", f"{SHORT}\\devon", f"devon@{LOCAL_DOMAIN}"):
        assert relayed(gate, name, row["secret"], f"devon@{LOCAL_DOMAIN}", local) == "250"
    assert relayed(gate, "nora", row["secret"]).startswith("535")
    corp.user("setpassword", "devon", f"--newpassword={PASSWORD}2")
    assert relayed(gate, "devon", row["secret"], f"devon@{LOCAL_DOMAIN}", local) == "250"
    corp.user("disable", "devon")
    until(lambda: relayed(gate, "devon", row["secret"]).startswith("535"))
    gate.wait_for_log("reason=account-disabled")


def test_mail_for_people_of_the_directory_is_taken_and_for_nobody_is_not(gate: Gate) -> None:
    for local in ("nora", "Nora", "nora+lists", "relay"):
        assert relayed(gate, "alice", recipient=f"{local}@{LOCAL_DOMAIN}") == "250"
    assert "unknown-recipient" in relayed(gate, "alice", recipient=f"zoe@{LOCAL_DOMAIN}")


# -- what is known -------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_groups_are_found_in_rings_and_through_others(
    corp: ActiveDirectory, tmp_path: Path, scheme: str
) -> None:
    async def test() -> None:
        async with directory_at(corp, tmp_path, url=f"{scheme}://{corp.host}") as directory:
            assert {"ring a", "ring b", "domain users"} <= await _groups(directory, "erin")
            assert {"sales", "emea", "pop3 relay"} <= await _groups(directory, "nora")
            ivan = await directory.verify("ivan", Secret(PASSWORD))
            assert isinstance(ivan, Identity)
            assert ivan.privileged

    asyncio.run(test())


@pytest.mark.slow
def test_a_group_of_five_thousand_is_one_group(corp: ActiveDirectory, tmp_path: Path) -> None:
    corp.gather_crowd()

    async def test() -> None:
        async with directory_at(corp, tmp_path) as directory:
            assert "crowd" in await _groups(directory, "olga")
            assert "crowd" not in await _groups(directory, "nora")

    asyncio.run(test())


async def _groups(directory: LdapDirectory, name: str) -> frozenset[str]:
    identity = await directory.verify(name, Secret(PASSWORD))
    assert isinstance(identity, Identity)
    assert isinstance(identity.groups, frozenset)
    return identity.groups


def test_direct_login_finds_the_same_people(corp: ActiveDirectory, tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            directory_at(corp, tmp_path) as searching,
            directory_at(corp, tmp_path, more='login = "direct"') as direct,
        ):
            for name in ("nora", f"{SHORT}\\heidi", f"relay@{LOCAL_DOMAIN}"):
                found = await direct.verify(name, Secret(PASSWORD))
                assert isinstance(found, Identity)
                assert found == await searching.verify(name, Secret(PASSWORD))
            assert await direct.verify("carol", Secret(PASSWORD)) == Refusal(Reason.ACCOUNT_DISABLED)

    asyncio.run(test())


@pytest.mark.parametrize("name", ["*", "nora)(cn=*", "b\\2ab", "x" * 65_536, "nora\0", "krbtgt$", "Crowd"])
def test_nothing_breaks_out_of_a_name(corp: ActiveDirectory, tmp_path: Path, name: str) -> None:
    async def test() -> None:
        async with directory_at(corp, tmp_path) as directory:
            assert await directory.verify(name, Secret(PASSWORD)) == Refusal(Reason.UNKNOWN_USER)
            address = Address(name.replace("@", ""), LOCAL_DOMAIN)
            assert await settled(directory.resolve(address)) == UnknownRecipient()
            found = await settled(directory.resolve(Address("relay", LOCAL_DOMAIN)))
            assert found == Mailbox("smtpsvc@gatepost.test")

    asyncio.run(test())


def test_the_command_line_says_through_which_groups(gate: Gate) -> None:
    said = gate.command("directory", "test", "--user", "nora")
    assert said.returncode == 0
    assert "through nora in Sales in EMEA in POP3 Relay" in said.stdout
    said = gate.command("directory", "test", "--user", "carol")
    assert said.returncode == 3
    assert "the account is disabled" in said.stdout


def test_check_finds_administrators_and_guessable_names_by_their_way(gate: Gate) -> None:
    said = gate.command("check", "--directory").stdout
    assert "heidi is in POP3 Relay and is an administrator" in said
    assert "root is in POP3 Relay and has a name that attackers try" in said
    assert "nora@" not in said


def test_who_can_relay_knows_members_of_the_directory(gate: Gate) -> None:
    said = gate.command("explain", "--who-can-relay", "submission").stdout
    assert "nora@gatepost.test" in said
    assert "member of Sales in EMEA in POP3 Relay" in said
    assert "no-such-group" not in said


def test_the_audit_names_members_by_their_way_and_protected_ones(gate: Gate) -> None:
    said = json.loads(gate.command("audit", "--no-passwords", "--json").stdout)
    rows = {row["name"].partition("@")[0]: row for row in said["relayers"]["submission"]}
    assert rows["nora"]["may_relay"]
    assert rows["nora"]["through"] == [["Sales", "EMEA", "POP3 Relay"]]
    assert rows["nora"]["directory"] == "ad"
    assert not rows["heidi"]["may_relay"]
    assert rows["heidi"]["reason"] == "protected-account"
    protected = [one["text"] for one in said["weaknesses"] if one["weakness"] == "protected-member"]
    assert any("heidi" in text and "an administrator" in text for text in protected)
    assert any("root" in text and "attackers try" in text for text in protected)


# -- away ----------------------------------------------------------------------------------------


class Session:
    """One logged-in client that sends messages."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, gate: Gate) -> Session:
        tls = ssl.create_default_context(cafile=str(gate.authority.ca_file))
        self = cls(*await asyncio.open_connection(gate.host, SUBMISSION_TLS, ssl=tls))
        assert (await self._reply()).startswith("220")
        await self.say("EHLO client.example")
        return self

    async def log_in(self, user: str = "nora") -> str:
        secret = base64.b64encode(f"\0{user}\0{PASSWORD}".encode()).decode()
        return await self.say(f"AUTH PLAIN {secret}")

    async def send(self) -> str:
        """The first reply that is no success, or the last."""
        answer = ""
        for line in (
            f"MAIL FROM:<nora@{LOCAL_DOMAIN}>",
            f"RCPT TO:<{OUTSIDE}>",
            "DATA",
            "Subject: a\r\n\r\nb\r\n.",
        ):
            answer = await self.say(line)
            if answer[0] not in "23":
                await self.say("RSET")
                break
        return answer

    async def say(self, line: str) -> str:
        self._writer.write(line.encode() + b"\r\n")
        return await self._reply()

    async def _reply(self) -> str:
        line = b"250-"
        while line[3:4] == b"-":
            line = await asyncio.wait_for(self._reader.readline(), PATIENCE_SECONDS)
        return line.decode().strip()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


def _kind(answer: str) -> str:
    """`250`, or the code with its reason."""
    return answer[:3] if answer[:1] == "2" else f"{answer[:3]} {answer.rpartition('[')[2].partition(' ')[0]}"


@pytest.mark.slow
@pytest.mark.parametrize("how", ["stopped", "frozen", "blackholed"])
def test_two_hundred_sessions_live_through_its_absence(gate: Gate, corp: ActiveDirectory, how: str) -> None:
    async def test() -> None:
        async with _sessions(gate, SESSIONS) as sessions, _sessions(gate, 1) as (stranger,):
            assert await _all(session.log_in() for session in sessions) == {"235"}
            assert await _all(session.send() for session in sessions) == {"250"}
            hole = _take_away(corp, how)
            assert await _until(sessions, "451 fact-unknown") <= {"250", "451 fact-unknown"}
            assert _kind(await stranger.log_in("alice")) == "454 directory-unavailable"
            _bring_back(corp, how, hole)
            assert await _until(sessions, "250") <= {"250", "451 fact-unknown"}
            await _until_logged_in(stranger)

    asyncio.run(test())


@asynccontextmanager
async def _sessions(gate: Gate, count: int) -> AsyncIterator[list[Session]]:
    sessions = [await Session.open(gate) for _ in range(count)]
    try:
        yield sessions
    finally:
        for session in sessions:
            await session.close()


async def _all(answers: Iterable[Awaitable[str]]) -> set[str]:
    return {_kind(answer) for answer in await asyncio.gather(*answers)}


def _take_away(corp: ActiveDirectory, how: str) -> BlackHole | None:
    if how == "frozen":
        corp.freeze()
        return None
    corp.stop()
    return BlackHole(corp.host, 389, 636) if how == "blackholed" else None


def _bring_back(corp: ActiveDirectory, how: str, hole: BlackHole | None) -> None:
    if hole is not None:
        hole.close()
    if how == "frozen":
        corp.thaw()
    else:
        corp.start()


async def _until(sessions: list[Session], wanted: str, seconds: float = 2 * PATIENCE_SECONDS) -> set[str]:
    """Everything that was answered until all sessions answer as wanted."""
    seen: set[str] = set()
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        now = await _all(session.send() for session in sessions)
        seen |= now
        if now == {wanted}:
            return seen
    raise AssertionError(f"{wanted} was awaited, seen was {seen}")


async def _until_logged_in(stranger: Session, seconds: float = 2 * PATIENCE_SECONDS) -> None:
    ends = time.monotonic() + seconds
    while _kind(await stranger.log_in("alice")) != "235":
        assert time.monotonic() < ends
