"""The groups in a ticket: one that Samba 4.17 gave, whole and mangled."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.directory.granted import ticketed
from gatepost.directory.pac import BadPac, sids_of
from gatepost.policy.facts import UNKNOWN, Identity

NORA = bytes.fromhex(
    "01100800ccccccccc001000000000000000002000000000000000000ffffffffffffff7fffffffffffffff7fb6ee0d6b"
    "097cdd01b6ee0d6b097cdd01b66e67600a9ddd0108000800040002000000000008000200000000000c00020000000000"
    "1000020000000000140002000000000018000200000000005004000001020000050000001c0002002000000000000000"
    "000000000000000000000000060008002000020010001200240002002800020000000000000000001000000000000000"
    "000000000000000000000000000000000000000000000000010000002c00020000000000000000000000000004000000"
    "00000000040000006e006f00720061000000000000000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000500000001020000070000006304000007000000"
    "5c040000070000005d040000070000005e04000007000000040000000000000003000000440043003100000009000000"
    "0000000008000000470041005400450050004f0053005400040000000104000000000005150000003abdabf47e0d6a89"
    "748987e901000000300002000700000001000000010100000000001201000000"
)
DOMAIN = "S-1-5-21-4104895802-2305428862-3917973876"
GROUPS = frozenset({*(f"{DOMAIN}-{number}" for number in (513, 1123, 1116, 1117, 1118)), "S-1-18-1"})


def test_the_groups_of_a_ticket_are_read() -> None:
    assert sids_of(NORA) == GROUPS


def test_groups_that_are_switched_off_do_not_count() -> None:
    pair = struct.pack("<II", 1123, 7)
    assert NORA.count(pair) == 1
    off = NORA.replace(pair, struct.pack("<II", 1123, 0x10))
    assert sids_of(off) == GROUPS - {f"{DOMAIN}-1123"}


def test_what_is_cut_off_is_not_guessed() -> None:
    for size in range(len(NORA) - 4):
        with pytest.raises(BadPac):
            sids_of(NORA[:size])


@given(st.data())
def test_nothing_that_is_mangled_makes_reading_fail_otherwise(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(NORA) - 1))
    mangled = NORA[:at] + data.draw(st.binary(max_size=8)) + NORA[at + 4 :]
    with contextlib.suppress(BadPac):
        sids_of(mangled)


def somebody(**more: object) -> Identity:
    return Identity("nora", frozenset({"nora"}), frozenset(), **{"groups": frozenset({"sales"}), **more})  # type: ignore[arg-type]


def test_a_ticket_adds_groups_and_protects_administrators() -> None:
    nora = ticketed(somebody(), frozenset({f"{DOMAIN}-1123"}))
    assert nora.groups == {"sales", f"{DOMAIN}-1123".lower()}
    assert not nora.privileged
    assert ticketed(somebody(), frozenset({f"{DOMAIN}-512"})).privileged
    assert ticketed(somebody(groups=UNKNOWN), GROUPS).groups is UNKNOWN


def test_what_a_ticket_said_outlives_the_directory_s_news() -> None:
    heidi = ticketed(somebody(), frozenset({f"{DOMAIN}-512"}))
    fresh = heidi.learnt_anew(somebody(groups=frozenset({"support"})))
    assert fresh.groups == {"support", f"{DOMAIN}-512".lower()}
    assert fresh.privileged
    assert somebody().learnt_anew(fresh) is fresh
