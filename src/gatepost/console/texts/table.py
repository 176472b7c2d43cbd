"""What is said around tables and their filters."""

from __future__ import annotations

from typing import Final

CHOOSE: Final = "Choose {what}"
CHOOSE_ALL: Final = "Choose all on this page"
SEARCH: Final = "Search"
CLEAR: Final = "Show all"
FIRST: Final = "To the beginning"
NEXT: Final = "Next page"
ANY: Final = "any"
NOTHING_MATCHES: Final = "Nothing is like that."
LESS_NARROW: Final = "Take a condition away, or search for less."
YES: Final = "yes"
NO: Final = "no"
CANCEL: Final = "Cancel"
EVEN_SO_AT: Final = "Even so ({risk})"
