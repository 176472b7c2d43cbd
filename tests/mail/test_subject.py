"""The subject as people read it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.subject import subject


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"Subject: Hello there", "Hello there"),
        (b"subject:  folded\r\n\t here", "folded here"),
        (b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= aus =?ISO-8859-1?Q?K=F6ln?=", "Grüße aus Köln"),
        (b"Subject: =?utf-8?B?R3LDvA==?=\r\n =?utf-8?B?w59l?=", "Grüße"),
        (b"Subject: =?utf-8*de?q?a_b?=", "a b"),
        (b"Subject: =?utf-8?B?R3LDvA?=", "Grü"),
        (b"Subject: =?nonsense?q?a?= b", "=?nonsense?q?a?= b"),
        (b"Subject: =?utf-8?B?*?= b", "b"),
        ("Subject: Grüße".encode(), "Grüße"),
        (b"Subject: Gr\xfc\xdfe", "Grüße"),
        (b"Subject: a\x1b[31mb\x00c", "a [31mb c"),
        (b"Subject: =?utf-8?q?a=0D=0AX-Evil=3A_b?=", "a X-Evil: b"),
        (b"Subject:", ""),
        (b"X: y\r\nSubject: second\r\nSubject: third", "second"),
        (b"X: y", None),
        (b"Subject: " + b"x" * 5_000, "x" * 200),
    ],
)
def test_what_is_shown(line: bytes, shown: str | None) -> None:
    assert subject(line + b"\r\n") == shown


@given(st.binary(max_size=300))
def test_anything_gives_one_short_printable_line(octets: bytes) -> None:
    shown = subject(b"Subject: " + octets)
    assert shown is not None
    assert shown.isprintable()
    assert len(shown) <= 200
