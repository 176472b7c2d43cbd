"""A Gatepost with everything in it that pages show, much of it said by peers with bad intentions."""

from __future__ import annotations

import base64
import smtplib
import socketserver
import ssl
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from daemon.house import EXTRA, INTERNET, SOURCES, SUBMISSION, House, internet, message
from gatepost.admin.attacks import ban
from gatepost.admin.certificate import self_signed, write_pair
from gatepost.admin.generation import Generations
from gatepost.admin.roles import Role
from gatepost.config.load import load
from gatepost.store.accounts import Accounts
from gatepost.store.app_password import NewAppPassword
from gatepost.store.tokens import NewToken
from live.program import Program

TESTS = Path(__file__).parents[2]
IMAGE = "<img/src/onerror=window.pwned=1>"
CORPUS = (
    IMAGE,
    "</script><svg/onload=window.pwned=1>",
    "<script>window.pwned=1</script>",
    "{{constructor.constructor('window.pwned=1')()}}",
    "${window.pwned=1}",
    "\"'><b/onmouseover=window.pwned=1>x",
    "javascript:window.pwned=1",
)
"""Each of these would set `window.pwned`, were it read as anything but text."""
NAME = f'x" innerHTML="{IMAGE}'
"""A group's, which would be an attribute of its own, were it put between quotes."""
ZONE = "Asia/Tokyo"
REFUSAL = "no " + " ".join(CORPUS)


