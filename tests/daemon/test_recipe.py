"""The recipe of old for POP3 users who relay, from the first group to switching it all off again.

Everything is done at the command line, on a server that runs.
"""

from __future__ import annotations

import shutil
import smtplib
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.terminal import Said, Terminal
from daemon.house import DOMAIN, PASSWORD, SUBMISSION, House, internet, message, pop3, send
from gatepost.admin.certificate import self_signed, write_pair
from gatepost.config.load import load
from gatepost.store.accounts import Accounts
from gatepost.store.audit import Change
from gatepost.store.place import Place

GROUP = "Mail Clients"
SUBMISSION_TABLE = """\
[smtp.submission]
listen = ["{host}:2587"]
tls = "offer"
auth = ["PLAIN", "LOGIN"]
access = [
  { allow = ["connect"], to = "anyone" },
  { allow = ["submit"], to = "authenticated" }, # mail for our own mailboxes
]
"""
ELSEWHERE = "somebody@else.example"


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    made = make_house(workers=2)
    made.write(internet(), SUBMISSION_TABLE, pop3())
    made.start()
    return made


@pytest.fixture
def gatepost(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Said]:
    terminal = Terminal(house.file, capsys, monkeypatch)

    def run(*arguments: str, given: str = "", code: int = 0) -> Said:
        said = terminal(*arguments, given=given)
        assert said.code == code, said
        return said

    return run


def context() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


@contextmanager
def logged_in(house: House, name: str) -> Iterator[smtplib.SMTP]:
    session = house.smtp(SUBMISSION)
    try:
        session.starttls(context=context())
        session.login(f"{name}@{DOMAIN}", PASSWORD)
        yield session
    finally:
        session.close()


def answer(house: House, name: str, rcpt: str) -> str:
    """`250`, or the reply to the recipient."""
    with logged_in(house, name) as session:
        try:
            session.sendmail(f"{name}@{DOMAIN}", [rcpt], message_of(name, rcpt))
        except smtplib.SMTPRecipientsRefused as refusal:
            code, text = refusal.recipients[rcpt]
            return f"{code} {text.decode()}"
    return "250"


def message_of(name: str, rcpt: str) -> str:
    return message(f"to {rcpt}").replace("stranger@example.net", f"{name}@{DOMAIN}")


def pfx(folder: Path) -> tuple[Path, Path]:
    """A certificate with its key in one file, made by openssl, and the file with its password."""
    pair = self_signed(["mail.example.org", "localhost"])
    write_pair(pair, folder / "new.pem", folder / "new.key")
    bundle, password = folder / "bought.pfx", folder / "bought.password"
    password.write_text("a password\n")
    subprocess.run(
        ["openssl", "pkcs12", "-export", "-in", folder / "new.pem", "-inkey", folder / "new.key",
         "-out", bundle, "-passout", f"file:{password}"],
        check=True, capture_output=True,
    )  # fmt: skip
    return bundle, password


def presented(house: House) -> str:
    """The certificate that a client of the submission server sees, as PEM."""
    with house.smtp(SUBMISSION) as session:
        session.starttls(context=context())
        assert isinstance(session.sock, ssl.SSLSocket)
        seen = session.sock.getpeercert(binary_form=True)
        assert seen is not None
        return ssl.DER_cert_to_PEM_cert(seen)


def inbound_goes_on(house: House, marker: str) -> None:
    before = len(house.mail())
    with house.smtp() as session:
        send(session, marker)
    house.wait_for_mail(before + 1)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_recipe_from_the_group_to_switching_relay_off(
    house: House, gatepost: Callable[..., Said], tmp_path: Path
) -> None:
    # nobody relays yet
    assert "relay-denied" in answer(house, "bob", ELSEWHERE)

    # the group and its users
    gatepost("group", "add", GROUP)
    for name in ("carol", "dave"):
        gatepost("user", "add", name, "--password-stdin", given=PASSWORD + "\n")
    gatepost("group", "join", GROUP, "carol")

    # submit and relay for the group, a certificate, TLS required
    gatepost("config", "allow", "submission", "submit", "relay", "--to", f"group:{GROUP}")
    gatepost("config", "set", "smtp.submission.tls", "require")
    assert "# mail for our own mailboxes" in house.file.read_text()
    bundle, password = pfx(tmp_path)
    gatepost("cert", "import", str(bundle), "--password-file", str(password))
    gatepost("check")
    assert "carol" in gatepost("check", "--diff").out
    assert "relay-denied" in answer(house, "carol", ELSEWHERE)  # nothing is in force before the reload
    assert "generation" in gatepost("reload").out

    # a member relays, others do not, nobody without TLS, inbound mail goes on
    assert (tmp_path / "new.pem").read_text().strip() == presented(house).strip()
    assert answer(house, "carol", ELSEWHERE) == "250"
    assert "relay-denied" in answer(house, "dave", ELSEWHERE)
    assert "relay-denied" in answer(house, "bob", ELSEWHERE)
    with house.smtp(SUBMISSION) as session:
        session.ehlo()
        assert session.mail(f"carol@{DOMAIN}")[0] == 530
    with house.smtp() as stranger, pytest.raises(smtplib.SMTPRecipientsRefused):
        send(stranger, "relayed by a stranger", ELSEWHERE)
    inbound_goes_on(house, "in with the recipe")
    assert answer(house, "dave", f"ann@{DOMAIN}") == "250"
    house.wait_for_mail(2)
    gatepost("explain", "submission", "--from", "192.0.2.1", "--tls", "--user", "carol",
             "--mail-from", f"carol@{DOMAIN}", "--rcpt", ELSEWHERE)  # fmt: skip

    # relaying switched off for all who log in
    said = gatepost("config", "unset", "smtp.submission.access[2]")
    assert "nobody can relay through 'submission' any more" in said.out
    assert "nobody can relay through 'submission' any more" in gatepost("check", "--diff").out
    gatepost("reload")
    assert "relay-denied" in answer(house, "carol", ELSEWHERE)
    inbound_goes_on(house, "in without relay")
    before = len(house.mail())
    assert answer(house, "carol", f"bob@{DOMAIN}") == "250"
    house.wait_for_mail(before + 1)
    gatepost("selftest")
    assert len(gatepost("config", "history", "--json").json) == 3

    # taken back, and everything on record
    gatepost("config", "undo", "2")
    assert gatepost("config", "show", "2").out == house.file.read_text()
    gatepost("cert", "import", str(bundle), "--password-file", str(password), "--reload")
    assert answer(house, "carol", ELSEWHERE) == "250"
    changes = audited(house)
    assert [change.what for change in changes[:3]] == ["reload", "cert-import", "config-undo"]
    assert changes[1].subject == "default"
    assert changes[2].after is not None
    assert changes[2].after["file_of"] == 2
    assert any("carol" in text for text in changes[2].after["changes"])  # type: ignore[union-attr]


def audited(house: House) -> list[Change]:
    """What was changed, newest first."""
    accounts = Accounts.open(Place(load(house.file).state).accounts)
    try:
        return accounts.audit.changes()
    finally:
        accounts.close()
