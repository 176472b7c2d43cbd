"""One connection to one host: what is said, and what the answers come to."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from delivery.peer import GREETING, PIPELINING, PLAIN, TAKES_ALL, ScriptedPeer, scripted_peer
from delivery.rig import CONTENT, TIMEOUTS, Rig, rig
from gatepost.delivery.timeouts import Timeouts
from gatepost.mail.address import Address
from gatepost.mail.envelope import Recipient
from gatepost.mail.outcome import Disposition, Outcome

RELAYED, DEFERRED, FAILED = Disposition.RELAYED, Disposition.DEFERRED, Disposition.FAILED
Answer = tuple[Disposition, int, str]


def via(peer: ScriptedPeer, scheme: str = "smtp") -> dict[str, object]:
    return {"*": f"{scheme}://127.0.0.1:{peer.port}"}


def short(outcome: Outcome) -> Answer:
    return outcome.disposition, outcome.code, outcome.enhanced


def deliver_one(tmp_path: Path, *scripts: str, **message: object) -> tuple[Outcome, ScriptedPeer]:
    """One message to one recipient of a peer with these scripts."""
    outcomes, peer = deliver(tmp_path, ["you@there.test"], *scripts, **message)
    return outcomes[0], peer


def deliver(
    tmp_path: Path, recipients: list[str], *scripts: str, **message: object
) -> tuple[list[Outcome], ScriptedPeer]:
    async def main() -> tuple[list[Outcome], ScriptedPeer]:
        async with scripted_peer(*scripts) as peer, rig(tmp_path, via(peer)) as made:
            await made.put(*recipients, **message)  # type: ignore[arg-type]
            return await made.outcomes(len(recipients)), peer

    outcomes, peer = asyncio.run(main())
    assert peer.faults == []
    return outcomes, peer


def test_a_message_is_relayed_byte_for_byte(tmp_path: Path) -> None:
    content = b"Subject: x\r\n\r\n..dot\r\n...\r\n\xe9\xff\r\n" + b"x" * 998 + b"\r\n"
    outcome, peer = deliver_one(tmp_path, TAKES_ALL, content=content)
    assert short(outcome) == (RELAYED, 250, "2.0.0")
    assert outcome.host == "127.0.0.1"
    assert peer.contents == [content]
    assert peer.heard[1:4] == [
        f"MAIL FROM:<me@us.test> SIZE={len(content)} BODY=8BITMIME",
        "RCPT TO:<you@there.test>",
        "DATA",
    ]


def test_an_empty_message_is_a_lone_dot(tmp_path: Path) -> None:
    outcome, peer = deliver_one(tmp_path, TAKES_ALL, content=b"")
    assert outcome.disposition is RELAYED
    assert peer.contents == [b""]


def test_without_pipelining_every_answer_is_waited_for(tmp_path: Path) -> None:
    script = (
        PLAIN
        + "C: MAIL\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: RCPT\nS: 550 5.1.1 no\n"
        + "C: DATA\nS: 354 go\nCONTENT\nS: 250 ok"
    )
    outcomes, _ = deliver(tmp_path, ["a@there.test", "b@there.test"], script)
    assert {o.recipient: o.disposition for o in outcomes} == {0: RELAYED, 1: FAILED}


def test_messages_overlap_on_one_connection_with_pipelining(tmp_path: Path) -> None:
    async def main() -> None:
        async with scripted_peer(TAKES_ALL) as peer, rig(tmp_path, via(peer), autostart=False) as made:
            for number in range(4):
                await made.put("you@there.test", content=b"Subject: %d\r\n\r\n" % number)
            made.start()
            assert {o.disposition for o in await made.outcomes(4)} == {RELAYED}
            assert len(peer.contents) == 4
            await made.delivery.stop(1)
            await made.running

    asyncio.run(main())


def test_the_next_message_goes_behind_the_dot_in_one_write(tmp_path: Path) -> None:
    # the peer answers the first content only when it has the second MAIL, RCPT and DATA
    script = PIPELINING + (
        "C: MAIL\nC: RCPT\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nCONTENT\n"
        "C: MAIL\nC: RCPT\nC: DATA\nS: 250 first\nS: 250 ok\nS: 250 ok\nS: 354 go\n"
        "CONTENT\nS: 250 second\nC: QUIT\nS: 221 bye"
    )

    async def main() -> None:
        async with scripted_peer(script) as peer, rig(tmp_path, via(peer), autostart=False) as made:
            await made.put("a@there.test")
            await made.put("b@there.test")
            made.start()
            assert [o.text for o in await made.outcomes(2)] == ["first", "second"]
            assert peer.connections == 1
            await made.delivery.stop(1)
            await made.running
            assert peer.faults == []

    asyncio.run(main())


def test_each_recipient_has_its_own_outcome(tmp_path: Path) -> None:
    script = PIPELINING + (
        "C: MAIL\nC: RCPT\nC: RCPT\nC: RCPT\nC: DATA\n"
        "S: 250 ok\nS: 550 5.1.1 unknown\nS: 250 ok\nS: 450 4.2.0 later\n"
        "S: 354 go\nCONTENT\nS: 250 2.0.0 taken"
    )
    outcomes, _ = deliver(tmp_path, ["a@x.test", "b@x.test", "c@x.test"], script)
    assert {o.recipient: short(o) for o in outcomes} == {
        0: (FAILED, 550, "5.1.1"),
        1: (RELAYED, 250, "2.0.0"),
        2: (DEFERRED, 450, "4.2.0"),
    }


def test_a_refused_sender_fails_all_recipients(tmp_path: Path) -> None:
    script = PIPELINING + "C: MAIL\nC: RCPT\nC: DATA\nS: 550 5.7.1 not you\nS: 503 no\nS: 503 no"
    outcome, _ = deliver_one(tmp_path, script)
    assert short(outcome) == (FAILED, 550, "5.7.1")


def test_a_354_although_all_recipients_were_refused_is_answered_by_a_lone_dot(tmp_path: Path) -> None:
    script = (
        PIPELINING
        + "C: MAIL\nC: RCPT\nC: DATA\nS: 250 ok\nS: 550 5.1.1 no\nS: 354 go\nCONTENT\nS: 554 no one"
    )
    outcome, peer = deliver_one(tmp_path, script)
    assert short(outcome) == (FAILED, 550, "5.1.1")
    assert peer.contents == [b""]


def test_a_refused_data_is_followed_by_rset_and_the_next_message(tmp_path: Path) -> None:
    script = PIPELINING + (
        "C: MAIL\nC: RCPT\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 451 4.3.0 not now\n"
        "C: RSET\nS: 250 ok\nC: MAIL\nC: RCPT\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nCONTENT\nS: 250 ok"
    )

    async def main() -> None:
        async with scripted_peer(script) as peer, rig(tmp_path, via(peer), autostart=False) as made:
            await made.put("a@there.test")
            await made.put("b@there.test")
            made.start()
            assert [o.disposition for o in await made.outcomes(2)] == [DEFERRED, RELAYED]
            assert peer.faults == []

    asyncio.run(main())


def test_in_lock_step_rset_is_waited_for_too(tmp_path: Path) -> None:
    script = PLAIN + (
        "C: MAIL\nS: 250 ok\nC: RCPT\nS: 550 no\nC: RSET\nS: 250 ok\n"
        "C: MAIL\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: DATA\nS: 354 go\nCONTENT\nS: 250 ok"
    )

    async def main() -> None:
        async with scripted_peer(script) as peer, rig(tmp_path, via(peer), autostart=False) as made:
            await made.put("a@there.test", sender=None)
            await made.put("b@there.test", sender=None)
            made.start()
            assert [o.disposition for o in await made.outcomes(2)] == [FAILED, RELAYED]
            assert peer.faults == []

    asyncio.run(main())


def test_content_refused_for_good_fails(tmp_path: Path) -> None:
    script = (
        PIPELINING + "C: MAIL\nC: RCPT\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nCONTENT\nS: 554 5.7.1 spam"
    )
    outcome, _ = deliver_one(tmp_path, script, sender=None)
    assert short(outcome) == (FAILED, 554, "5.7.1")


@pytest.mark.parametrize("code", ["452 4.5.3", "552 5.5.3"])
def test_too_many_recipients_go_in_another_transaction(tmp_path: Path, code: str) -> None:
    script = PIPELINING + (
        f"C: MAIL\nC: RCPT TO:<a\nC: RCPT TO:<b\nC: DATA\n"
        f"S: 250 ok\nS: 250 ok\nS: {code} too many\nS: 354 go\nCONTENT\n"
        "S: 250 ok\nC: MAIL\nC: RCPT TO:<b\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nCONTENT\nS: 250 ok"
    )
    outcomes, _ = deliver(tmp_path, ["a@x.test", "b@x.test"], script)
    assert {o.recipient: o.disposition for o in outcomes} == {0: RELAYED, 1: RELAYED}


def test_more_than_a_hundred_recipients_go_in_several_transactions(tmp_path: Path) -> None:
    def transaction(count: int) -> str:
        return (
            "C: MAIL\n"
            + "C: RCPT\n" * count
            + "C: DATA\n"
            + "S: 250 ok\n" * (count + 1)
            + "S: 354 go\nCONTENT\nS: 250 ok\n"
        )

    recipients = [f"u{number}@x.test" for number in range(150)]
    outcomes, peer = deliver(tmp_path, recipients, PIPELINING + transaction(100) + transaction(50))
    assert sorted(o.recipient for o in outcomes) == list(range(150))
    assert len(peer.contents) == 2


NO_ANSWER = PIPELINING + "C: MAIL\nC: RCPT\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nCONTENT\n"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("CLOSE", "closed the connection"),
        ("RESET", "connection"),
        ("S: nonsense without a code\nSILENCE", "broke the protocol"),
        ("S: 554 we do not like you", "refused at greeting"),
        ("S: 421 too busy", "421"),
        ("S: 220 x\nC: EHLO\nS: 550 go away\nC: HELO\nS: 550 go away", "refused at EHLO"),
        ("S: 220 x\nC: EHLO\nCLOSE", "closed the connection"),
        ("S: 220 x\nS: 220 y\nC: EHLO\nSILENCE", "broke the protocol"),
        (PIPELINING + "C: MAIL\nRESET", "connection"),
        (PIPELINING + "C: MAIL\nRAW: " + "2" * 5000 + "\nSILENCE", "too long"),
        (PIPELINING + "C: MAIL\n" + "S: 250-endless\n" * 300 + "SILENCE", "too many lines"),
        (PIPELINING + "C: MAIL\nS: 354 what\nSILENCE", "broke the protocol"),
        (PIPELINING + "C: MAIL\nC: RCPT\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nCLOSE", "connection"),
        (NO_ANSWER + "CLOSE", "closed the connection"),
        (NO_ANSWER + "RESET", "connection"),
        (NO_ANSWER + "S: 421 4.3.2 shutting down", "421 4.3.2 shutting down"),
        (NO_ANSWER + "S: 451 4.3.0 disk", "disk"),
        (NO_ANSWER + "S: 354 again\nSILENCE", "broke the protocol"),
    ],
)
def test_a_peer_that_fails_defers_with_a_clear_text(tmp_path: Path, script: str, words: str) -> None:
    outcome, _ = deliver_one(tmp_path, script)
    assert outcome.disposition is DEFERRED
    assert words in outcome.text
    assert outcome.text.isprintable()
    assert len(outcome.text) < 600


COMMANDS = replace(TIMEOUTS, command_seconds=1)
"""Those before the silence have to be answered in this time too."""


@pytest.mark.parametrize(
    ("script", "step", "quick"),
    [
        ("SILENCE", "greeting", replace(TIMEOUTS, greeting_seconds=0.1)),
        ("S: 220 x\nC: EHLO\nSILENCE", "HELO", COMMANDS),
        (PIPELINING + "C: MAIL\nSILENCE", "MAIL", COMMANDS),
        (PLAIN + "C: MAIL\nS: 250 ok\nC: RCPT\nSILENCE", "RCPT", COMMANDS),
        (
            PLAIN + "C: MAIL\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: DATA\nSILENCE",
            "DATA",
            replace(TIMEOUTS, data_seconds=0.1),
        ),
        (NO_ANSWER + "SILENCE", "reply to the message", replace(TIMEOUTS, dot_seconds=0.1)),
    ],
)
def test_a_peer_that_falls_silent_is_given_up_in_time(
    tmp_path: Path, script: str, step: str, quick: Timeouts
) -> None:

    async def main() -> None:
        async with scripted_peer(script) as peer, rig(tmp_path, via(peer), timeouts=quick) as made:
            await made.put("you@there.test")
            outcome = await made.outcome()
            assert outcome.disposition is DEFERRED
            assert outcome.text == f"no answer in time ({step})"

    asyncio.run(main())


def test_control_characters_of_a_peer_never_get_into_an_outcome(tmp_path: Path) -> None:
    script = (
        PIPELINING
        + "C: MAIL\nC: RCPT\nC: DATA\nS: 250 ok\nS: 550 5.1.1 \x1b[2J\x07no\x9b "
        + "y" * 2000
        + "\nS: 503 no"
    )
    outcome, _ = deliver_one(tmp_path, script, sender=None)
    assert outcome.disposition is FAILED
    assert outcome.text.isprintable()
    assert len(outcome.text) <= 503


def test_a_message_over_the_peers_size_is_not_sent(tmp_path: Path) -> None:
    script = GREETING + "S: 250-x\nS: 250 SIZE 10\nSILENCE"
    outcome, peer = deliver_one(tmp_path, script, sender=None)
    assert short(outcome) == (FAILED, 552, "5.3.4")
    assert len(peer.heard) == 1


def test_an_internationalized_address_needs_smtputf8(tmp_path: Path) -> None:
    outcome, _ = deliver_one(tmp_path, PIPELINING + "SILENCE", sender="jörg@us.test", smtputf8=True)
    assert short(outcome) == (FAILED, 550, "5.6.7")


def test_smtputf8_is_not_needed_by_a_message_that_has_nothing_of_it(tmp_path: Path) -> None:
    outcome, peer = deliver_one(tmp_path, TAKES_ALL, smtputf8=True)
    assert outcome.disposition is RELAYED
    assert "SMTPUTF8" not in peer.heard[1]


def test_smtputf8_is_said_where_it_is_offered(tmp_path: Path) -> None:
    offered = TAKES_ALL.replace("S: 250 8BITMIME", "S: 250-8BITMIME\nS: 250 SMTPUTF8")
    outcome, peer = deliver_one(tmp_path, offered, sender="jörg@us.test", smtputf8=True)
    assert outcome.disposition is RELAYED
    assert peer.heard[1].startswith("MAIL FROM:<jörg@us.test>")
    assert peer.heard[1].endswith(" SMTPUTF8")


def test_a_peer_without_8bitmime_gets_the_content_unchanged(tmp_path: Path) -> None:
    content = b"Subject: x\r\n\r\n\xe9\r\n"
    outcome, peer = deliver_one(tmp_path, TAKES_ALL.replace("S: 250 8BITMIME", "S: 250 X"), content=content)
    assert outcome.disposition is RELAYED
    assert "BODY" not in peer.heard[1]
    assert peer.contents == [content]


def test_dsn_parameters_are_carried_only_where_dsn_is_offered(tmp_path: Path) -> None:
    recipient = Recipient(Address("you", "there.test"), "FAILURE,DELAY", "rfc822;old@there.test")

    async def heard(script: str, folder: Path) -> list[str]:
        async with scripted_peer(script) as peer, rig(folder, via(peer)) as made:
            await made.put(recipient, ret="HDRS", envid="E1")
            await made.outcome()
            return peer.heard

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    offered = asyncio.run(heard(TAKES_ALL.replace("S: 250 8BITMIME", "S: 250 DSN"), tmp_path / "a"))
    assert offered[1].endswith(" RET=HDRS ENVID=E1")
    assert offered[2] == "RCPT TO:<you@there.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;old@there.test"
    plain = asyncio.run(heard(TAKES_ALL, tmp_path / "b"))
    assert "RET" not in plain[1]
    assert plain[2] == "RCPT TO:<you@there.test>"


def test_a_message_that_requires_tls_never_goes_to_a_host_that_does_not_promise_it(tmp_path: Path) -> None:
    outcome, _ = deliver_one(tmp_path, PIPELINING + "SILENCE", require_tls=True, sender=None)
    assert short(outcome) == (FAILED, 550, "5.7.30")


def test_a_host_that_knows_only_helo_is_spoken_to_in_its_language(tmp_path: Path) -> None:
    script = (
        "S: 220 x\nC: EHLO\nS: 502 what\nC: HELO us.test\nS: 250 hello\n"
        "C: MAIL\nS: 250 ok\nC: RCPT\nS: 250 ok\n"
        "C: DATA\nS: 354 go\nCONTENT\nS: 250 ok"
    )
    assert deliver_one(tmp_path, script)[0].disposition is RELAYED


def test_lmtp_gives_each_recipient_its_own_reply(tmp_path: Path) -> None:
    script = (
        "S: 220 x\nC: LHLO us.test\nS: 250-x\nS: 250 PIPELINING\n"
        "C: MAIL\nC: RCPT\nC: RCPT\nC: RCPT\nC: DATA\n"
        "S: 250 ok\nS: 250 ok\nS: 550 5.1.1 no\nS: 250 ok\nS: 354 go\n"
        "CONTENT\nS: 250 2.0.0 kept\nS: 452 4.2.2 full"
    )

    async def main() -> None:
        async with scripted_peer(script) as peer, rig(tmp_path, via(peer, "lmtp")) as made:
            await made.put("a@x.test", "b@x.test", "c@x.test")
            outcomes = {o.recipient: short(o) for o in await made.outcomes(3)}
            assert outcomes == {
                0: (RELAYED, 250, "2.0.0"),
                1: (FAILED, 550, "5.1.1"),
                2: (DEFERRED, 452, "4.2.2"),
            }
            assert peer.faults == []

    asyncio.run(main())


def test_a_421_after_some_messages_moves_the_next_one_to_another_connection(tmp_path: Path) -> None:
    first = PIPELINING + (
        "C: MAIL\nC: RCPT\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nCONTENT\n"
        "C: MAIL\nS: 250 taken\nS: 421 enough"
    )

    async def main() -> None:
        async with scripted_peer(first, TAKES_ALL) as peer, rig(tmp_path, via(peer), autostart=False) as made:
            await made.put("a@there.test")
            await made.put("b@there.test")
            made.start()
            assert [o.disposition for o in await made.outcomes(2)] == [RELAYED, RELAYED]
            assert peer.connections == 2

    asyncio.run(main())


def test_an_idle_connection_is_used_again_and_ended_by_quit(tmp_path: Path) -> None:
    script = TAKES_ALL.replace(
        "LOOP", "C: MAIL\nC: RCPT\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nCONTENT\nS: 250 ok\nC: QUIT"
    )

    async def main() -> None:
        timeouts = replace(TIMEOUTS, idle_seconds=2)
        async with scripted_peer(script) as peer, rig(tmp_path, via(peer), timeouts=timeouts) as made:
            await made.put("a@there.test")
            await made.outcomes(1)
            await made.put("a@there.test")
            await made.outcomes(2)
            assert peer.connections == 1
            await peer.until(lambda: peer.heard[-1] == "QUIT")

    asyncio.run(main())


def test_a_large_message_is_streamed_whole(tmp_path: Path) -> None:
    content = b"Subject: big\r\n\r\n" + b"".join(
        b"..%d" % number + b"x" * 200 + b"\r\n" for number in range(10_000)
    )

    async def main() -> None:
        script = TAKES_ALL.replace("SIZE 1000000", "SIZE 100000000")
        async with scripted_peer(script) as peer, rig(tmp_path, via(peer)) as made:
            await made.put("you@there.test", content=content)
            assert (await made.outcome()).disposition is RELAYED
            assert peer.contents == [content]

    asyncio.run(main())


def test_a_peer_that_stops_reading_a_large_message_is_given_up(tmp_path: Path) -> None:
    script = PIPELINING.replace("SIZE 1000000", "SIZE 100000000") + (
        "C: MAIL\nC: RCPT\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nSTALL"
    )

    async def main() -> None:
        timeouts = replace(TIMEOUTS, block_seconds=0.2)
        async with scripted_peer(script) as peer, rig(tmp_path, via(peer), timeouts=timeouts) as made:
            await made.put("you@there.test", content=b"x\r\n" * 5_000_000)
            outcome = await made.outcome()
            assert outcome.disposition is DEFERRED
            assert outcome.text == "no answer in time (room for content)"

    asyncio.run(main())


def test_a_peer_that_answers_before_the_end_of_a_large_message_is_quoted(tmp_path: Path) -> None:
    script = PIPELINING.replace("SIZE 1000000", "SIZE 100000000") + (
        "C: MAIL\nC: RCPT\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nS: 552 5.3.4 too much\n"
    )
    outcome, _ = deliver_one(tmp_path, script, content=b"x\r\n" * 3_000_000)
    assert outcome.disposition is DEFERRED
    assert "552 5.3.4 too much" in outcome.text


def test_content_is_the_default_message(tmp_path: Path) -> None:
    assert deliver_one(tmp_path, TAKES_ALL)[1].contents == [CONTENT]


def test_a_rig_stops_cleanly_with_nothing_to_do(tmp_path: Path) -> None:
    async def main() -> None:
        async with rig(tmp_path, {"*": "smtp://127.0.0.1:1"}) as made:
            assert isinstance(made, Rig)

    asyncio.run(main())
