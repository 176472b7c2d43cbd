"""Asks every directory a small question now and then: one that is silent for long raises an alarm."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gatepost.config.schema import DirectoryKind, Settings
from gatepost.guard.event import Event
from gatepost.guard.outage import Outages
from gatepost.log import Level, Log

if TYPE_CHECKING:
    from gatepost.directory.ldap_tree import LdapTree


class DirectoryWatch:
    """`look` about each minute. A house without directories of others costs nothing."""

    def __init__(self, settings: Settings, log: Log, on_event: Callable[[Event], None]) -> None:
        self._log = log.apart(Level.ERROR)  # workers write what is wrong on the way there
        self._on_event = on_event
        self._trees: dict[str, LdapTree] = {}
        self._outages = Outages(settings.guard.directory_down_seconds)
        self._settings: Settings | None = None
        self.change(settings)

    def change(self, settings: Settings) -> None:
        """These directories are asked from now on."""
        self._outages.after_seconds = settings.guard.directory_down_seconds
        if self._settings is not None and self._settings.directory == settings.directory:
            return
        self.close()
        self._settings = settings
        names = [name for name, one in settings.directory.items() if one.kind is DirectoryKind.LDAP]
        self._outages.keep(frozenset(names))

    def close(self) -> None:
        """No connection is left."""
        for tree in self._trees.values():
            tree.pool.close()
        self._trees = {}

    async def look(self) -> None:
        """Each is asked, all at the same time."""
        settings = self._settings
        assert settings is not None
        names = [name for name, one in settings.directory.items() if one.kind is DirectoryKind.LDAP]
        problems = await asyncio.gather(*(self._problem(settings, name) for name in names))
        if settings is not self._settings:
            return  # others are asked from now on
        for name, problem in zip(names, problems, strict=True):
            event = self._outages.look(name, problem, time.time())
            if event is not None:
                self._on_event(event)

    async def _problem(self, settings: Settings, name: str) -> str | None:
        # what speaks LDAP is some megabytes that a daemon without such a directory does not need
        from gatepost.directory.build import ldap_tree
        from gatepost.directory.ldap_connection import Query, Scope
        from gatepost.directory.ldap_fault import LdapUnavailable
        from gatepost.directory.ldap_name import EVERYTHING

        try:
            if name not in self._trees:
                self._trees[name] = ldap_tree(name, settings.directory[name], self._log)
            await self._trees[name].pool.search(Query("", EVERYTHING, ("namingContexts",), Scope.BASE))
        except (LdapUnavailable, OSError, ValueError) as problem:
            return str(problem)
        return None
