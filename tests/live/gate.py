"""Gatepost itself, started as an administrator starts it: a file, users, `gatepost run`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from gatepost.store.attempts import Attempts, LoginAttempt
from gatepost.store.place import Place
from live import loopback
from live.authority import Authority
from live.program import Program, ProgramFailed, run

SOURCES = Path(__file__).parents[2] / "src"
GATEPOST = (sys.executable, "-c", "from gatepost.cli.main import main; main()")

INTERNET, TRUSTED, SUBMISSION, SUBMISSION_TLS = 2525, 2526, 5870, 4650
PORTS = (INTERNET, TRUSTED, SUBMISSION, SUBMISSION_TLS)
HOSTNAME = "mail.gate.example"
LOCAL_DOMAIN = "local.example"

CONFIGURATION = """\
hostname = "{hostname}"
state = "state"
{workers}
[domains."{domain}"]
deliver = "mailbox"

[certificates.default]
chain = "{chain}"
key = "{key}"

[smtp.internet]
listen = ["{host}:{internet}"]
tls = "offer"
auth = []
access = [ {{ allow = ["connect", "submit"], to = "anyone" }} ]

[smtp.trusted]
listen = ["{host}:{trusted}"]
tls = "offer"
auth = []
access = [ {{ allow = ["connect", "submit", "relay"], to = "net:127.0.0.0/8" }} ]

[smtp.submission]
listen = ["{host}:{submission}"]
tls = "require"
auth = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"]
access = [
  {{ allow = ["connect"], to = "anyone" }},
  {{ allow = ["submit"], to = "authenticated" }},
  {{ allow = ["submit", "relay"], to = "group:POP3 Relay" }},
]

[smtp.submission-tls]
listen = ["{host}:{submission_tls}"]
tls = "implicit"
auth = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"]
access = [
  {{ allow = ["connect"], to = "anyone" }},
  {{ allow = ["submit"], to = "authenticated" }},
  {{ allow = ["submit", "relay"], to = "group:POP3 Relay" }},
]

[limits]
message_size_bytes = 52_428_800
connections_per_peer = 500
messages_per_minute_per_user = 1_000_000
recipients_per_day_per_user = 1_000_000_000

{routes}
"""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a password."""

    name: str
    password: str

    @property
    def address(self) -> str:
        return self.name


ANN = User(f"ann@{LOCAL_DOMAIN}", "Ann's long passphrase 1")
"""A member of the group "POP3 Relay"."""
BOB = User(f"bob@{LOCAL_DOMAIN}", "Bob's long passphrase 2")
"""Has an account and is in no group."""


def route(via: str, *, domain: str = "*", tls: str = "off", ca_file: Path | None = None) -> str:
    """One `[routes]` table; `ca_file` stands for who signs the next hop's certificate."""
    trusted = f"ca_file = {json.dumps(str(ca_file))}\n" if ca_file else ""
    return f"[routes.{json.dumps(domain)}]\nvia = {json.dumps(via)}\ntls = {json.dumps(tls)}\n{trusted}"


def command(folder: Path, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """`gatepost -c FOLDER/gatepost.toml ARGUMENTS` has run."""
    return run(
        *GATEPOST,
        "-c",
        folder / "gatepost.toml",
        *arguments,
        given=given,
        environment={"PYTHONPATH": str(SOURCES)},
    )


def done(completed: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    """`completed`, which ended well.

    Raises: ProgramFailed when it did not.
    """
    if completed.returncode:
        raise ProgramFailed(f"{completed.args[3:]}: exit status {completed.returncode}\n{completed.stdout}")
    return completed


def make_accounts(folder: Path) -> None:
    """A working directory with ann, who may relay, and bob, who may not."""
    done(run(*GATEPOST, "init", folder, "--hostname", HOSTNAME, "--domain", LOCAL_DOMAIN,
             environment={"PYTHONPATH": str(SOURCES)}))  # fmt: skip
    for user in (ANN, BOB):
        done(command(folder, "user", "add", user.name, "--password-stdin", given=user.password + "\n"))
    done(command(folder, "group", "join", "POP3 Relay", ANN.name))


class Gate:
    """A Gatepost that can be started, killed and started again over the same folder."""

    def __init__(
        self, accounts: Path, folder: Path, authority: Authority, routes: str, *, workers: int | None = None
    ):
        shutil.copytree(accounts, folder)
        self.folder, self.authority = folder, authority
        self._routes = routes
        self._workers = f"workers = {workers}\n" if workers else ""
        self.host = ""
        self.program: Program | None = None

    def start(self) -> None:
        """It has said "ready": all listeners are bound."""
        for host in [self.host] if self.host else loopback.addresses(*PORTS):
            self._configure(host)
            self.program = Program(
                [*GATEPOST, "-c", self.folder / "gatepost.toml", "run"],
                folder=self.folder,
                environment={"PYTHONPATH": str(SOURCES)},
            )
            try:
                self.program.wait_for_line(lambda line: line.strip() == "ready")
            except ProgramFailed as failed:
                self.program.kill()
                if self.host or "in use" not in str(failed):
                    raise
                continue  # somebody bound that address meanwhile
            self.host = host
            return

    def stop(self) -> int:
        """It has drained and ended after SIGTERM; its exit status."""
        program, self.program = self.program, None
        return program.stop() if program else 0

    def kill(self) -> None:
        """Daemon and workers are gone by SIGKILL."""
        program, self.program = self.program, None
        if program:
            program.kill()

    def command(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """`gatepost` has run with this gate's file."""
        return command(self.folder, *arguments, given=given)

    def logins(self) -> list[LoginAttempt]:
        """Every attempt on record; the newest may still be missing while it runs."""
        return Attempts(Place(self.folder / "state").attempts).latest(0.0, 10_000)

    @property
    def log(self) -> str:
        return self.program.output if self.program else ""

    def wait_for_log(self, words: str) -> str:
        """The first line with these words; the log is a moment behind."""
        assert self.program is not None
        return self.program.wait_for_line(lambda line: words in line)

    def _configure(self, host: str) -> None:
        certificate = self.authority.issue(HOSTNAME, "localhost", host)
        text = CONFIGURATION.format(
            hostname=HOSTNAME, domain=LOCAL_DOMAIN, chain=certificate.chain, key=certificate.key, host=host,
            internet=INTERNET, trusted=TRUSTED, submission=SUBMISSION, submission_tls=SUBMISSION_TLS,
            routes=self._routes.replace("{host}", host), workers=self._workers,
        )  # fmt: skip
        (self.folder / "gatepost.toml").write_text(text)
