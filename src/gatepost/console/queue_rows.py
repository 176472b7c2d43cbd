"""Messages of the queue as the console shows them: cells, and the verbs below them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from nicegui import ui

from gatepost.admin.queue import Filter
from gatepost.console.acting import doing
from gatepost.console.confirm import confirmed
from gatepost.console.context import Context
from gatepost.console.saying import count, size
from gatepost.console.table import Column, Text, link
from gatepost.console.texts import mail as words

Row = dict[str, Any]
_SHOWN: Final = 2
_ORDERS: Final = (
    ("hold", words.HOLD, "o_pause_circle"),
    ("release", words.RELEASE, "o_play_circle"),
    ("retry", words.RETRY, "o_refresh"),
    ("bounce", words.BOUNCE, "o_undo"),
    ("delete", words.DELETE, "o_delete"),
)
_ASKED: Final = ("bounce", "delete")


def columns(context: Context) -> list[Column[Row]]:
    """What stands of a message in a list."""
    return [
        Column(words.MESSAGE, lambda row: _id(row), "gp-nowrap"),
        Column(words.STATE, _state),
        Column(words.SENDER, lambda row: row["sender"] or words.NULL_SENDER, "gp-address"),
        Column(words.RECIPIENTS, _recipients, "gp-address"),
        Column(words.ARRIVED, lambda row: context.local_time(row["received_at"]), "gp-when"),
        Column(words.NEXT_TRY, lambda row: next_try(context, row), "gp-when"),
        Column(words.SIZE, lambda row: size(row["size_bytes"]), "gp-number", wide=True),
        Column(words.LAST_ANSWER, lambda row: last_answer(row), "gp-answer"),
    ]


def _id(row: Row) -> None:
    link(row["id"], f"/messages/{row['id']}", "gp-mono")


def _state(row: Row) -> None:
    Text("span", words.STATES[row["state"]], f"gp-state {words.MARKS[row['state']]}")


def _recipients(row: Row) -> str:
    there = row["recipients"]
    more = len(there) - _SHOWN
    return ", ".join(there[:_SHOWN]) + (f" {words.MORE_RECIPIENTS.format(count=more)}" if more > 0 else "")


def next_try(context: Context, row: Row) -> str:
    """When; empty while it is held or under way."""
    at = row["next_attempt"]
    if at is None:
        return ""
    return context.local_time(at) if row["attempts"] else words.NOW


def last_answer(row: Row) -> str:
    """Who said what last, and how often it was tried."""
    if not row["last_outcomes"]:
        return words.NOT_TRIED
    return f"{said(row['last_outcomes'][-1])} ({count(row['attempts'], *words.TRIES)})"


def said(outcome: Row) -> str:
    """The words of a next hop with its name in front."""
    by = f"{outcome['host']}: " if outcome["host"] else ""
    return f"{by}{outcome['code']} {outcome['enhanced']} {outcome['text']}"


class Verbs:
    """Buttons that act on the ids that `chosen` gives; `matching` on all like it, where it is not None."""

    def __init__(
        self, context: Context, chosen: Callable[[], Sequence[str]], matching: Filter | None = None
    ) -> None:
        self._context = context
        self._chosen = chosen
        self._matching = matching
        self._everything: ui.checkbox | None = None
        with ui.element("div").classes("gp-verbs"):
            self._buttons = [
                self._button(*order) for order in _ORDERS if context.acts.may(f"queue-{order[0]}")
            ]
            if matching is not None and self._buttons:
                what = words.ALL_THERE_ARE if matching == Filter() else words.ALL_LIKE_THIS
                self._everything = ui.checkbox(words.ALL_MATCHING.format(what=what), on_change=self.look)
        self.look()

    def look(self) -> None:
        """The buttons can be pressed when there is something to act on."""
        usable = bool(self._chosen()) or self._is_everything
        for button in self._buttons:
            button.set_enabled(usable)

    @property
    def _is_everything(self) -> bool:
        return self._everything is not None and bool(self._everything.value)

    def _button(self, verb: str, label: str, icon: str) -> ui.button:
        return ui.button(label, icon=icon, on_click=lambda: self._act(verb)).props(
            "outline dense padding='4px 10px'"
        )

    async def _act(self, verb: str) -> None:
        ids = [] if self._is_everything else list(self._chosen())
        what = words.ALL_MATCHING.format(what=self._what()) if not ids else count(len(ids), *words.MESSAGES)
        if (verb in _ASKED or not ids) and not await confirmed(
            words.SURE[verb].format(what=what), words.VERBS[verb], dangerous=verb in _ASKED
        ):
            return
        done = await doing(words.DOING[verb], lambda: self._order(verb, ids))
        if done:
            ui.notify(words.DONE[verb].format(what=count(len(done), *words.MESSAGES)), type="positive")
            ui.timer(1.0, ui.navigate.reload, once=True)
        elif done is not None:
            ui.notify(words.NONE_DONE, type="warning")

    def _what(self) -> str:
        return words.ALL_THERE_ARE if self._matching == Filter() else words.ALL_LIKE_THIS

    def _order(self, verb: str, ids: list[str]) -> Awaitable[list[str]]:
        act: Callable[..., Awaitable[list[str]]] = getattr(self._context.acts.queue, verb)
        if ids:
            return act(ids)
        return act(wanted=self._matching, everything=self._matching == Filter())
