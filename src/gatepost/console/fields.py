"""Settings as fields, drawn from the schema: each change is tried on the draft, and what is wrong with it
stands at the field, with what would be right.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, Protocol

from nicegui import ui
from pydantic import BaseModel

from gatepost.config.edit import Draft
from gatepost.config.fault import Fault
from gatepost.config.source import KeyPath
from gatepost.console.context import Context
from gatepost.console.described import Key, key_of, plain
from gatepost.console.saying import size, span
from gatepost.console.secret_field import keytab_button, secret_button
from gatepost.console.table import Text
from gatepost.console.texts import fields as words

Field = ui.input | ui.textarea | ui.select | ui.number
_READ_AS: Final[dict[str, Callable[[float], str]]] = {"seconds": span, "bytes": size}
_NOT_TOLD: Final = {"seconds": 60, "bytes": 1_000}
"""Numbers below are read as they stand."""
_SHORT: Final = ("Scan.url",)
"""Keys whose value may stand for the whole table."""


class Bench(Protocol):
    """A draft on which changes are tried: the session's own, or a dialog's."""

    context: Context

    @property
    def may_change(self) -> bool: ...

    def value(self, path: KeyPath) -> Any: ...

    async def change(self, edit: Callable[[Draft], None]) -> tuple[Fault, ...]: ...

    def about(self, path: KeyPath, faults: Sequence[Fault]) -> Sequence[Fault]:
        """Those of the faults of a change that are told at the field of this key."""


def fields(bench: Bench, model: type[BaseModel], table: KeyPath, keys: Iterable[str]) -> list[Setting]:
    """A field for each key, which may be dotted, of the table that the model describes."""
    made = [Setting(bench, model, table, key) for key in keys]
    with ui.element("div").classes("gp-fields"):
        for one in made:
            one.draw()
    return made


class Setting:
    """One key of one table, found in the model for its kind and default."""

    def __init__(self, bench: Bench, model: type[BaseModel], table: KeyPath, key: str) -> None:
        self._bench = bench
        self._table = table
        self.key: Key = key_of(model, key)
        self.path: KeyPath = (*table, *key.split("."))
        self._show: Callable[[str], None] = lambda problem: None

    def there(self) -> Any:
        """What stands in the draft; None when nothing does."""
        if self.key.id in _SHORT and isinstance(short := self._bench.value(self.path[:-1]), str):
            return short
        return self._bench.value(self.path)

    def show(self, faults: Sequence[Fault]) -> None:
        """The field says what is wrong, or that nothing is."""
        self._show("; ".join(said(fault) for fault in faults))

    async def tell(self, value: Any) -> None:
        """The draft has the value, or the field says why not. None: the key is taken out."""

        def edit(draft: Draft) -> None:
            _spell_out(draft, self.path[:-1], self.key.model.__name__)
            if value is not None:
                is_new = len(self.path) > 1 and draft.value(self.path[:-1]) is None
                draft.set(self.path, value)
                if is_new:
                    draft.space(self.path[:-1])
            elif draft.value(self.path) is not None:
                draft.delete(self.path)
                _tidy(draft, self.path[:-1], below=len(self._table))

        faults = await self._bench.change(edit)
        self.show(self._bench.about(self.path, faults))

    # drawing

    def draw(self) -> None:
        """The field, with what stands there, and what holds when nothing does."""
        key = self.key
        if key.kind is bool:
            self._flag()
        elif key.is_list and key.choices:
            self._ticks()
        elif key.choices or key.refers:
            self._choice()
        elif key.is_list:
            self._lines()
        else:
            self._line()

    @property
    def _label(self) -> str:
        return f"{self.key.label} ({words.REQUIRED})" if self.key.required else self.key.label

    def _flag(self) -> None:
        there = self.there()
        with ui.element("div").classes("gp-flag"):
            box = ui.checkbox(
                self.key.label,
                value=bool(self.key.default if there is None else there),
                on_change=lambda event: self.tell(None if event.value == self.key.default else event.value),
            )
            self._below(box)

    def _ticks(self) -> None:
        there = self.there()
        ticked = plain(self.key.default) if there is None else [str(one) for one in there]
        with ui.element("fieldset").classes("gp-ticks"):
            Text("legend", self._label)
            for word in self.key.choices:
                self._below_tick(word, ticked)
            self._below(None)

    def _below_tick(self, word: str, ticked: list[str]) -> None:
        async def tick(event: Any) -> None:
            if bool(event.value) != (word in ticked):
                ticked.append(word) if event.value else ticked.remove(word)
            wanted = [one for one in self.key.choices if one in ticked]
            await self.tell(None if wanted == plain(self.key.default) else wanted)

        box = ui.checkbox(words.CHOICES.get(word, word), value=word in ticked, on_change=tick).props("dense")
        if not self._bench.may_change:
            box.disable()

    def _below(self, box: ui.checkbox | None) -> None:
        """What it is for, and what is wrong with it, where the element shows neither itself."""
        if box is not None and not self._bench.may_change:
            box.disable()
        if self.key.hint:
            Text("div", self.key.hint, "gp-quiet gp-hint")
        problem = ui.label("").classes("gp-bad gp-hint").props("role=alert")
        problem.set_visibility(False)

        def show(text: str) -> None:
            problem.set_text(text)
            problem.set_visibility(bool(text))

        self._show = show

    def _choice(self) -> None:
        default = "" if self.key.default is None else str(plain(self.key.default))
        names = self._bench.value((self.key.refers,)) or {} if self.key.refers else self.key.choices
        options = {name: words.CHOICES.get(f"{self.key.id}.{name}", name) for name in (*names, default)}
        value = self.there()
        value = default if value is None else str(value)
        options.setdefault(value, value)
        if "" in options:
            options[""] = words.UNSET

        async def chosen(event: Any) -> None:
            await self.tell(None if event.value == default else event.value)

        self._dress(ui.select(options, label=self._label, value=value, on_change=chosen))

    def _lines(self) -> None:
        value = self.there()
        lines = value if isinstance(value, list) else [value] if value else []
        text = "\n".join(map(str, lines))
        field = ui.textarea(self._label, value=text, placeholder=self._placeholder())
        field.props("autogrow rows=2 spellcheck=false").on("change", lambda: self._typed(field))
        self._dress(field)

    def _line(self) -> None:
        value = self.there()
        field = ui.input(
            self._label, value="" if value is None else str(value), placeholder=self._placeholder()
        )
        field.props("autocomplete=off spellcheck=false").on("change", lambda: self._typed(field))
        if self.key.kind is int:
            field.props("inputmode=numeric")
        self._dress(field)
        if self.key.is_secret and self._bench.may_change:
            with field.add_slot("append"):
                secret_button(self._bench.context, self.path, self.key.label, self._secret_put(field))
        if self.key.is_keytab and self._bench.may_change:
            with field.add_slot("append"):
                keytab_button(self._bench.context, self.path, self.key.label, self._secret_put(field))

    def _secret_put(self, field: ui.input) -> Callable[[str], Awaitable[None]]:
        async def put(file: str) -> None:
            field.set_value(file)
            await self.tell(file)

        return put

    def _dress(self, field: Field) -> None:
        field.props("outlined dense stack-label bottom-slots").classes("full-width")
        field.props["hint"] = self.key.hint
        if not self._bench.may_change:
            field.props("readonly")
        self._show = lambda problem: mark_text(field, problem)

    def _placeholder(self) -> str:
        in_server = self._table[:1] in (("smtp",), ("pop3",))
        shared = self._bench.value(("limits", self.key.name)) if in_server else None
        if shared is not None:
            return words.INHERITED.format(value=shared)
        value = plain(self.key.default)
        if value in (None, "", []):
            return "" if self.key.required else words.UNSET
        if isinstance(value, list):
            return words.DEFAULT.format(value=", ".join(map(str, value)))
        return words.DEFAULT.format(value=readable(value, self.key.unit))

    async def _typed(self, field: ui.input | ui.textarea) -> None:
        text = str(field.value or "").strip()
        if not text:
            await self.tell(None)
        elif self.key.is_list:
            if self.key.splits_at_commas:
                text = text.replace(",", "\n")
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            await self.tell([_number(line) for line in lines] if self.key.inner is int else lines)
        else:
            await self.tell(_number(text) if self.key.kind is int else text)


def readable(value: object, unit: str) -> str:
    """A number with what it comes to: `43200 (12 hours)`."""
    if isinstance(value, int) and unit in _READ_AS and value >= _NOT_TOLD[unit]:
        return f"{value} ({_READ_AS[unit](value)})"
    return str(value)


def _spell_out(draft: Draft, table: KeyPath, model: str) -> None:
    """What stands for a table with one key becomes that table."""
    short = draft.value(table) if table else None
    if isinstance(short, str):
        key = next(one.partition(".")[2] for one in _SHORT if one.startswith(f"{model}."))
        draft.set(table, {key: short})


def _tidy(draft: Draft, path: KeyPath, *, below: int) -> None:
    """Inner tables that have become empty go too."""
    while len(path) > below and draft.value(path) == {}:
        draft.delete(path)
        path = path[:-1]


def mark(field: Field, faults: Sequence[Fault]) -> None:
    """The field says what is wrong, or that nothing is."""
    mark_text(field, "; ".join(said(fault) for fault in faults))


def mark_text(field: Field, problem: str) -> None:
    """The same in words; none: nothing is wrong."""
    if problem:
        field.props["error-message"] = problem
        field.props("error")
    else:
        field.props(remove="error")


def said(fault: Fault) -> str:
    """What is wrong and what would be right."""
    return f"{fault.problem}; {fault.remedy}" if fault.remedy else fault.problem


def _number(text: str) -> int | str:
    digits = text.replace("_", "").replace(" ", "")
    return int(digits) if digits.isdigit() else text
