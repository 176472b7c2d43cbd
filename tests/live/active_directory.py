"""Samba as an Active Directory domain controller: provisioned for the tests, filled, started."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from pathlib import Path

from live import loopback
from live.ad_seed import PASSWORD
from live.authority import Authority
from live.gate import LOCAL_DOMAIN
from live.program import Program, ProgramFailed, descendants, run

LDAP, LDAPS, KDC = 389, 636, 88
PORTS = (LDAP, LDAPS, KDC, 53)
REALM, SHORT = "GATEPOST.TEST", "GATEPOST"
HOST = "dc1.gatepost.test"
BASE = "DC=gatepost,DC=test"
SERVICE = "svc-gatepost@gatepost.test"
SYSTEM_PYTHON = "/usr/bin/python3"
_SEED = Path(__file__).with_name("ad_seed.py")


class ActiveDirectory:
    """A domain controller at `host`; its certificate names the address and `localhost`."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.folder = folder
        self.host = loopback.address(*PORTS)
        self.ca_file = authority.ca_file
        self._certificate = authority.issue(HOST, "localhost", self.host)
        self.program: Program | None = None
        self._provision()

    @property
    def url(self) -> str:
        return f"ldaps://{self.host}"

    @property
    def configuration(self) -> Path:
        return self.folder / "etc" / "smb.conf"

    def start(self) -> None:
        """It answers on its ports."""
        chain, key = self._certificate.chain, self._certificate.key
        options = {
            "server services": "ldap cldap kdc dns rpc", "tls enabled": "yes", "tls cafile": self.ca_file,
            "tls certfile": chain, "tls keyfile": key,
        }  # fmt: skip
        self.program = Program(
            ["samba", "-F", "--no-process-group", "-M", "single", "-s", self.configuration, "--debug-stdout",
             "-d1", *(f"--option={name}={value}" for name, value in options.items())],
            folder=self.folder,
        )  # fmt: skip
        for port in (LDAPS, KDC):
            self.program.wait_for_port(self.host, port)

    def stop(self) -> None:
        """Nobody listens; connections are gone."""
        program, self.program = self.program, None
        if program is not None:
            program.kill()

    def freeze(self) -> None:
        """Connections stay and are accepted, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.program is not None
        for pid in (self.program.pid, *descendants(self.program.pid)):
            os.kill(pid, number)

    def _provision(self) -> None:
        folder = self.folder
        folder.mkdir(parents=True)
        (folder / "seed.conf").touch()  # else the machine's own configuration is merged in
        options = {
            "interfaces": f"{self.host}/8", "bind interfaces only": "yes", "log file": folder / "log.%m",
            "pid directory": folder / "run", "ncalrpc dir": folder / "run/ncalrpc",
            "winbindd socket directory": folder / "run/winbindd",
            "ntp signd socket directory": folder / "run/ntp",
        }  # fmt: skip
        _done(
            "samba-tool", "domain", "provision", f"--configfile={folder / 'seed.conf'}", f"--realm={REALM}",
            f"--domain={SHORT}", "--server-role=dc", "--dns-backend=SAMBA_INTERNAL", "--host-name=dc1",
            "--adminpass=Adm1n.Secret-9", f"--targetdir={folder}", f"--host-ip={self.host}",
            *(f"--option={name}={value}" for name, value in options.items()),
        )  # fmt: skip
        _done(SYSTEM_PYTHON, _SEED, self.configuration, LOCAL_DOMAIN)

    def gather_crowd(self) -> None:
        """The group "Crowd" has 5,000 members more, and olga."""
        _done(SYSTEM_PYTHON, _SEED, self.configuration)

    def name_service(self, principal: str) -> None:
        """smtpsvc is that service too."""
        _done("samba-tool", "spn", "add", principal, "smtpsvc", "-s", self.configuration)

    def user(self, *arguments: str) -> None:
        """`samba-tool user ARGUMENTS` is done."""
        _done("samba-tool", "user", *arguments, "-s", self.configuration)

    def export_key(self, principal: str, keytab: Path) -> None:
        """The keytab holds the key of the service too."""
        _done(
            "samba-tool",
            "domain",
            "exportkeytab",
            keytab,
            f"--principal={principal}",
            "-s",
            self.configuration,
        )
        keytab.chmod(0o600)

    def settings(self, password_file: Path, name: str = "ad", url: str = "", more: str = "") -> str:
        """The table of the settings for it."""
        return (
            f'[directory.{name}]\nkind = "ldap"\nurl = "{url or self.url}"\ndomain = "{SHORT}"\n'
            f'bind_user = "{SERVICE}"\nbind_password_file = "{password_file}"\n'
            f'ca_file = "{self.ca_file}"\n{more}\n'
        )


def password_file(folder: Path) -> Path:
    """The service's password, in a file nobody else may read."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "ad-password"
    file.write_text(PASSWORD + "\n")
    file.chmod(0o600)
    return file


def missing() -> str | None:
    """What is not here and needed; None when all is."""
    return next((name for name in ("samba", "samba-tool") if shutil.which(name) is None), None)


class BlackHole:
    """Takes connections and never says a word, as a firewall does that lost its state."""

    def __init__(self, host: str, *ports: int) -> None:
        self._sockets = [socket.create_server((host, port), backlog=1024) for port in ports]

    def close(self) -> None:
        for one in self._sockets:
            one.close()


def _done(*arguments: str | Path) -> None:
    completed = run(*arguments)
    if completed.returncode:
        raise ProgramFailed(f"{arguments[0]}: {completed.stdout}")
