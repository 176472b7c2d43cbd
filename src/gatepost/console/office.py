"""What every request needs: the house that is administered, and who may come in."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from gatepost.admin.actor import Actor
from gatepost.admin.house import House
from gatepost.config.certificates import dns_names, leaf_of
from gatepost.config.console import Console
from gatepost.config.schema import Settings
from gatepost.console.people import People
from gatepost.console.sessions import Session, Sessions
from gatepost.directory.password import Passwords
from gatepost.log import Log
from gatepost.store.consoledb import ConsoleStore


@dataclass(frozen=True, slots=True)
class Office:
    """Built once by the process, handed to API and console. `settings` gives those in force."""

    house: House
    settings: Callable[[], Settings]
    people: People
    sessions: Sessions
    store: ConsoleStore
    passwords: Passwords
    log: Log

    def console(self) -> Console:
        """The table in force; this process runs only while there is one."""
        console = self.settings().console
        assert console is not None
        return console

    def names(self) -> Collection[str]:
        """The host names under which we answer."""
        settings, console = self.settings(), self.console()
        found = {settings.hostname, *console.names}
        if console.certificate is not None:
            leaf = leaf_of(settings.certificates[console.certificate])
            found.update(name.lower() for name in (dns_names(leaf) if leaf is not None else ()))
        return found

    def actor(self, session: Session) -> Actor:
        """Who has signed in."""
        return self.sessions.actor(session)
