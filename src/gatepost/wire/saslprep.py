"""SASLprep (RFC 4013): one form for a name or password that keyboards write differently. Pure.

Code points newer than Unicode 3.2 are let through (RFC 3454 §7 allows it for queries): passwords
have them, and the same rule on both sides gives the same keys.
"""

from __future__ import annotations

import stringprep as table
import unicodedata

_PROHIBITED = (
    table.in_table_c12,
    table.in_table_c21_c22,
    table.in_table_c3,
    table.in_table_c4,
    table.in_table_c5,
    table.in_table_c6,
    table.in_table_c7,
    table.in_table_c8,
    table.in_table_c9,
)


class SaslprepError(ValueError):
    """The text has no prepared form."""


def saslprep(text: str) -> str:
    """The prepared text.

    Raises:
        SaslprepError: a prohibited character, or directions mixed (RFC 3454 §6).
    """
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(
        " " if table.in_table_c12(c) else c for c in text if not table.in_table_b1(c)
    )  # RFC 4013 §2.1
    prepared = unicodedata.normalize("NFKC", mapped)
    if any(prohibits(c) for c in prepared for prohibits in _PROHIBITED):
        raise SaslprepError("a character that SASLprep prohibits")
    if any(map(table.in_table_d1, prepared)) and (
        any(map(table.in_table_d2, prepared))
        or not (table.in_table_d1(prepared[0]) and table.in_table_d1(prepared[-1]))
    ):
        raise SaslprepError("left-to-right and right-to-left mixed")
    return prepared
