"""A real Postfix in a folder of its own: the next hop that others run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from live.authority import Certificate
from live.program import Program, ProgramFailed, run

DAEMONS = Path("/usr/lib/postfix/sbin")
PORT = 2525

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {daemons}
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = /dev/stdout
myhostname = {hostname}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access
  inline:{{ {{ refused@refused.example = 550 5.1.1 no such user }} }}
smtpd_tls_security_level = {tls}
smtpd_tls_chain_files = {key}, {chain}
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
smtputf8_enable = yes
strict_smtputf8 = no
message_size_limit = 0
mailbox_size_limit = 0
virtual_mailbox_limit = 0
# Everything lands in one Maildir, and nothing in a message is changed on its way there.
virtual_mailbox_domains = static:all
virtual_mailbox_maps = static:inbox/
virtual_mailbox_base = {folder}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
message_drop_headers =
disable_mime_input_processing = yes
append_at_myorigin = no
append_dot_mydomain = no
local_header_rewrite_clients =
virtual_transport = virtual
in_flow_delay = 0
"""

MASTER = """\
{host}:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message as it lies in the Maildir: line ends are LF there."""

    recipient: str
    content: bytes

    @property
    def below_received(self) -> bytes:
        """What stands below the trace fields that Postfix (and who relayed to it) put on top."""
        return below_trace(self.content)


class Postfix:
    """A running Postfix at host:PORT that takes any recipient and delivers into one Maildir."""

    def __init__(
        self, host: str, certificate: Certificate, *, hostname: str = "mx.postfix.example", tls: str = "may"
    ):
        self.host, self.port, self.hostname = host, PORT, hostname
        # Postfix's daemons drop root and must still reach the folder: pytest's own is closed to them.
        self.folder = Path(tempfile.mkdtemp(prefix="gatepost-postfix-"))
        self.folder.chmod(0o755)
        self._write(certificate, tls)
        checked = run("/usr/sbin/postfix", "-c", self.folder / "etc", "check")  # makes the queue's folders
        if checked.returncode:
            raise ProgramFailed(f"postfix check: {checked.stdout}")
        self.program = Program([DAEMONS / "master", "-c", self.folder / "etc", "-s"], folder=self.folder)
        try:
            self.program.wait_for_port(host, self.port)
        except ProgramFailed:
            self.stop()
            raise

    @property
    def log(self) -> str:
        """Everything Postfix logged up to now."""
        return self.program.output

    def delivered(self) -> list[Delivered]:
        """All messages in the Maildir, oldest first."""
        files = sorted(
            (self.folder / "mail" / "inbox" / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns
        )
        found = []
        for path in files:
            content = path.read_bytes()
            recipient = next(
                (line[14:].decode() for line in content.split(b"\n") if line.startswith(b"Delivered-To: ")),
                "",
            )
            found.append(Delivered(recipient, content))
        return found

    def wait_for(self, count: int, seconds: float = 60.0) -> list[Delivered]:
        """At least `count` messages are in the Maildir: all that are.

        Raises: ProgramFailed when they are not within the time, with Postfix's log.
        """
        self.program.wait_for(lambda lines: sum("status=sent" in line for line in lines) >= count, seconds)
        return self.delivered()

    def stop(self) -> None:
        """Postfix has ended and its folder is gone."""
        try:
            self.program.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, certificate: Certificate, tls: str) -> None:
        owner = _user()
        for name in ("etc", "queue", "data", "mail", "tls"):
            (self.folder / name).mkdir()
        os.chown(self.folder / "data", owner.uid, owner.gid)
        os.chown(self.folder / "mail", owner.uid, owner.gid)
        chain = shutil.copy(certificate.chain, self.folder / "tls" / "cert.pem")
        key = shutil.copy(certificate.key, self.folder / "tls" / "key.pem")
        values = {
            "folder": self.folder, "daemons": DAEMONS, "hostname": self.hostname, "tls": tls, "chain": chain,
            "key": key, "uid": owner.uid, "gid": owner.gid, "host": self.host, "port": self.port,
        }  # fmt: skip
        (self.folder / "etc" / "main.cf").write_text(MAIN.format(**values))
        (self.folder / "etc" / "master.cf").write_text(MASTER.format(**values))


@dataclass(frozen=True, slots=True)
class _Owner:
    uid: int
    gid: int


def _user() -> _Owner:
    entry = subprocess.run(["getent", "passwd", "postfix"], capture_output=True, text=True, check=True).stdout
    fields = entry.split(":")
    return _Owner(int(fields[2]), int(fields[3]))


def below_trace(content: bytes) -> bytes:
    """`content` (LF or CRLF line ends) without the trace fields at its very top (RFC 5321 §4.4)."""
    trace = (b"received:", b"return-path:", b"delivered-to:", b"x-original-to:")
    lines = content.split(b"\n")
    at = 0
    while at < len(lines) and lines[at].lower().startswith(trace):
        at += 1
        while at < len(lines) and lines[at][:1] in (b" ", b"\t"):
            at += 1
    return b"\n".join(lines[at:])
