"""The processor time and memory of a group of processes, those that have ended included."""

from __future__ import annotations

import os
from pathlib import Path

from live.program import descendants

_V1 = Path("/sys/fs/cgroup/cpuacct")
_V2 = Path("/sys/fs/cgroup")
_TICKS = os.sysconf("SC_CLK_TCK")


class Account:
    """A control group where the machine lets us make one, else the process tree below one process."""

    def __init__(self, name: str) -> None:
        group = f"gatepost-bench-{name}-{os.getpid()}"
        self._group = next((made for root in (_V1, _V2) if (made := _made(root / group))), None)
        self.root = 0
        """The process whose tree is counted where there is no control group."""

    def within(self, *arguments: str | Path, log: Path) -> list[str | Path]:
        """A command line that runs `arguments` inside the group, its output going to `log`."""
        enter = f"echo $$ > {self._group}/cgroup.procs; " if self._group else ""
        return ["/bin/sh", "-c", f'{enter}exec "$@" > {log} 2>&1', "sh", *arguments]

    def seconds(self) -> float:
        """User and system time spent up to now."""
        if self._group and (self._group / "cpuacct.usage").exists():
            return int((self._group / "cpuacct.usage").read_text()) / 1e9
        if self._group:
            stat = dict(line.split() for line in (self._group / "cpu.stat").read_text().splitlines())
            return int(stat["usage_usec"]) / 1e6
        # A process's last two fields are its children's that ended and were waited for (proc(5)).
        return sum(sum(map(int, _stat(pid)[11:15])) for pid in self.processes()) / _TICKS

    def processes(self) -> list[int]:
        """Those that run now."""
        if self._group:
            return [int(line) for line in (self._group / "cgroup.procs").read_text().split()]
        return [self.root, *descendants(self.root)]

    def kibibytes(self, field: str = "Pss") -> int:
        """`field` of smaps_rollup, summed: Pss counts a shared page by its share."""
        return sum(_kibibytes(pid, "smaps_rollup", field) for pid in self.processes())

    def begin_peak(self) -> None:
        """`peak_kibibytes` counts from here on."""
        for pid in self.processes():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def peak_kibibytes(self) -> int:
        """The most that was resident since `begin_peak`, each process's own peak summed."""
        return sum(_kibibytes(pid, "status", "VmHWM") for pid in self.processes())

    def resident_kibibytes(self) -> int:
        """What is resident now."""
        return sum(_kibibytes(pid, "status", "VmRSS") for pid in self.processes())

    def close(self) -> None:
        """The group is gone, if it is empty."""
        if self._group:
            try:
                self._group.rmdir()
            except OSError:
                return  # a process is still ending; an empty group that stays does no harm


def _made(folder: Path) -> Path | None:
    if not folder.parent.is_dir():
        return None
    try:
        folder.mkdir(exist_ok=True)
    except OSError:
        return None
    return folder if (folder / "cgroup.procs").exists() else None


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return ["0"] * 20


def _kibibytes(pid: int, file: str, field: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{field}:")), 0)
