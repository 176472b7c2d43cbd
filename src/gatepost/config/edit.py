"""The file changed as a person would change it: comments and layout stay, and it is never half-written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import AoT, Array, Item
from tomlkit.toml_document import TOMLDocument

from gatepost.config.headers import without_table
from gatepost.config.load import load_text
from gatepost.config.schema import Settings
from gatepost.config.source import KeyPath
from gatepost.wholefile import replace_file

Value = str | int | bool | Sequence[str] | Sequence[int] | Mapping[str, Any]


class EditError(Exception):
    """The change cannot be made; the text says why."""


class Draft:
    """A file as it was read, and the changes made to it since. Nothing is written before `save`."""

    def __init__(self, path: Path, text: str | None = None) -> None:
        """`text` stands for what the file holds. Raises OSError, UnicodeDecodeError and tomlkit's
        ParseError for what is no TOML.
        """
        self._path = path
        self._read = path.read_bytes() if text is None else text.encode()
        self._document: TOMLDocument = tomlkit.parse(self._read.decode("utf-8-sig"))

    @property
    def text(self) -> str:
        return tomlkit.dumps(self._document)

    def settings(self) -> Settings:
        """The settings as they would be. Raises ConfigError with all faults."""
        return load_text(self.text, self._path.absolute())

    def value(self, path: KeyPath) -> Any:
        """What stands at the key, as plain values; None when nothing does."""
        found: Any = self._document.unwrap()
        for key in path:
            try:
                found = found[key]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def set(self, path: KeyPath, value: Value) -> None:
        """The key has the value; tables on the way are made."""
        *above, last = path
        table: Any = self._document
        for key in above:
            if isinstance(key, str) and key not in table:
                table[key] = tomlkit.table()
            table = self._inside(table, key, path)
        if not isinstance(table, Mapping):
            self._must_hold(table, last, path)
        self._replace(table, last, _item(value))

    def space(self, path: KeyPath) -> None:
        """An empty line ends the table, which was made new. Raises EditError when there is none."""
        table: Any = self._document
        for key in path:
            table = self._inside(table, key, path)
        table.add(tomlkit.nl())

    def make(self, path: KeyPath) -> None:
        """There is a table, empty when it was not there."""
        table: Any = self._document
        for key in path:
            if key not in table:
                table[key] = tomlkit.table()
            table = self._inside(table, key, path)

    def delete(self, path: KeyPath) -> None:
        """The key is not there. Raises EditError when it was not."""
        *above, last = path
        table: Any = self._document
        for key in above:
            table = self._inside(table, key, path)
        self._must_hold(table, last, path)
        text = without_table(self.text, path)
        if text is None:
            del table[last]
        else:
            self.rewrite(text)

    def rewrite(self, text: str) -> None:
        """The text is the draft, whoever changed it. Raises tomlkit's ParseError."""
        self._document = tomlkit.parse(text)

    def append_access(self, server: tuple[str, str], entry: Mapping[str, Any]) -> None:
        """The virtual server's access list ends with this entry, on a line of its own."""
        table: Any = self._document
        for key in server:
            table = self._inside(table, key, server)
        access = table.get("access")
        if access is None:
            access = tomlkit.array().multiline(True)
            table["access"] = access
            access = table["access"]
        if isinstance(access, AoT):
            row = tomlkit.table()
            row.update(entry)
            access.append(row)
        elif not isinstance(access, Array):
            raise EditError(f"{'.'.join(server)}.access is not a list; edit the file by hand")
        elif "\n" in access.as_string():
            access.add_line(_item(entry), indent="  ")
        else:
            access.append(_item(entry))

    def save(self) -> None:
        """The file holds the text, whole and on disk; it keeps its mode and owner.

        Raises:
            EditError: somebody else changed the file since it was read.
            OSError: it could not be written; the old file stands untouched.
        """
        if self._path.read_bytes() != self._read:
            raise EditError(f"{self._path} was changed meanwhile; read it again and repeat the change")
        content = self.text.encode()
        replace_file(self._path, content)
        self._read = content

    def _inside(self, table: Any, key: str | int, path: KeyPath) -> Any:
        self._must_hold(table, key, path)
        return table[key]

    def _must_hold(self, table: Any, key: str | int, path: KeyPath) -> None:
        if isinstance(key, int):
            holds = isinstance(table, list) and 0 <= key < len(table)
        else:
            holds = isinstance(table, Mapping) and key in table
        if not holds:
            raise EditError(f"{'.'.join(map(str, path))}: there is no {key!r} in the file")

    def _replace(self, table: Any, key: str | int, item: Item) -> None:
        """Puts the item in and keeps the comment behind the old one."""
        old = table[key] if not isinstance(key, str) or key in table else None
        if isinstance(old, Item) and not isinstance(table, list):
            item.trivia.comment_ws = old.trivia.comment_ws
            item.trivia.comment = old.trivia.comment
        table[key] = item


def _item(value: Any) -> Item:
    if not isinstance(value, Mapping):
        item: Item = tomlkit.item(value)
        return item
    # As a person writes it, with blanks inside the braces: only the parser makes those.
    pairs = ", ".join(
        f"{tomlkit.key(key).as_string()} = {_item(one).as_string()}" for key, one in value.items()
    )
    inline: Item = tomlkit.parse(f"x = {{ {pairs} }}" if pairs else "x = {}")["x"]
    return inline
