"""Root's rights given up: the process becomes a user, and keeps one thing, binding ports below 1024.

The rights go before anything else is opened, and the one capability stays with the daemon alone: so a
reload can still bind port 25, files are made as the user's own, and whatever a worker or the daemon
cannot read later shows at the start. Workers get their sockets from the daemon and no capability.
capabilities(7), prctl(2).
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys
import tomllib
from pathlib import Path
from typing import Final

_PR_SET_KEEPCAPS: Final = 8
_PR_CAPBSET_DROP: Final = 24
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_VERSION_3: Final = 0x20080522
_CAP_NET_BIND_SERVICE: Final = 10


class CannotDrop(Exception):
    """Gatepost cannot run as that user; the text says why and what to do."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def give_up_root(text: str, folder: Path) -> None:
    """The process is the `user` that the configuration's text names; nothing where it names none.

    A text that is not valid is left for others to complain of. `folder` is where relative paths begin.

    Raises CannotDrop.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    user, state = raw.get("user"), raw.get("state")
    if isinstance(user, str) and isinstance(state, str):
        become(user, folder / Path(state).expanduser())
        if not os.access(sys.executable, os.X_OK):
            raise CannotDrop(f"user: {user} may not run {sys.executable}; install Gatepost where it may")
    else:
        clear_ambient()


def become(user: str, state: Path) -> None:
    """The process is `user`'s for good; it can bind low ports, and what it starts can not.

    The state folder is the user's: made for it when it is not there.

    Raises CannotDrop: there is no such user, or the state folder is another's.
    """
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise CannotDrop(
            f"user: there is no user {user!r}; `useradd --system --no-create-home {user}` makes one"
        ) from None
    if os.geteuid() == account.pw_uid:
        _owned(state, account)
        clear_ambient()
        return
    if os.geteuid() != 0:
        raise CannotDrop(f"user: only root can become {user!r}; start Gatepost as root or as {user}")
    if not state.exists():
        state.mkdir(parents=True, mode=0o700)
        os.chown(state, account.pw_uid, account.pw_gid)
    _owned(state, account)
    _drop(account)


def clear_ambient() -> None:
    """What this process starts inherits no capability (a unit's AmbientCapabilities= end here)."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)


def _owned(state: Path, account: pwd.struct_passwd) -> None:
    """The state folder, and what a start as root would have left in it, is the user's."""
    if not state.exists():
        return
    for path in (state, *state.iterdir()):
        owner = path.lstat().st_uid
        if owner != account.pw_uid:
            raise CannotDrop(
                f"state: {path} belongs to {_name(owner)}, not to {account.pw_name}; "
                f"`chown -R {account.pw_name}: {state}` mends it"
            )


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"


def _drop(account: pwd.struct_passwd) -> None:
    libc = ctypes.CDLL(None, use_errno=True)

    def prctl(option: int, argument: int) -> None:
        if libc.prctl(option, argument, 0, 0, 0):
            raise CannotDrop(f"prctl({option}): {os.strerror(ctypes.get_errno())}")

    for capability in range(_last_capability() + 1):
        if capability != _CAP_NET_BIND_SERVICE:
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # a container may have dropped it before us
    prctl(_PR_SET_KEEPCAPS, 1)
    os.initgroups(account.pw_name, account.pw_gid)
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    bit = 1 << _CAP_NET_BIND_SERVICE
    sets = (_Sets * 2)(_Sets(bit, bit, 0), _Sets(0, 0, 0))
    if libc.capset(ctypes.byref(_Header(_VERSION_3, 0)), ctypes.byref(sets)):
        # a container without it: ports below 1024 are then told as what they are, not allowed
        sets = (_Sets * 2)(_Sets(0, 0, 0), _Sets(0, 0, 0))
        if libc.capset(ctypes.byref(_Header(_VERSION_3, 0)), ctypes.byref(sets)):
            raise CannotDrop(f"capset: {os.strerror(ctypes.get_errno())}")
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    os.environ.update(USER=account.pw_name, LOGNAME=account.pw_name, HOME=account.pw_dir)


def _last_capability() -> int:
    try:
        return int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    except (OSError, ValueError):
        return 40
