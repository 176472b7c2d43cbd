"""A real rspamd that listens on an address of its own, and a real Dovecot that takes mail by LMTP."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from live.program import Program, run

PORT, LMTP = 11333, 2400
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

_RSPAMD = """
.include "/etc/rspamd/common.conf"
options {{
  pidfile = "{folder}/run/pid";
  filters = "chartable,dkim,regexp";
  dns {{ nameserver = ["127.0.0.1:1:1"]; timeout = 0.1s; retransmits = 1; }}
  disable_hyperscan = true;
  control_socket = "{folder}/run/ctl mode=0600";
  hs_cache_dir = "{folder}/db";
  tempdir = "{folder}/run";
}}
logging {{ type = "console"; level = "notice"; }}
worker "normal" {{ bind_socket = "{host}:{port}"; count = 1; }}
"""
_HEADERS = """
use = ["authentication-results", "x-spamd-bar"];
skip_local = false;
skip_authenticated = false;
"""
_DOVECOT = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = lmtp
listen = {host}
ssl = no
mail_location = maildir:{folder}/mail/%n
mail_uid = dovecot
mail_gid = dovecot
first_valid_uid = 1
default_internal_user = dovecot
default_login_user = dovenull
passdb {{
  driver = passwd-file
  args = username_format=%n {folder}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%n {folder}/users
  override_fields = uid=dovecot gid=dovecot home={folder}/mail/%n
}}
service lmtp {{
  inet_listener lmtp {{
    address = {host}
    port = {lmtp}
  }}
}}
protocol lmtp {{
  auth_username_format = %Ln
}}
"""


class Rspamd:
    """Answers at host:PORT until `stop`. Needs root: it becomes another user."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.folder = Path(tempfile.mkdtemp(prefix="gatepost-rspamd-"))
        self.folder.chmod(0o777)
        for name in ("db", "run", "log", "local.d", "override.d"):
            (self.folder / name).mkdir()
            (self.folder / name).chmod(0o777)
        text = _RSPAMD.format(folder=self.folder, host=host, port=PORT)
        (self.folder / "rspamd.conf").write_text(text)
        (self.folder / "local.d" / "milter_headers.conf").write_text(_HEADERS)
        for name in ("fuzzy_check", "rbl", "asn"):  # they would ask DNS, which nobody answers
            (self.folder / "local.d" / f"{name}.conf").write_text("enabled = false;\n")
        self.program = Program(
            [
                "rspamd", "-f", "-i", "-u", "_rspamd", "-g", "_rspamd", "-c", self.folder / "rspamd.conf",
                *(f"--var={name}={self.folder}{place}" for name, place in (
                    ("DBDIR", "/db"), ("RUNDIR", "/run"), ("LOGDIR", "/log"), ("LOCAL_CONFDIR", ""))),
            ],
            folder=self.folder,
        )  # fmt: skip
        self.program.wait_for_port(host, PORT, seconds=200)  # it computes for 15 s before it listens

    @property
    def url(self) -> str:
        return f"http://{self.host}:{PORT}"

    def stop(self) -> None:
        self.program.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class DovecotLmtp:
    """Takes mail for alice and bob at host:LMTP, refuses others, until `stop`. Needs root."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.folder = Path(tempfile.mkdtemp(prefix="gatepost-dovecot-"))
        self.folder.chmod(0o755)
        for name in ("run", "mail"):
            (self.folder / name).mkdir()
        (self.folder / "users").write_text("alice:{PLAIN}pw::::::\nbob:{PLAIN}pw::::::\n")
        (self.folder / "dovecot.conf").write_text(_DOVECOT.format(folder=self.folder, host=host, lmtp=LMTP))
        run("chown", "-R", "dovecot", self.folder / "mail")
        self.program = Program(["dovecot", "-F", "-c", self.folder / "dovecot.conf"], folder=self.folder)
        self.program.wait_for_port(host, LMTP)

    @property
    def via(self) -> str:
        return f"lmtp://{self.host}:{LMTP}"

    def mail(self, user: str) -> list[bytes]:
        """What lies in the user's mailbox."""
        folder = self.folder / "mail" / user
        return [file.read_bytes() for name in ("new", "cur") for file in sorted((folder / name).glob("*"))]

    def stop(self) -> None:
        self.program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
