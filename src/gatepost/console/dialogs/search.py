"""Finding a group or user by a part of its name; the first few, however many there are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from nicegui import ui
from nicegui.element import Element

from gatepost.console.access.grants import AUTHENTICATED
from gatepost.console.bench import Bench
from gatepost.console.parts import dialog_frame
from gatepost.console.texts import access as words
from gatepost.policy.access import Principal, PrincipalError, parse_principal
from gatepost.store.accounts import Accounts

Take = Callable[[Principal], Awaitable[None]]
_SHOWN: Final = 8
_GROUPS_LOOKED_AT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Found:
    """`more` says what it is, beside its name."""

    to: Principal
    more: str


async def open_search(bench: Bench, take: Take) -> None:
    """The dialog is open; what is chosen is given to `take`."""
    await _Search(bench, take).open()


class _Search:
    def __init__(self, bench: Bench, take: Take) -> None:
        self._bench = bench
        self._take = take
        self._asked = 0

    async def open(self) -> None:
        with dialog_frame(words.ADD_TITLE, narrow=True) as frame:
            self._dialog = frame.dialog
            with frame.body, ui.element("div"):
                ui.input(words.SEARCH, on_change=self._typed).props(
                    f'outlined dense autofocus hint="{words.SEARCH_HINT}"'
                )
                self._results: Element = ui.element("div").classes("gp-rows q-mt-md").props("role=status")
            with frame.foot:
                ui.button(words.CLOSE, on_click=frame.dialog.close).props("flat")
        await self._look("")

    async def _typed(self, event: Any) -> None:
        await self._look(str(event.value or "").strip())

    async def _look(self, text: str) -> None:
        self._asked += 1
        mine = self._asked
        accounts = self._bench.context.house.accounts
        found = await self._bench.context.house.work(lambda: search(accounts, text))
        if mine != self._asked or self._results.is_deleted:
            return
        self._results.clear()
        with self._results:
            for one in found:
                self._result(one)
            if text and not any(_named(one, text) for one in found):
                self._elsewhere(text)
            if not found and not text:
                ui.label(words.NOTHING_FOUND).classes("gp-empty")

    def _result(self, one: Found) -> None:
        name = one.to.text.partition(":")[2] or words.AUTHENTICATED_USERS
        with (
            ui.button(on_click=lambda: self._choose(one.to))
            .props("flat no-caps align=left")
            .classes("full-width")
        ):
            ui.label(f"{name} ({one.more})" if one.more else name).classes("gp-break")

    def _elsewhere(self, text: str) -> None:
        """A name that a directory knows."""
        for kind, word in (("group", words.TAKE_GROUP), ("user", words.TAKE_USER)):
            try:
                to = parse_principal(f"{kind}:{text}")
            except PrincipalError:
                continue
            ui.button(word.format(name=text), on_click=self._choosing(to)).props(
                "flat no-caps align=left"
            ).classes("full-width")

    def _choosing(self, to: Principal) -> Callable[[], Awaitable[None]]:
        return lambda: self._choose(to)

    async def _choose(self, to: Principal) -> None:
        self._dialog.close()
        await self._take(to)


def _named(one: Found, text: str) -> bool:
    return one.to.name == text.lower()


def search(accounts: Accounts, text: str) -> list[Found]:
    """Groups first, then users, then whoever logs in. Raises DatabaseError."""
    found = []
    for group in accounts.groups.page(limit=_GROUPS_LOOKED_AT):
        if text.lower() in group.name.lower():
            more = words.MEMBERS.format(count=group.user_count)
            found.append(Found(parse_principal(f"group:{group.name}"), more))
        if len(found) == _SHOWN:
            break
    users = accounts.users.page(limit=_SHOWN, containing=text)
    found += [Found(parse_principal(f"user:{user.name}"), user.full_name) for user in users]
    if text.lower() in words.EVERY_LOGIN.lower():
        found.append(Found(AUTHENTICATED, ""))
    return found
