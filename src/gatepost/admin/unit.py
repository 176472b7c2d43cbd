"""The systemd unit: what the service may do, and nothing else (systemd.exec(5))."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gatepost.config.schema import Settings

UNIT_FILE = Path("/etc/systemd/system/gatepost.service")
_HOMES = tuple(Path("/") / folder for folder in ("home", "root", "run/user"))

_TEMPLATE = """\
[Unit]
Description=Gatepost, a mail gate
Documentation=man:systemd.service(5)
Wants=network-online.target
After=network-online.target nss-lookup.target time-sync.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={program} -c {file} run
ExecReload=/bin/kill -HUP $MAINPID
KillMode=mixed
WatchdogSec=60
Restart=on-failure
RestartSec=2
# 3: the file is not safe; starting it again does not make it so
RestartPreventExitStatus=3
# the queue is read before anything is said to be ready
TimeoutStartSec=15min
TimeoutStopSec=90

User={user}
UMask=0077
LimitNOFILE=65536
# ports below 1024, and nothing else of root's
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes

ProtectSystem=strict
{writable}
ProtectHome={home}
PrivateMounts=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


def unit(settings: Settings, *, file: Path, program: Path, user: str) -> str:
    """The unit for the configuration `file`. What must be written to is writable, nothing else is."""
    writable = writable_folders(settings)
    in_a_home = any(path.is_relative_to(home) for path in (*writable, file, program) for home in _HOMES)
    return _TEMPLATE.format(
        program=_quoted(program),
        file=_quoted(file),
        user=user,
        writable="\n".join(f"ReadWritePaths={_quoted(folder)}" for folder in writable),
        home="read-only" if in_a_home else "yes",
    )


def writable_folders(settings: Settings) -> list[Path]:
    """State, what routes capture into, and where ACME renews a certificate."""
    folders = [settings.state]
    vias = (route.via for route in settings.routes.values())
    folders += [Path(via.removeprefix("capture:")) for via in vias if via.startswith("capture:")]
    if settings.acme is not None and (certificate := settings.certificates.get(settings.acme.certificate)):
        folders += [file.parent for file in (certificate.chain, certificate.key) if file is not None]
    return list(dict.fromkeys(_outermost(folders)))


def _outermost(folders: Iterable[Path]) -> list[Path]:
    every = list(folders)
    return [one for one in every if not any(one != other and one.is_relative_to(other) for other in every)]


def _quoted(path: Path) -> str:
    """As a word of a unit file: `%` and `$` mean nothing, spaces do not part it."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"' if any(character in text for character in " \t'\"\\") else text
