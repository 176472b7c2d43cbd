from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.auth_results import Sieve, forged, unforged, without

OWN = "mail.example.org"


def sieved(content: bytes, *cuts: int) -> bytes:
    """The content through a sieve that is fed in pieces and no more once it is done."""
    sieve = Sieve(OWN)
    edges = [0, *sorted(cuts), len(content)]
    out = []
    for start, end in itertools.pairwise(edges):
        piece = content[start:end]
        out.append(piece if sieve.done else sieve.feed(piece))
    return b"".join(out) if sieve.done else b"".join(out) + sieve.finish()


@pytest.mark.parametrize(
    "body",
    [
        b" mail.example.org; spf=pass",
        b"mail.example.org;dkim=pass",
        b" MAIL.Example.ORG 1; none",
        b'\r\n\t"mail.example.org"; spf=pass',
        b' "mail\\.example.org"',
        b" (a (nested) comment\\)) mail.example.org (x); spf=pass",
        b" mail.example.org.; spf=pass",
        b" mail.example.org/4711; spf=pass",
        b"\r\n.\tmail.example.org; spf=pass",
        b" mail.example.org",
        b"",
        b" ; spf=pass",
        b" (never ends mail.other.example; spf=pass",
    ],
)
def test_a_field_in_our_name_or_unreadable_is_forged(body: bytes) -> None:
    assert forged(body, OWN)


@pytest.mark.parametrize(
    "body",
    [
        b" mx.other.example; spf=pass",
        b" mail.example.org.other.example; spf=pass",
        b" xmail.example.org; spf=pass",
        b" (mail.example.org) mx.other.example; spf=pass",
        b' "mx.other.example"; dkim=pass header.d=mail.example.org',
    ],
)
def test_a_field_of_somebody_else_is_not(body: bytes) -> None:
    assert not forged(body, OWN)


def test_an_international_name_is_known_in_both_forms() -> None:
    own = "post.b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example".encode("idna").decode()
    assert forged(" post.b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example; spf=pass".encode(), own)
    assert forged(f" {own}; spf=pass".encode(), own)


FORGED = b"Authentication-Results: mail.example.org;\r\n\tspf=pass smtp.mailfrom=a.example;\r\n dkim=pass\r\n"
OTHER = b"authentication-results: mx.other.example;\r\n\tspf=fail\r\n"
PLAIN = b"Received: from a\r\n\tby b\r\nSubject: Authentication-Results: mail.example.org\r\n"


def test_nothing_but_the_forged_fields_goes() -> None:
    header = PLAIN + FORGED + OTHER + FORGED.upper() + b"ARC-" + FORGED + b"To: x\r\n" + FORGED
    assert unforged(header, OWN) == PLAIN + OTHER + b"ARC-" + FORGED + b"To: x\r\n"


def test_a_header_without_such_a_field_is_given_back_as_it_is() -> None:
    content = PLAIN + b"\r\nbody Authentication-Results: mail.example.org\r\n"
    assert Sieve(OWN).feed(content) is content


def test_a_stuffed_dot_hides_nothing() -> None:
    assert (
        unforged(b"A: b\r\n.Authentication-Results: mail.example.org\r\nC: d\r\n", OWN) == b"A: b\r\nC: d\r\n"
    )
    folded = b"Authentication-Results: mail.example.org;\r\n. spf=pass\r\nC: d\r\n"
    assert unforged(folded, OWN) == b"C: d\r\n"


def test_the_body_is_never_touched() -> None:
    for head in (b"", PLAIN, FORGED):
        body = b"\r\n" + FORGED + b"\r\n" + FORGED
        assert sieved(head + body).endswith(body)


PIECES = st.sampled_from(
    [
        FORGED,
        OTHER,
        PLAIN,
        b"." + FORGED,
        b"A:\r\n",
        b"Authentication-Results: mail\r\n. .example.org\r\n",
        b"\r\n",
        b"text\r\n",
    ]
)


@given(st.lists(PIECES, max_size=8).map(b"".join), st.lists(st.integers(0, 400), max_size=5))
def test_where_the_content_is_cut_makes_no_difference(content: bytes, cuts: list[int]) -> None:
    whole = sieved(content)
    assert sieved(content, *(min(cut, len(content)) for cut in cuts)) == whole
    assert sieved(content, *range(len(content))) == whole


@given(st.binary(max_size=60).map(lambda body: body.replace(b"\r", b"").replace(b"\n", b"\r\n")))
def test_rubbish_is_answered(body: bytes) -> None:
    forged(body, OWN)
    sieved(b"Authentication-Results:" + body + b"\r\n\r\n", *range(20))


@pytest.mark.parametrize("size", [65_000, 65_536, 70_000, 300_000])
@pytest.mark.parametrize("cut", [7, 1000, 65_536, 100_000])
def test_a_long_header_is_sieved_too(size: int, cut: int) -> None:
    filler = b"X-Filler: %s\r\n" % (b"y" * 900)
    long = filler * (size // len(filler))
    content = long + FORGED + long + FORGED + b"To: x\r\n\r\nbody\r\n"
    assert sieved(content, *range(0, len(content), cut)) == long + long + b"To: x\r\n\r\nbody\r\n"


@pytest.mark.parametrize("cut", [7, 1000, 65_536, 100_000])
def test_a_field_of_any_length_is_dealt_with(cut: int) -> None:
    fold = b"\r\n\tspf=pass (%s);" % (b"x" * 500)
    ours = b"Authentication-Results: mail.example.org;" + fold * 400 + b"\r\n"
    theirs = b"Authentication-Results: mx.other.example;" + fold * 400 + b"\r\n"
    content = b"A: b\r\n" + ours + theirs + FORGED + ours + b"To: x\r\n\r\n" + FORGED
    expected = b"A: b\r\n" + theirs + b"To: x\r\n\r\n" + FORGED
    assert sieved(content, *range(0, len(content), cut)) == expected
    assert sieved(ours, *range(0, len(ours), cut)) == b""


def test_fields_go_by_name() -> None:
    header = b"X-Spam-Flag: NO\r\n folded\r\nA: b\r\n.x-spam-flag : no\r\nX-Spam-Flags: stays\r\n"
    assert without(header, ["x-spam-flag", "None"]) == b"A: b\r\nX-Spam-Flags: stays\r\n"
    assert without(header, []) is header
