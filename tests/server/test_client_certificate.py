"""Clients show certificates: what TLS believes, what the access table makes of it, whom EXTERNAL lets in."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest

from authority import ClientAuthority, Shown
from gatepost.admin.certificate import self_signed
from gatepost.server.clientcert import client_certificate
from gatepost.server.renewal import Renewal
from gatepost.server.tls import TlsChannel, tls_server
from gatepost.store.tracking import Question
from patience import becomes
from server.collecting import house
from server.dialling import dialled
from server.gate import Dialogue, Gate, gate, trusting, written

ACCESS = """access = [
  { allow = ["connect"], to = "anyone" },
  { allow = ["submit"], to = "authenticated" },
  { allow = ["submit", "relay"], to = "certificate:Scanner7" },
]
"""
TABLES = f"""[smtp.smtp]
listen = ["127.0.0.1:0"]
tls = "require"
client_ca_file = "ca/ca.pem"
auth = ["EXTERNAL", "PLAIN"]
{ACCESS}
[smtp.implicit]
listen = ["127.0.0.1:0"]
tls = "implicit"
client_ca_file = "ca/ca.pem"
client_crl_file = "ca/crl.pem"
auth = ["EXTERNAL"]
{ACCESS}
[smtp.closed]
listen = ["127.0.0.1:0"]
tls = "implicit"
client_ca_file = "ca/ca.pem"
access = [ {{ allow = ["connect", "submit", "relay"], to = "certificate:Scanner7" }} ]
"""
REMOTE = "x@else.example"
SEVERAL = 'tls = "require"\ncertificate = ["default", "other"]'


@pytest.fixture
def authority(tmp_path: Path) -> ClientAuthority:
    made = ClientAuthority(tmp_path / "ca")
    made.revoke()
    return made


def showing(shown: Shown | None, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = trusting()
    context.minimum_version = context.maximum_version = version
    if shown is not None:
        context.load_cert_chain(shown.file)
    return context


async def secured(here: Gate, shown: Shown | None, version: ssl.TLSVersion | None = None) -> Dialogue:
    """A session after STARTTLS and EHLO."""
    client = await here.dial()
    await client.reply()
    await client.hello()
    await client.say("STARTTLS")
    await client.writer.start_tls(showing(shown, version or ssl.TLSVersion.TLSv1_3))
    return client


async def implicit(here: Gate, shown: Shown | None, server: str = "implicit") -> Dialogue:
    reader, writer = await dialled("127.0.0.1", here.ports[server], ssl=showing(shown), limit=1 << 20)
    return Dialogue(reader, writer)


async def first_words(here: Gate, shown: Shown | None, server: str = "implicit") -> str:
    """The greeting; nothing where TLS ended first."""
    try:
        client = await implicit(here, shown, server)
    except (ssl.SSLError, ConnectionError):
        return ""
    try:
        return await client.reply()
    except ssl.SSLError:
        return ""
    finally:
        client.writer.close()


def external(wanted: str = "") -> str:
    return f"AUTH EXTERNAL {b64encode(wanted.encode()).decode() or '='}"


def refusals(here: Gate) -> list[tuple[str, str]]:
    """Stage and words of what the tracking has."""
    found = here.shard.tracking.search(Question())
    return [(one.stage, one.reply) for one in found.refusals if one.reason == "certificate-refused"]


async def until_tracked(here: Gate, words: str) -> None:
    await becomes(lambda: any(stage == "tls" and words in reply for stage, reply in refusals(here)))


async def tracked_user(here: Gate) -> str | None:
    """Who is on record for the message that was taken in."""
    await becomes(lambda: here.shard.tracking.search(Question()).messages)
    return here.shard.tracking.search(Question()).messages[0].user


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_relays_without_a_login(
    tmp_path: Path, authority: ClientAuthority, version: ssl.TLSVersion
) -> None:
    async def run() -> None:
        scanner = authority.client("SCANNER7", dns="s7.example.org")
        async with gate(tmp_path, TABLES) as here:
            client = await secured(here, scanner, version)
            assert "AUTH EXTERNAL PLAIN" in await client.hello()
            assert (await client.hand_in("scan@example.org", REMOTE)).startswith("250")
            (report,) = (session.report() for session in here.shard.sessions)
            assert (report.certificate, report.user) == ("SCANNER7", None)
            nobody = await secured(here, None)
            assert "EXTERNAL" not in await nobody.hello()
            assert (await nobody.say("AUTH EXTERNAL =")).startswith("535 5.7.8 No client certificate")
            assert (await nobody.say("MAIL FROM:<scan@example.org>")).startswith("530")
            other = await secured(here, authority.client("scanner8"))
            await other.hello()
            assert (await other.say("MAIL FROM:<scan@example.org>")).startswith("530")
            logged = here.logged()
            assert "client-certificate" in logged
            assert "s7.example.org scanner7 sha256:" in logged
            assert await tracked_user(here) == "certificate:SCANNER7"
            for one in (client, nobody, other):
                await one.close()

    asyncio.run(run())


def test_certificates_that_do_not_hold_end_the_session_and_are_explained(
    tmp_path: Path, authority: ClientAuthority
) -> None:
    async def run() -> None:
        stranger = ClientAuthority(tmp_path / "other", "Somebody else").client("scanner7")
        revoked = authority.client("scanner7")
        authority.revoke(revoked)
        bad = {
            "unable to get local issuer certificate": stranger,
            "certificate has expired": authority.client("scanner7", days=-1),
            "unsuitable certificate purpose": authority.client("scanner7", for_server=True),
            "certificate revoked": revoked,
        }
        async with gate(tmp_path, TABLES) as here:
            assert (await first_words(here, authority.client("scanner7"))).startswith("220")
            for words, shown in bad.items():
                assert await first_words(here, shown) == ""
                await until_tracked(here, words)
                assert words in here.logged()
            assert await first_words(here, None, "closed") == ""
            await until_tracked(here, "peer did not return a certificate")
            assert (await first_words(here, authority.client("scanner7"), "closed")).startswith("220")

    asyncio.run(run())


def test_behind_starttls_the_refusal_stands_under_the_session_s_id(
    tmp_path: Path, authority: ClientAuthority
) -> None:
    async def run() -> None:
        async with gate(tmp_path, TABLES) as here:
            client = await here.dial()
            await client.reply()
            (session,) = here.shard.sessions
            name = session.id
            await client.hello()
            await client.say("STARTTLS")
            try:
                await client.writer.start_tls(showing(authority.client("scanner7", days=-1)))
                assert await client.reply() == ""
            except (ssl.SSLError, ConnectionError):
                pass
            await until_tracked(here, "certificate has expired")
            (found,) = here.shard.tracking.search(Question(session=name)).refusals
            assert found.reason == "certificate-refused"
            assert "why=\"TLS failed: the client's certificate" in here.logged()

    asyncio.run(run())


def test_other_authorities_and_lists_are_taken_up_while_it_runs(
    tmp_path: Path, authority: ClientAuthority
) -> None:
    async def run() -> None:
        async with gate(tmp_path, TABLES) as here:
            scanner = authority.client("scanner7")
            assert (await first_words(here, scanner)).startswith("220")
            authority.revoke(scanner)
            tls = [server.tls for server in here.servers.values() if server.tls is not None]
            renewal = Renewal(lambda: tls, here.shard.log)
            await renewal.look()
            assert await first_words(here, scanner) == ""
            await until_tracked(here, "certificate revoked")
            authority.revoke(days=-1)
            await renewal.look()
            assert await first_words(here, scanner) == ""
            await until_tracked(here, "CRL has expired")
            authority.revoke()
            next_one = ClientAuthority(tmp_path / "next", "Next")
            authority.ca_file.write_bytes(next_one.ca_file.read_bytes())
            (tmp_path / "ca" / "crl.pem").write_bytes(next_one.revoke().read_bytes())
            await renewal.look()
            assert await first_words(here, scanner) == ""
            assert (await first_words(here, next_one.client("scanner7"))).startswith("220")

    asyncio.run(run())


def test_external_lets_in_whom_the_certificate_means(tmp_path: Path, authority: ClientAuthority) -> None:
    async def run() -> None:
        async with gate(tmp_path, TABLES) as here:
            here.add("bob")
            here.add("ann")
            here.add("gone")
            here.accounts.users.set_addresses(
                "bob@example.org", ["robert@example.org"], domains=["example.org"], by="test"
            )
            here.accounts.users.set_disabled("gone@example.org", disabled=True, by="test")
            here.shard.directories.refresh()
            address = authority.client("Robert", mail=("Robert@example.org",))
            principal = authority.client("Robert", upn="bob@example.org")
            bare = authority.client("bob")
            both = authority.client("x", mail=("bob@example.org", "ann@example.org"))
            for shown, wanted, user in (
                (address, "", "bob"), (principal, "", "bob"), (bare, "", "bob"),
                (bare, "bob@example.org", "bob"), (both, "ann", "ann"), (both, "bob", "bob"),
            ):  # fmt: skip
                client = await secured(here, shown)
                await client.hello()
                assert (await client.say(external(wanted))).startswith("235"), (user, wanted)
                assert (await client.hand_in(f"{user}@example.org", "ann@example.org")).startswith("250")
                await client.close()
            for shown, wanted, reason in (
                (both, "", "certificate-nobody"), (bare, "ann", "authorization-identity"),
                (authority.client("nobody"), "", "certificate-nobody"),
                (authority.client("bob", mail=("x@else.example",)), "", "certificate-nobody"),
                (authority.client("gone"), "", "account-disabled"),
            ):  # fmt: skip
                client = await secured(here, shown)
                await client.hello()
                assert (await client.say(external(wanted))).startswith("535 5.7.8 Authentication cred")
                assert f"reason={reason}" in here.logged().splitlines()[-2]
                await client.close()

    asyncio.run(run())


def test_pop3_opens_the_mailbox_of_whom_the_certificate_means(
    tmp_path: Path, authority: ClientAuthority
) -> None:
    tables = """[pop3.mail]
