"""Settings as fields: each change is tried on the draft, and what is wrong with it stands at the field."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from nicegui import ui
from pydantic import BaseModel

from gatepost.config.edit import Draft
from gatepost.config.fault import Fault
from gatepost.config.source import KeyPath
from gatepost.console.bench import Bench
from gatepost.console.texts import fields as words

Field = ui.input | ui.textarea | ui.select | ui.number


def fields(bench: Bench, model: type[BaseModel], table: KeyPath, keys: Iterable[str]) -> None:
    """A field for each key, which may be dotted, of the table that the model describes."""
    with ui.element("div").classes("gp-fields"):
        for key in keys:
            Setting(bench, model, table, key).draw()


def flag(bench: Bench, model: type[BaseModel], table: KeyPath, key: str) -> None:
    """A box for a key that is true or false."""
    setting = Setting(bench, model, table, key)
    there = setting.there()
    box = ui.checkbox(
        words.FLAGS[key],
        value=bool(setting.default if there is None else there),
        on_change=lambda event: setting.tell(None if event.value == setting.default else event.value),
    )
    if not bench.may_change:
        box.disable()


class Setting:
    """One key of one table, found in the model for its kind and default."""

    def __init__(self, bench: Bench, model: type[BaseModel], table: KeyPath, key: str) -> None:
        self._bench = bench
        self._table = table
        self._key = key
        self.path: KeyPath = (*table, *key.split("."))
        self._kind, self.default = _described(model, key.split("."))
        self._field: Field | None = None

    def there(self) -> Any:
        """What stands in the draft; None when nothing does."""
        return self._bench.value(self.path)

    def draw(self) -> None:
        """The field, with what stands there, and what holds when nothing does."""
        label, hint = words.LABELS.get(self._key, (self._key, ""))
        value = self.there()
        if isinstance(self._kind, type) and issubclass(self._kind, Enum):
            options = [one.value for one in self._kind]
            shown = value if value in options else _plain(self.default)
            field: Field = ui.select(options, label=label, value=shown, on_change=self._chosen)
        elif _is_list(self._kind):
            lines = value if isinstance(value, list) else [value] if value else []
            field = ui.textarea(label, value="\n".join(map(str, lines)), placeholder=self._placeholder())
            field.props("autogrow rows=2").on("change", self._typed)
        else:
            text = "" if value is None else str(value)
            field = ui.input(label, value=text, placeholder=self._placeholder())
            field.on("change", self._typed)
            if self._kind is int:
                field.props("inputmode=numeric")
        field.props("outlined dense stack-label bottom-slots").classes("full-width")
        field.props["hint"] = hint
        if not self._bench.may_change:
            field.props("readonly")
        self._field = field

    def _placeholder(self) -> str:
        in_server = self._table[:1] in (("smtp",), ("pop3",))
        shared = self._bench.value(("limits", self._key)) if in_server else None
        if shared is not None:
            return words.INHERITED.format(value=shared)
        plain = _plain(self.default)
        if plain is None or plain == "" or plain == []:
            return words.UNSET
        return words.DEFAULT.format(value=", ".join(plain) if isinstance(plain, list) else plain)

    async def _chosen(self, event: Any) -> None:
        await self.tell(None if event.value == _plain(self.default) else event.value)

    async def _typed(self) -> None:
        assert self._field is not None
        text = str(self._field.value or "").strip()
        if not text:
            await self.tell(None)
        elif _is_list(self._kind):
            lines = [line.strip() for line in text.replace(",", "\n").splitlines() if line.strip()]
            await self.tell([_number(line) for line in lines] if self._inner() is int else lines)
        else:
            await self.tell(_number(text) if self._kind is int else text)

    def _inner(self) -> Any:
        return _bare(get_args(self._kind)[0])

    async def tell(self, value: Any) -> None:
        """The draft has the value, or the field says why not. None: the key is taken out."""

        def edit(draft: Draft) -> None:
            if value is not None:
                draft.set(self.path, value)
            elif draft.value(self.path) is not None:
                draft.delete(self.path)
                _tidy(draft, self.path[:-1], below=len(self._table))

        faults = await self._bench.change(edit)
        if self._field is not None:
            mark(self._field, faults)


def _tidy(draft: Draft, path: KeyPath, *, below: int) -> None:
    """Inner tables that have become empty go too."""
    while len(path) > below and draft.value(path) == {}:
        draft.delete(path)
        path = path[:-1]


def mark(field: Field, faults: Sequence[Fault]) -> None:
    """The field says what is wrong, or that nothing is."""
    if faults:
        field.props["error-message"] = "; ".join(_said(fault) for fault in faults)
        field.props("error")
    else:
        field.props(remove="error")


def _said(fault: Fault) -> str:
    return f"{fault.problem}; {fault.remedy}" if fault.remedy else fault.problem


def _number(text: str) -> int | str:
    digits = text.replace("_", "").replace(" ", "")
    return int(digits) if digits.isdigit() else text


def _described(model: type[BaseModel], keys: Sequence[str]) -> tuple[Any, Any]:
    """The kind of the key and its default."""
    field = model.model_fields[keys[0]]
    kind = _bare(field.annotation)
    if len(keys) > 1:
        return _described(kind, keys[1:])
    return kind, None if field.is_required() else field.get_default(call_default_factory=True)


def _bare(annotation: Any) -> Any:
    """Without `Annotated` and without `| None`."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        inner = [one for one in get_args(annotation) if one is not type(None)]
        return _bare(inner[0])
    return annotation


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [str(_plain(one)) for one in value]
    return value
