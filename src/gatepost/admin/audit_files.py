"""Files of the house that other users of this machine can read or change."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gatepost.admin.audit_meanings import Weak
from gatepost.admin.audit_weakness import Grade, Weakness
from gatepost.config.schema import Settings
from gatepost.store.place import Place

_OTHERS_READ: Final = stat.S_IROTH | stat.S_IXOTH
_OTHERS_WRITE: Final = stat.S_IWOTH | stat.S_IWGRP


def file_weaknesses(settings: Settings) -> Iterator[Weakness]:
    """Secrets that others read, and settings that others write."""
    state = Place(settings.state)
    inside_is_closed = not _mode(settings.state) & stat.S_IXOTH  # then nobody reaches what is in it
    for path in (state.state, state.accounts, state.guard, state.spool, state.mailboxes, state.acme):
        if path == state.state or not inside_is_closed:
            yield from _readable(path)
    for path in _secrets(settings):
        yield from _readable(path)
    for path in (settings.source.path, settings.source.path.parent, settings.state):
        yield from _writable(path)


def _secrets(settings: Settings) -> Iterator[Path]:
    """Keys, passwords and keytabs that the file names."""
    for certificate in settings.certificates.values():
        yield from (one for one in (certificate.key, certificate.pfx, certificate.pfx_password_file) if one)
    for route in settings.routes.values():
        if route.login is not None and route.login.password_file is not None:
            yield route.login.password_file
    for directory in settings.directory.values():
        if directory.bind_password_file is not None:
            yield directory.bind_password_file
    for alarm in settings.alarms.values():
        if alarm.secret_file is not None:
            yield alarm.secret_file
    for oauth in settings.oauth.values():
        if oauth.client_secret_file is not None:
            yield oauth.client_secret_file
    openid = None if settings.console is None else settings.console.openid
    if openid is not None and openid.client_secret_file is not None:
        yield openid.client_secret_file
    if settings.kerberos is not None:
        yield settings.kerberos.keytab


def _readable(path: Path) -> Iterator[Weakness]:
    if _mode(path) & _OTHERS_READ:
        text = f"other users of this machine can read {path}"
        yield Weakness(Weak.FILE_OPEN, Grade.HIGH, text, (str(path),), f"chmod o-rwx {path}")


def _writable(path: Path) -> Iterator[Weakness]:
    mode = _mode(path)
    if mode & _OTHERS_WRITE and not mode & stat.S_ISVTX:
        whose = "other users" if mode & stat.S_IWOTH else "its group"
        grade = Grade.CRITICAL if mode & stat.S_IWOTH else Grade.LOW
        text = f"{whose} of this machine can change {path}, and so who relays"
        yield Weakness(Weak.FILE_OPEN, grade, text, (str(path),), f"chmod go-w {path}")


def _mode(path: Path) -> int:
    """0 where there is none, or where it cannot be looked at."""
    try:
        return path.stat().st_mode
    except OSError:
        return 0
