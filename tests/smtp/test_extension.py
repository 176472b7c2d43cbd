from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatepost.smtp.extension import Extensions, TransactionLimits, ehlo_reply, parse_extensions
from gatepost.smtp.reply import Reply

LIMIT = st.none() | st.integers(1, 999_999)
EXTENSIONS = st.builds(
    Extensions,
    size_bytes=st.none() | st.integers(0, 10**12),
    auth=st.lists(st.sampled_from(("PLAIN", "LOGIN", "SCRAM-SHA-256-PLUS")), unique=True).map(tuple),
    limits=st.none() | st.builds(TransactionLimits, LIMIT, LIMIT, LIMIT),
    **{
        name: st.booleans()
        for name in (
            "pipelining",
            "eight_bit_mime",
            "smtputf8",
            "chunking",
            "dsn",
            "enhanced_status_codes",
            "starttls",
            "require_tls",
        )
    },
)


@given(EXTENSIONS)
def test_what_is_offered_is_read(extensions: Extensions) -> None:
    assert parse_extensions(ehlo_reply("mx.test", extensions)) == extensions


def test_nothing_is_offered_unless_it_is_said() -> None:
    assert ehlo_reply("mx.test", Extensions()) == Reply(250, None, ("mx.test",))
    assert parse_extensions(Reply(250, None, ("pipelining",))) == Extensions()


def test_the_offers_of_old_and_odd_servers_are_read() -> None:
    lines = (
        "mx",
        "auth=LOGIN",
        "AUTH LOGIN PLAIN",
        "size",
        "",
        "X-OTHER 1",
        "8bitmime",
        "LIMITS RCPTMAX=x MAILMAX=5 A=1",
    )
    assert parse_extensions(Reply(250, None, lines)) == Extensions(
        auth=("LOGIN", "PLAIN"), size_bytes=0, eight_bit_mime=True, limits=TransactionLimits(mail_max=5)
    )
    assert parse_extensions(Reply(250, None, ("mx", "SIZE lots"))).size_bytes == 0


@given(st.lists(st.text(max_size=40), min_size=1))
def test_no_reply_to_ehlo_breaks_the_reader(lines: list[str]) -> None:
    parse_extensions(Reply(250, None, tuple(lines)))
