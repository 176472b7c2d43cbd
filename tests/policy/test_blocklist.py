"""What a block list's answers mean, and of whom it is never asked."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from gatepost.policy.blocklist import NoBlockList, block_list, is_local, text_shown
from gatepost.policy.facts import UNKNOWN


def test_the_question_turns_the_address_round() -> None:
    zen = block_list("zen.example.org")
    assert zen.question(ip_address("192.0.2.99")) == "99.2.0.192.zen.example.org."
    v6 = zen.question(ip_address("2001:db8:1:2:3:4:567:89ab"))
    # RFC 5782 §2.4
    assert v6 == "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.zen.example.org."


@pytest.mark.parametrize(
    ("text", "answers", "listed"),
    [
        ("z.example", ["127.0.0.2"], True),
        ("z.example", ["127.0.0.255", "10.0.0.1"], True),
        ("z.example=127.0.0.2", ["127.0.0.3"], False),
        ("z.example=127.0.0.2", ["127.0.0.3", "127.0.0.2"], True),
        ("z.example=127.0.0.2-11, 127.0.1.4", ["127.0.0.11"], True),
        ("z.example=127.0.0.2-11, 127.0.1.4", ["127.0.1.4"], True),
        ("z.example=127.0.0.2-11", ["127.0.0.12"], False),
        ("z.example", ["127.255.255.254"], UNKNOWN),
        ("z.example=127.0.0.2", ["127.255.255.252"], UNKNOWN),
        ("z.example", ["203.0.113.7"], UNKNOWN),
        ("z.example", [], UNKNOWN),
    ],
)
def test_answers_mean(text: str, answers: list[str], listed: object) -> None:
    assert block_list(text).lists(answers) is listed


@pytest.mark.parametrize(
    "codes", ["", "2", "127.0.0", "127.0.0.256", "127.0.0.9-2", "10.0.0.1", "127.0.0.2-"]
)
def test_what_is_no_code_is_told(codes: str) -> None:
    with pytest.raises(NoBlockList):
        block_list(f"z.example={codes}")


@pytest.mark.parametrize(
    ("peer", "local"),
    [
        *(("10.1.2.3", True), ("127.0.0.1", True), ("172.31.0.1", True), ("100.64.0.1", True)),
        *(("::1", True), ("fd00::1", True), ("fc00::1", True), ("fe80::1", True)),
        *(
            ("192.0.2.1", False),
            ("172.32.0.1", False),
            ("2001:db8::1", False),
            ("fec0::1", False),
            ("::2", False),
        ),
    ],
)
def test_what_is_near_is_in_no_list(peer: str, local: bool) -> None:
    assert is_local(ip_address(peer)) is local


def test_a_text_is_one_printable_line() -> None:
    assert text_shown(["see\r\n250 OK \xe9", "x"]) == "see??250 OK ? x"
    assert len(text_shown(["x" * 500])) == 160
