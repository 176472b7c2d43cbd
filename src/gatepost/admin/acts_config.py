"""Acts on the configuration: one file, changed by several people, in force all or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gatepost.admin.configuration import Stale, changes, digest, safe, written
from gatepost.admin.desk import Desk
from gatepost.admin.difference import Change
from gatepost.admin.file_edits import Edit, edit
from gatepost.admin.link import NotRunning, Refused, Value
from gatepost.config.edit import Draft
from gatepost.config.load import ConfigError
from gatepost.config.renames import rename
from gatepost.config.schema import Settings
from gatepost.wholefile import replace_file

_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Applied:
    """What is in force now. `after_restart`: settings that wait for the next start."""

    generation: int
    digest: str
    changes: tuple[str, ...]
    after_restart: tuple[str, ...]


class ConfigActs:
    """`base` is the digest of the file that the change began from (`admin.configuration.written`)."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._house = desk.house

    async def apply(self, text: str, *, base: str) -> Applied:
        """The file is the text and in force, or nothing has changed.

        Raises:
            ConfigError: it is not valid.
            Unsafe: a stranger could relay by it.
            Stale: the file is another one by now.
            Refused, NotRunning: the daemon cannot take it over.
        """
        return await self._apply("config-apply", text, base)

    async def undo(self, number: int, *, base: str) -> Applied:
        """The file is what it was in that generation, and in force. Raises as `apply`, Refused."""
        self._desk.require("config-undo")
        try:
            text = await self._house.work(lambda: self._house.generations.text(number))
        except FileNotFoundError:
            raise Refused(f"there is no generation {number}", exit_code=3) from None
        return await self._apply("config-undo", text, base)

    async def rename_server(self, protocol: str, name: str, new: str, *, base: str) -> Applied:
        """The virtual server is called `new`, and in force. Raises as `apply`, EditError."""
        return await self._drafted(lambda draft: rename(draft, (protocol, name), new), base)

    async def edit(self, edits: Sequence[Edit], *, base: str) -> Applied:
        """The file has the edits and is in force, its comments kept. Raises as `apply`, BadEdit."""
        return await self._drafted(lambda draft: edit(draft, edits), base)

    async def _drafted(self, change: Callable[[Draft], None], base: str) -> Applied:
        self._desk.require("config-apply")

        def changed() -> str:
            there = written(self._house.file)
            if there.digest != base:
                raise Stale("the file was changed meanwhile; look at the change and repeat yours")
            draft = Draft(self._house.file, there.text)
            change(draft)
            return draft.text

        return await self._apply("config-apply", await self._house.work(changed), base)

    async def reload(self) -> Applied:
        """The file as it stands is in force; what the daemon cannot take over it says.

        Raises Refused, NotRunning.
        """
        self._desk.require("reload")
        async with self._house.changing:
            before = await self._house.work(self._in_force)
            answer = await self._house.ask("reload", by=self._desk.by)
            said = await self._house.work(lambda: self._changed(before))
            text = await self._house.work(lambda: self._house.generations.text(answer["generation"]))
        return await self._noted("reload", text, said, answer)

    def _in_force(self) -> Settings | None:
        try:
            return self._house.settings()
        except ConfigError:
            return None

    def _changed(self, before: Settings | None) -> Sequence[Change]:
        return () if before is None else changes(before, self._house.settings(), self._house.accounts)

    async def _apply(self, act: str, text: str, base: str) -> Applied:
        self._desk.require(act)
        async with self._house.changing:
            said = await self._house.work(lambda: self._said(text))
            before = await self._house.work(lambda: self._replace(text, base))
            try:
                answer = await self._house.ask("reload", by=self._desk.by)
            except (Refused, NotRunning, asyncio.CancelledError):
                if text.encode() != before:
                    await self._house.work(lambda: replace_file(self._house.file, before))
                raise
        return await self._noted(act, text, said, answer)

    async def _noted(self, act: str, text: str, said: Sequence[Change], answer: Value) -> Applied:
        """What is in force now, on record when it changed anything."""
        applied = Applied(
            answer["generation"],
            digest(text),
            tuple(change.text for change in said),
            tuple(answer["after_restart"]),
        )
        if said:
            await self._desk.note(act, "configuration", after=_facts(applied))
        return applied

    def _said(self, text: str) -> Sequence[Change]:
        """What would change against what is in force. Raises ConfigError, Unsafe."""
        after = safe(text, self._house.file)
        try:
            return changes(self._house.settings(), after, self._house.accounts)
        except ConfigError:
            return ()

    def _replace(self, text: str, base: str) -> bytes:
        """The file is the text; what it was. Raises Stale, OSError."""
        there = self._house.file.read_bytes()
        if digest(there.decode("utf-8-sig", "replace")) != base:
            raise Stale("the file was changed meanwhile; look at the change and repeat yours")
        if text.encode() != there:
            replace_file(self._house.file, text.encode())
        return there


def _facts(applied: Applied) -> dict[str, str | int | bool | list[str] | None]:
    return {"generation": applied.generation, "changes": list(applied.changes[:_SHOWN])}
