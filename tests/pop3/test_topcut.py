"""TOP in pieces gives what TOP of the whole gives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatepost.pop3 import content
from gatepost.pop3.topcut import TopCut

MAIL = st.lists(st.sampled_from([b"\n", b"\r\n", b"\r", b".", b"a: b", b"x"]), max_size=40).map(b"".join)


@given(MAIL, st.integers(0, 8), st.lists(st.integers(0, 60), max_size=6))
def test_how_the_message_is_cut_changes_nothing(message: bytes, lines: int, cuts: list[int]) -> None:
    cuts = sorted({min(cut, len(message)) for cut in cuts})
    cut, wire, out = TopCut(lines), content.Wire(), b""
    for start, end in zip([0, *cuts], [*cuts, len(message)], strict=True):
        if not cut.done:
            out += wire.stuff(cut.take(message[start:end]))
    assert out + wire.close() == content.top(message, lines)
