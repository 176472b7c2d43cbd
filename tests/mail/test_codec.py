"""The envelope as octets."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.address import Address
from gatepost.mail.codec import EnvelopeError, decode, encode
from gatepost.mail.envelope import Body, Envelope, Origin, Recipient

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)
ADDRESSES = st.builds(Address, TEXTS, TEXTS)
ENVELOPES = st.builds(
    Envelope,
    st.none() | ADDRESSES,
    st.lists(st.builds(Recipient, ADDRESSES, st.none() | TEXTS, st.none() | TEXTS), max_size=5).map(tuple),
    st.builds(
        Origin,
        TEXTS,
        TEXTS,
        TEXTS,
        st.none() | TEXTS,
        st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    ),
    st.sampled_from(Body),
    st.booleans(),
    st.booleans(),
    st.none() | TEXTS,
    st.none() | TEXTS,
)
ORIGIN = Origin("7F3K2Q", "submission", "192.0.2.1", "ann", datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC))
PLAIN = Envelope(Address("ann", "example.org"), (Recipient(Address("x", "y")),), ORIGIN)


@given(ENVELOPES)
def test_an_envelope_comes_back(envelope: Envelope) -> None:
    assert decode(encode(envelope)) == envelope


def test_an_empty_quoted_local_part_comes_back() -> None:
    envelope = replace(PLAIN, sender=Address("", "example.org"))
    assert decode(encode(envelope)) == envelope


def test_octets_of_another_version_are_refused() -> None:
    with pytest.raises(EnvelopeError, match="version 9"):
        decode(b"\x09" + encode(PLAIN)[1:])


def test_a_nul_is_refused() -> None:
    with pytest.raises(EnvelopeError):
        encode(replace(PLAIN, envid="a\0b"))


@given(st.binary(), st.integers(0, 100))
def test_rubbish_is_an_envelope_error_and_nothing_else(rubbish: bytes, at: int) -> None:
    whole = encode(PLAIN)
    for octets in (rubbish, whole[:at], whole[:at] + rubbish + whole[at + 1 :]):
        with contextlib.suppress(EnvelopeError):
            decode(octets)
