"""What every verb needs: which file is meant, what is in it, and how an error is told.

What only some need is loaded where they need it, so that the others start sooner.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from gatepost.admin.link import Value, ask_daemon
from gatepost.store.place import Place

if TYPE_CHECKING:
    from gatepost.admin.acts import Acts
    from gatepost.config.schema import Settings
    from gatepost.store.accounts import Accounts
    from gatepost.store.audit import Fact

T = TypeVar("T")
DONE, FAILED, USAGE, NO = 0, 1, 2, 3


class Failure(Exception):
    """A verb could not do what was asked: one line on stderr, then `exit_code`."""

    def __init__(self, text: str, exit_code: int = FAILED) -> None:
        super().__init__(text)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Context:
    """The configuration file that is meant."""

    file: Path

    def settings(self) -> Settings:
        """Raises ConfigError."""
        from gatepost.config.load import load

        return load(self.file)

    @contextmanager
    def accounts(self) -> Iterator[tuple[Settings, Accounts]]:
        """Settings and accounts. Raises ConfigError, DatabaseError."""
        from gatepost.store.accounts import Accounts

        settings = self.settings()
        settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        accounts = Accounts.open(Place(settings.state).accounts)
        try:
            yield settings, accounts
        finally:
            accounts.close()

    def act(self, does: Callable[[Acts], Coroutine[Any, Any, T]]) -> T:
        """What the act gives, done by whoever is at the terminal, and audited.

        Raises ConfigError, DatabaseError, NotRunning, Refused and what else the act raises.
        """
        from gatepost.admin.actor import Actor
        from gatepost.admin.acts import Acts
        from gatepost.admin.house import House
        from gatepost.admin.roles import Role

        with self.accounts() as (settings, accounts):
            house = House(self.file, Place(settings.state), accounts)
            return asyncio.run(does(Acts(house, Actor(who(), Role.ADMINISTRATOR))))

    def note(self, state: Path, what: str, subject: str, after: Mapping[str, Fact]) -> None:
        """What was done to files stands in the audit of this state folder. Raises DatabaseError."""
        from gatepost.store.accounts import Accounts

        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        accounts = Accounts.open(Place(state).accounts)
        try:
            accounts.audit.add(who=who(), what=what, subject=subject, after=after)
        finally:
            accounts.close()

    def ask(self, verb: str, **fields: Value) -> Value:
        """The running daemon's answer. Raises NotRunning, Refused, ConfigError."""
        return ask_daemon(Place(self.settings().state).control, verb, **fields)


def default_file() -> Path:
    """`$GATEPOST_CONFIG`, else `./gatepost.toml`, else `/etc/gatepost/gatepost.toml`."""
    named = os.environ.get("GATEPOST_CONFIG")
    if named:
        return Path(named)
    here = Path("gatepost.toml")
    return here if here.exists() else Path("/etc/gatepost/gatepost.toml")


def who() -> str:
    """The name under which changes are audited: whoever is at the terminal."""
    return os.environ.get("SUDO_USER") or os.environ.get("USER") or f"uid {os.getuid()}"


def fail(text: str, exit_code: int = FAILED) -> NoReturn:
    """One line on stderr, and the end."""
    print(f"gatepost: {text}", file=sys.stderr)
    raise SystemExit(exit_code)
