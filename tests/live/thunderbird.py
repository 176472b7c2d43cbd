"""Thunderbird under Xvfb, told what to do through Marionette: a length, a colon and JSON over TCP."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from live.program import START_SECONDS, Program, ProgramFailed

PROGRAMS = ("thunderbird", "Xvfb")
# It asks nobody for news, updates or its name, and opens no dialog.
_PREFERENCES: dict[str, object] = {
    "marionette.port": 0,
    "app.update.auto": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "extensions.update.enabled": False,
    "extensions.systemAddon.update.url": "",
    "app.normandy.enabled": False,
    "services.settings.server": "http://127.0.0.1:1/",
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.shell.checkDefaultClient": False,
    "mail.rights.version": 1,
    "mailnews.start_page.enabled": False,
}
_TRUST = """
let [authority, done] = arguments;
Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB).addCertFromBase64(authority, "C,,");
done(true);
"""
# socketType 3 is TLS from the first byte, 2 is STLS; authMethod 3 is a password.
_COLLECT = """
let [host, port, implicit, user, password, keep, done] = arguments;
(async () => {
  let { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  let server = MailServices.accounts.findServer(user, host, "pop3");
  if (!server) {
    server = MailServices.accounts.createIncomingServer(user, host, "pop3");
    let account = MailServices.accounts.createAccount();
    account.incomingServer = server;
  }
  server.port = port; server.socketType = implicit ? 3 : 2; server.authMethod = 3; server.password = password;
  server.QueryInterface(Ci.nsIPop3IncomingServer).leaveMessagesOnServer = keep;
  let inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
  let status = await new Promise(tell => MailServices.pop3.GetNewMail(null,
    { OnStartRunningUrl() {}, OnStopRunningUrl(url, status) { tell(status); } }, inbox, server));
  let messages = [];
  for (let header of inbox.messages) { messages.push(header.mime2DecodedSubject); }
  done({ status, messages });
})().catch(error => done({ status: -1, messages: [String(error)] }));
"""


class Thunderbird:
    """A running Thunderbird with a profile of its own that trusts `ca_file`."""

    def __init__(self, folder: Path, ca_file: Path) -> None:
        self._folder = folder
        (folder / "profile").mkdir(parents=True)
        lines = (
            f"user_pref({json.dumps(key)}, {json.dumps(value)});\n" for key, value in _PREFERENCES.items()
        )
        (folder / "profile" / "user.js").write_text("".join(lines))
        self._ca_file = ca_file
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        display, told = os.pipe()
        self._screen = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "Xvfb", "-displayfd", str(told), "-screen", "0", "1024x768x24",
             "-nolisten", "tcp"],
            pass_fds=[told], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(told)
        with os.fdopen(display) as said:
            number = said.readline().strip()
        self._program = Program(
            ["thunderbird", "--marionette", "--remote-allow-system-access", "--no-remote",
             "--profile", self._folder / "profile"],
            folder=self._folder,
            environment={"HOME": str(self._folder), "DISPLAY": f":{number}"},
        )  # fmt: skip
        try:
            self._connect()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._stream.close()
        self._end()

    def collect(
        self, host: str, port: int, user: str, password: str, *, implicit_tls: bool, keep: bool
    ) -> tuple[int, list[str]]:
        """Its inbox after "Get Messages": the status (0: all went well) and the subjects."""
        done = self._run(_COLLECT, host, port, implicit_tls, user, password, keep)
        return int(done["status"]), list(done["messages"])

    def _connect(self) -> None:
        port = int(_awaited(self._folder / "profile" / "MarionetteActivePort", self._program))
        with socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS) as connection:
            self._stream = connection.makefile("rwb")  # keeps it open
        self._read()  # it introduces itself
        self._ask("WebDriver:NewSession", {})
        self._ask("Marionette:SetContext", {"value": "chrome"})
        self._ask("WebDriver:SetTimeouts", {"script": int(START_SECONDS * 1000)})
        lines = self._ca_file.read_text().splitlines()
        self._run(_TRUST, "".join(line for line in lines if "CERTIFICATE" not in line))

    def _end(self) -> None:
        self._program.kill()
        self._screen.terminate()
        self._screen.wait()

    def _run(self, script: str, *arguments: object) -> Any:
        answer = self._ask("WebDriver:ExecuteAsyncScript", {"script": script, "args": list(arguments)})
        return answer["value"]

    def _ask(self, name: str, parameters: dict[str, object]) -> Any:
        text = json.dumps([0, next(self._numbers), name, parameters])
        self._stream.write(f"{len(text)}:{text}".encode())
        self._stream.flush()
        _kind, _number, fault, result = self._read()
        if fault is not None:
            raise ProgramFailed(f"{name}: {fault}")
        return result

    def _read(self) -> Any:
        digits = b""
        while not digits.endswith(b":"):
            digit = self._stream.read(1)
            if not digit:
                raise ProgramFailed(f"Thunderbird went away:\n{self._program.output}")
            digits += digit
        return json.loads(self._stream.read(int(digits[:-1])))


def _awaited(file: Path, program: Program) -> str:
    deadline = time.monotonic() + START_SECONDS
    while not file.exists() or not file.read_text().strip():
        if program.process.poll() is not None or time.monotonic() > deadline:
            raise ProgramFailed(f"Thunderbird did not start:\n{program.output}")
        time.sleep(0.05)
    return file.read_text()