listen = ["127.0.0.1:0"]
tls = "implicit"
client_ca_file = "ca/ca.pem"
auth = ["EXTERNAL"]
access = [
  { allow = ["connect"], to = "anyone" },
  { allow = ["collect"], to = "certificate:bob@example.org" },
]
"""

    async def run() -> None:
        async with house(tmp_path, tables) as here:
            for shown, answer in (
                (authority.client(None, mail=("bob@example.org",)), "+OK"),
                (authority.client("bob"), "-ERR [AUTH] You may not collect"),
                (authority.client("carl"), "-ERR [AUTH] Authentication credentials invalid"),
            ):
                reader, writer = await dialled("127.0.0.1", here.ports["mail"], ssl=showing(shown))
                await reader.readline()
                writer.write(b"CAPA\r\n")
                assert b"SASL EXTERNAL" in await reader.readuntil(b"\r\n.\r\n")
                writer.write(f"{external()}\r\n".encode())
                assert (await reader.readline()).decode().startswith(answer)
                writer.close()

    asyncio.run(run())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("name", ["mail.example.org", "other.example.org", None])
def test_every_handshake_is_verified_whatever_name_is_asked_for(
    tmp_path: Path, authority: ClientAuthority, version: ssl.TLSVersion, name: str | None
) -> None:
    other = self_signed(["other.example.org"])
    (tmp_path / "other.pem").write_bytes(other.chain)
    (tmp_path / "other.key").write_bytes(other.key)
    (tmp_path / "other.key").chmod(0o600)
    more = '[certificates.other]\nchain = "other.pem"\nkey = "other.key"\n'
    settings = written(tmp_path, TABLES.replace('tls = "require"\n', f"{SEVERAL}\n") + more)
    server = tls_server(settings.smtp["smtp"], settings.certificates)
    assert server is not None
    context = showing(authority.client("scanner7"), version)
    session = None
    for _ in range(2):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(incoming, outgoing, server_hostname=name, session=session)
        channel = TlsChannel(server)
        for _ in range(6):
            with contextlib.suppress(ssl.SSLWantReadError):
                client.do_handshake()
            if outgoing.pending:
                channel.receive(outgoing.read())
            incoming.write(channel.take_output())
        with contextlib.suppress(ssl.SSLWantReadError):
            client.read(1)
        assert channel.certificate is not None
        assert channel.certificate.name == "scanner7"
        assert not client.session_reused
        session = client.session


def test_a_certificate_is_read_whole(tmp_path: Path) -> None:
    authority = ClientAuthority(tmp_path)
    shown = authority.client(
        "7", dns="S7.example.org", mail=("b@x.example",), upn="b@corp.example", uri="sha256:" + "0" * 64
    )
    read = client_certificate(shown.der)
    assert read.accounts == ("b@corp.example", "b@x.example")
    names = {name for name in read.names if not name.startswith("sha256:")}
    assert names == {"7", "s7.example.org", "b@x.example", "b@corp.example"}
    assert sum(name.startswith("sha256:") for name in read.names) == 1
    assert "sha256:" + "0" * 64 not in read.names
    assert client_certificate(b"rubbish").names == {client_certificate(b"rubbish").name}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_logs_in_by_its_certificate(tmp_path: Path, authority: ClientAuthority) -> None:
    async def run() -> None:
        (tmp_path / "letter").write_bytes(b"Subject: x\r\n\r\nx\r\n")
        bob = authority.client("Robert", mail=("bob@example.org",))
        async with gate(tmp_path, TABLES) as here:
            here.add("bob")
            for shown, status in ((bob, 0), (authority.client("nobody"), 67)):
                done = await asyncio.to_thread(
                    subprocess.run,
                    [
                        "curl", "-sSk", "-m", "20", "--cert", shown.file, "-u", "bob@example.org:",
                        "--login-options", "AUTH=EXTERNAL", "-T", tmp_path / "letter",
                        "--mail-from", "bob@example.org", "--mail-rcpt", "bob@example.org",
                        "--url", f"smtps://127.0.0.1:{here.ports['implicit']}",
                    ],
                    capture_output=True,
                    timeout=240,
                )  # fmt: skip
                assert done.returncode == status, done.stderr
            assert "mechanism=EXTERNAL tls=True name=bob@example.org user=bob@example.org" in here.logged()

    asyncio.run(run())
