"""Entries read as English."""

from __future__ import annotations

import pytest
from hypothesis import given

from gatepost.policy.access import Effect, Entry, Right, parse_network, parse_principal
from gatepost.policy.sentence import sentence
from policy.strategies import entries


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (
            Entry(Effect.ALLOW, frozenset({Right.SUBMIT, Right.RELAY}), parse_principal("group:POP3 Relay")),
            "A member of the group “POP3 Relay” may hand in mail and relay to other domains.",
        ),
        (
            Entry(Effect.DENY, frozenset({Right.RELAY}), parse_principal("authenticated"), tls=True),
            "Whoever is logged in may never relay to other domains over TLS.",
        ),
        (
            Entry(
                Effect.ALLOW,
                frozenset({Right.CONNECT}),
                parse_principal("anyone"),
                (parse_network("10.0.0.0/8"), parse_network("fd00::/8")),
            ),
            "Anyone may connect from 10.0.0.0/8 or fd00::/8.",
        ),
        (
            Entry(Effect.ALLOW, frozenset({Right.COLLECT}), parse_principal("user:Ann"), ()),
            "The user Ann may collect mail from nowhere.",
        ),
    ],
)
def test_an_entry_reads_as_a_sentence(entry: Entry, text: str) -> None:
    assert sentence(entry) == text


@given(entries)
def test_every_entry_has_a_sentence(entry: Entry) -> None:
    text = sentence(entry)
    assert text[0].isupper()
    assert text.endswith(".")
    assert ("may never" in text) == (entry.effect is Effect.DENY)