class _NextHop(socketserver.StreamRequestHandler):
    """Puts every recipient off, in words of its own."""

    def handle(self) -> None:
        self._say("220 next.example ESMTP")
        while line := self.rfile.readline():
            verb = line[:4].upper().strip()
            if verb == b"EHLO":
                self._say("250 next.example")
            elif verb == b"RCPT":
                self._say(f"451 4.3.0 {REFUSAL}")
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@dataclass
class Gate:
    """A house that runs, its console, and the next hop that puts mail off."""

    house: House
    url: str
    console: Program
    next_hop: _Server

    def queue(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.house.ask("queue-list", filter={})
        return sorted(rows, key=lambda row: str(row["received_at"]))

    def deferred(self, count: int) -> list[dict[str, Any]]:
        """So many messages wait, each was tried."""
        return until(lambda: [r for r in self.queue() if r["attempts"]], lambda rows: len(rows) >= count)

    def change(self, *lines: str) -> None:
        """Lines are at the end of the file."""
        self.house.file.write_text(self.house.file.read_text() + "".join(f"{line}\n" for line in lines))

    def hand_in(self, sender: str, subject: str, rcpt: str = "them@remote.example") -> None:
        """A message that the next hop puts off."""
        with self.house.smtp(EXTRA) as session:
            session.ehlo("printer.example")
            code, said = session.docmd(f"MAIL FROM:{sender}")
            assert code == 250, said
            code, said = session.docmd(f"RCPT TO:<{rcpt}>")
            assert code == 250, said
            session.data(f"Subject: {subject}\r\nX-Bad: {IMAGE}\r\n\r\nhello\r\n")

    def stop(self) -> None:
        self.console.kill()
        self.house.kill()
        self.next_hop.shutdown()
        self.next_hop.server_close()


def until(look: Any, holds: Any, seconds: float = 60.0) -> Any:
    """What `look` gives as soon as `holds` is true of it."""
    end = time.monotonic() + seconds
    while not holds(found := look()):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def begun(house: House) -> Gate:
    """It runs, and peers have said what they say."""
    next_hop = _Server(("127.0.0.1", 0), _NextHop)
    threading.Thread(target=next_hop.serve_forever, daemon=True).start()
    house.write(
        internet(),
        internet(EXTRA, name="printers",
                 access='[ { allow = ["connect", "submit", "relay"], to = "net:127.0.0.0/8" } ]'),
        f'[smtp.submission]\nlisten = ["{{host}}:{SUBMISSION}"]\ntls = "offer"\nauth = ["PLAIN"]\n'
        'access = [ { allow = ["connect"], to = "anyone" }, '
        '{ allow = ["submit", "relay"], to = "group:POP3 Relay" }, '
        f"{{ allow = ['submit'], to = 'group:{NAME}' }} ]\n",
        more=f'[routes."remote.example"]\nvia = "smtp://127.0.0.1:{next_hop.server_address[1]}"\n'
        "[tracking]\nsubjects = true\n",
    )  # fmt: skip
    _furnish(house)
    house.start()
    console = Program(
        [sys.executable, "-m", "console.unguarded", str(house.file), "0"],
        folder=TESTS,
        environment={"PYTHONPATH": f"{SOURCES}:{TESTS}"},
    )
    port = console.wait_for_line(lambda line: line.startswith("listening ")).split()[1]
    gate = Gate(house, f"http://127.0.0.1:{port}", console, next_hop)
    _attack(gate)
    return gate


def _furnish(house: House) -> None:
    """A certificate, names and addresses that were chosen by somebody with bad intentions."""
    certs = house.folder / "certs"
    write_pair(self_signed(CORPUS), certs / "bad.pem", certs / "bad.key")
    Generations(house.place.generations).keep(house.file.read_text(), by=IMAGE)
    with house.file.open("a") as file:
        file.write('[certificates.bad]\nchain = "certs/bad.pem"\nkey = "certs/bad.key"\n')
    settings, accounts = load(house.file), Accounts.open(house.place.accounts)
    accounts.users.add("eve@example.org", domains=settings.domains, by=IMAGE, full_name=IMAGE)
    for name in (IMAGE, NAME):
        accounts.groups.add(name, by="test")
    accounts.app_passwords.add("eve@example.org", NewAppPassword(IMAGE), by="test")
    accounts.administrators.add("viv", Role.VIEWER.value, by="test")
    accounts.tokens.add(NewToken(IMAGE, Role.VIEWER.value), by="viv")
    accounts.aliases.add("eva@example.org", ["eve@example.org"], domains=settings.domains, by="test")
    accounts.close()


def _attack(gate: Gate) -> None:
    """Everything that a peer may say, with the corpus in it."""
    for number, bad in enumerate(CORPUS):
        quoted = bad.replace("\\", "\\\\").replace('"', '\\"')
        gate.hand_in(f'<"{quoted}"@bad.example>', f"{number} {bad}", f'"{quoted}"@remote.example')
    gate.deferred(len(CORPUS))
    house = gate.house
    with house.smtp(INTERNET) as session:
        for bad in CORPUS:
            session.docmd(f"EHLO {bad}")
            session.docmd(f"AUTH {bad}")
        session.ehlo("bad.example")
        for bad in CORPUS:
            quoted = bad.replace("\\", "\\\\").replace('"', '\\"')
            session.docmd(f'MAIL FROM:<"{quoted}"@bad.example>')
            session.docmd(f'RCPT TO:<"{quoted}"@example.org>')
            session.docmd("RSET")
    for bad in CORPUS:
        _try_to_log_in(house, bad)
    with house.smtp(INTERNET) as session:
        session.sendmail("stranger@example.net", ["ann@example.org"], message("well"))
    for user in ("bob", "nobody", IMAGE):
        with suppress(Exception):
            house.ask("contain", user=f"{user}@example.org", why=f"test {IMAGE}", by=IMAGE)
    ban(house.place, "198.51.100.0/24", seconds=None, note=IMAGE, by=IMAGE)


def _try_to_log_in(house: House, name: str) -> None:
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    with house.smtp(SUBMISSION) as session, suppress(smtplib.SMTPException):
        session.starttls(context=unchecked)
        session.ehlo("bad.example")
        secret = base64.b64encode(f"\0{name}\0wrong".encode()).decode()
        session.docmd(f"AUTH PLAIN {secret}")


def paths(gate: Gate) -> list[str]:
    """Every page there is, with something on it."""
    one = gate.deferred(1)[0]
    return [
        "/",
        "/queues",
        "/queues?domain=nowhere.example",
        f"/messages/{one['id']}",
        "/messages/000000000000000",
        "/sessions",
        "/sessions/smtp/internet",
        "/users",
        "/users/eve@example.org",
        "/users/ann@example.org",
        f"/users/{quote(IMAGE, safe='')}",
        "/groups",
        "/groups/POP3%20Relay",
        f"/groups/{quote(IMAGE, safe='')}",
        "/aliases",
        "/devices",
        "/directory",
        "/attacks",
        "/bans",
        "/contained",
        "/tracking",
        f"/tracking?sender={quote(IMAGE, safe='')}",
        f"/tracking/{one['session']}",
        "/explain",
        "/explain?from=192.0.2.7&user=ann&mail_from=ann@example.org&rcpt=b@else.example",
        f"/explain?from=192.0.2.7&mail_from={quote(IMAGE, safe='')}&rcpt={quote(IMAGE, safe='')}",
        "/certificates",
        "/certificate-files",
        "/settings",
        "/guard-settings",
        "/limits",
        "/alarms",
        "/issuers",
        "/services",
        "/domains",
        "/routes",
        "/servers/smtp/internet?tab=messages",
        "/changes",
        "/history",
        "/administrators",
        "/weaknesses",
    ]
