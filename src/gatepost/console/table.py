"""Tables for everything there is much of: plain HTML tables, which a screen reader knows.

Every cell is an element with a text, so what a peer said is shown and never read as HTML. On a narrow
screen each row becomes a card; the titles then stand before the cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement
from nicegui.events import GenericEventArguments

from gatepost.console.texts import table as words

R = TypeVar("R")


class Text(TextElement):
    """A text in an element of any kind."""

    def __init__(self, tag: str, text: object, classes: str = "") -> None:
        super().__init__(tag=tag, text=str(text))
        self.classes(classes)


def link(text: str, target: str, classes: str = "") -> ui.link:
    """A link within the console: `target` is made of what we quoted ourselves."""
    made = ui.link(text, target)
    return made.classes(classes) if classes else made


@dataclass(frozen=True)  # without slots: Python 3.11 cannot make a Column[Row](...) of one that has them
class Column(Generic[R]):
    """`fill` gives the text of a cell, or makes elements in it and gives None.

    `wide`: left out on a narrow screen.
    """

    title: str
    fill: Callable[[R], str | None]
    classes: str = ""
    wide: bool = False


# One listener for all boxes of a table: a component for each of them would cost more than its row.
_TICKED: Final = """(event) => {
  const boxes = [...event.currentTarget.querySelectorAll('tbody input')];
  if (event.target.closest('thead')) boxes.forEach(box => box.checked = event.target.checked);
  emit(boxes.filter(box => box.checked).map(box => box.dataset.key));
}"""


class Table(Generic[R]):
    """`key` names a row; with `choose` each row has a box, and `chosen` are the keys of those ticked.

    `on_choose` is called when that changes.
    """

    def __init__(
        self,
        caption: str,
        columns: Sequence[Column[R]],
        rows: Iterable[R] = (),
        *,
        key: Callable[[R], str] = str,
        choose: bool = False,
        on_choose: Callable[[], None] = lambda: None,
    ) -> None:
        self._columns = columns
        self._key = key
        self._choose = choose
        self._on_choose = on_choose
        self.chosen: list[str] = []
        self.count = 0
        with ui.element("table").classes("gp-table gp-cards") as self._table:
            Text("caption", caption, "gp-hidden")
            self._head()
            self._body = ui.element("tbody")
        if choose:
            self._table.on("change", self._ticked, js_handler=_TICKED)
        self.add(rows)

    def add(self, rows: Iterable[R]) -> None:
        """The rows stand below those that are there; without any the table is not shown."""
        with self._body:
            for row in rows:
                self.count += 1
                with ui.element("tr"):
                    self._row(row)
        self._table.set_visibility(self.count > 0)

    def _head(self) -> None:
        with ui.element("thead"), ui.element("tr"):
            if self._choose:
                with ui.element("th").classes("gp-tick").props("scope=col"):
                    _box(words.CHOOSE_ALL, "")
            for column in self._columns:
                wide = "gp-wide" if column.wide else ""
                Text("th", column.title, f"{column.classes} {wide}").props("scope=col")

    def _row(self, row: R) -> None:
        if self._choose:
            key = self._key(row)
            with ui.element("td").classes("gp-tick"):
                _box(words.CHOOSE.format(what=key), key)
        for column in self._columns:
            with Text("td", "", f"{column.classes} {'gp-wide' if column.wide else ''}") as cell:
                cell.props["data-label"] = column.title
                text = column.fill(row)
                if text is not None:
                    cell.set_text(text)

    def _ticked(self, event: GenericEventArguments) -> None:
        self.chosen = [str(key) for key in event.args]
        self._on_choose()


def _box(label: str, key: str) -> None:
    box = ui.element("input").props("type=checkbox autocomplete=off")
    box.props["aria-label"] = label
    box.props["data-key"] = key


def facts(rows: Iterable[tuple[str, Any]]) -> None:
    """Names and what they are, one below the other; a callable makes the elements itself."""
    with ui.element("dl").classes("gp-facts"):
        for name, value in rows:
            if value is None or value == "":
                continue
            Text("dt", name, "gp-quiet")
            with ui.element("dd").classes("gp-break"):
                if callable(value):
                    value()
                else:
                    Text("span", value)


def empty(text: str, remedy: str = "") -> None:
    """What stands where nothing is: that there is nothing, and what makes something be there."""
    with ui.element("div").classes("gp-empty"):
        Text("p", text)
        if remedy:
            Text("p", remedy)


def heading(text: str, about: str = "") -> None:
    """The title of a page, and one sentence about it."""
    Text("h1", text, "gp-break")
    if about:
        Text("p", about, "gp-quiet")


def section(text: str) -> None:
    """The title of a part of a page."""
    Text("h2", text)
