"""What a client gets of mail with a UTF-8 header when it did not say UTF8."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gatepost.pop3.surrogate import surrogate

BODY = "\r\nSchöne Grüße\r\n".encode()


def field(line: str) -> tuple[str, str]:
    """The field as a mail program shows it, and as it stands on the wire."""
    whole = surrogate(line.encode() + b"\r\nX-Other: here\r\n" + BODY)
    assert whole.endswith(b"X-Other: here\r\n" + BODY)
    head = whole[: -len(BODY)]
    assert head.isascii()
    assert all(len(one) <= 78 for one in head.splitlines())
    name = line.partition(":")[0]
    return str(message_from_bytes(whole, policy=policy.default)[name]), head.decode()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Subject: Schöne Grüße aus Köln", "Schöne Grüße aus Köln"),
        ("Subject: " + "ä" * 200, "ä" * 200),
        ("X-Note: 日本語", "日本語"),
        ("From: Jörg Müller <joerg@example.org>", "Jörg Müller <joerg@example.org>"),
        ('From: "Müller, Jörg" <joerg@example.org>', '"Müller, Jörg" <joerg@example.org>'),
        ("To: ann@example.org, Bärbel <b@example.org>", "ann@example.org, Bärbel <b@example.org>"),
        ("To: jörg@example.org", "invalid@internationalized-address.invalid"),
        ("To: Jörg <jörg@example.org>", "Jörg <invalid@internationalized-address.invalid>"),
        ("Cc: joerg@köln.example", "joerg@xn--kln-sna.example"),
        ("From: joerg@example.org (Jörg)", "joerg@example.org"),
    ],
)
def test_a_program_shows_what_was_meant(line: str, shown: str) -> None:
    assert field(line)[0] == shown


def test_the_name_of_an_attachment_stays() -> None:
    whole = surrogate('Content-Disposition: attachment; filename="Übersicht.pdf"; size=3\r\n'.encode() + BODY)
    message = message_from_bytes(whole, policy=policy.default)
    assert message.get_filename() == "Übersicht.pdf"
    assert b"size=3" in whole


def test_a_field_that_ascii_cannot_say_goes() -> None:
    assert "Message-ID" not in field("Message-ID: <ä@example.org>")[1]


@pytest.mark.parametrize(
    "message",
    [
        b"Subject: plain\r\n\r\nbody\r\n",
        "Subject: plain\r\n\r\nGrüße: ä\r\n".encode(),
        b"Subject: Gr\xfc\xdfe\r\n\r\nLatin-1 of old\r\n",
        "no header ends here: ä".encode("latin-1"),
        b"",
    ],
)
def test_all_else_stays_as_it_came(message: bytes) -> None:
    assert surrogate(message) == message


def test_line_ends_stay() -> None:
    whole = surrogate("Subject: ä\nTo: ann\n\nbody\n".encode())
    assert b"\r" not in whole
    assert whole.endswith(b"\nTo: ann\n\nbody\n")


@example("ä\n", "Content-Type")  # the only field is left out: a header of none
@given(
    st.text(alphabet=st.sampled_from('äb@<>"(),;:=\\ \r\n\t.日-?'), max_size=60),
    st.sampled_from(["From", "Subject", "Content-Type", "X"]),
)
def test_whatever_stands_there_the_header_is_ascii_and_the_body_untouched(text: str, name: str) -> None:
    message = f"{name}: {text}".encode() + b"\r\nX-End: e\r\n\r\n\xc3\xa4 body\r\n"
    whole = surrogate(message)
    cut = 1 + min(at for at in (message.find(b"\n\n"), message.find(b"\n\r\n")) if at >= 0)
    if message[:cut].isascii():
        assert whole == message
    else:
        head = whole[: len(whole) - (len(message) - cut)]
        assert head.isascii()
        assert whole.endswith(message[cut:])
