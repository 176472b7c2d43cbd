"""The whole door out: hops, retries, reports, fairness, the end."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from delivery.peer import PIPELINING, TAKES_ALL, scripted_peer
from delivery.rig import CONTENT, TIMEOUTS, Rig, rig
from gatepost.delivery.lane import LaneLimits
from gatepost.delivery.worker import DeliveryLimits
from gatepost.directory.directory import Alias, Mailbox, Resolution
from gatepost.mail.address import Address, parse_address
from gatepost.mail.envelope import Recipient
from gatepost.mail.outcome import Disposition

RELAYED, DEFERRED, FAILED = Disposition.RELAYED, Disposition.DEFERRED, Disposition.FAILED
DELIVERED = Disposition.DELIVERED
HOUR = 3600.0
REFUSES = (
    PIPELINING
    + "AGAIN\nC: MAIL\nC: RCPT\nC: DATA\n"
    + "S: 250 ok\nS: 550 5.1.1 no such user\nS: 503 no\nC: RSET\nS: 250 ok\nLOOP"
)
DEAD = "smtp://127.0.0.1:1"


def captured(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.eml"))


def test_recipients_are_split_by_next_hop(tmp_path: Path) -> None:
    async def main() -> None:
        async with scripted_peer(TAKES_ALL) as one, scripted_peer(TAKES_ALL) as two:
            routes = {"a.test": f"smtp://127.0.0.1:{one.port}", "*": f"smtp://127.0.0.1:{two.port}"}
            async with rig(tmp_path, routes) as made:
                await made.put("x@a.test", "y@b.test")
                assert {o.disposition for o in await made.outcomes(2)} == {RELAYED}
                assert one.heard[2] == "RCPT TO:<x@a.test>"
                assert two.heard[2] == "RCPT TO:<y@b.test>"

    asyncio.run(main())


def test_a_captured_message_is_a_file_of_its_exact_content(tmp_path: Path) -> None:
    async def main() -> None:
        async with rig(tmp_path, {"*": f"capture:{tmp_path}/out"}) as made:
            queue_id = await made.put("you@there.test", content=b"Subject: x\r\n\r\n..dot\r\n...\r\n")
            await made.outcome()
            file = tmp_path / "out" / f"{queue_id}.eml"
            assert file.read_bytes() == b"Subject: x\r\n\r\n.dot\r\n..\r\n"
            record = json.loads(file.with_suffix(".json").read_text())
            assert record["sender"] == "me@us.test"
            assert record["recipients"] == ["you@there.test"]
            assert not list((tmp_path / "out").glob(".*"))

    asyncio.run(main())


def test_a_capture_folder_that_cannot_be_written_defers(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")

    async def main() -> None:
        async with rig(tmp_path, {"*": f"capture:{tmp_path}/out"}) as made:
            await made.put("you@there.test")
            assert (await made.outcome()).disposition is DEFERRED

    asyncio.run(main())


def test_a_failure_is_reported_to_the_sender_from_nobody(tmp_path: Path) -> None:
    async def main() -> None:
        async with scripted_peer(REFUSES) as peer:
            routes = {"there.test": f"smtp://127.0.0.1:{peer.port}", "*": f"capture:{tmp_path}/out"}
            async with rig(tmp_path, routes) as made:
                await made.put("you@there.test")
                await made.outcomes(2)
                taken, bounced = made.notes.events
                assert taken == "accepted from <> to me@us.test"
                assert bounced.startswith("bounced to me@us.test by ")
            (file,) = captured(tmp_path / "out")
            report = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            assert isinstance(report, EmailMessage)
            assert report.get_content_type() == "multipart/report"
            assert b"no such user" in file.read_bytes()
            record = json.loads(file.with_suffix(".json").read_text())
            assert record["sender"] == ""
            assert record["recipients"] == ["me@us.test"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("sender", "notify", "reports"),
    [
        ("me@us.test", None, 1),
        ("me@us.test", "NEVER", 0),
        ("me@us.test", "DELAY", 0),
        ("me@us.test", "SUCCESS,FAILURE", 1),
        (None, None, 0),
    ],
)
def test_a_failure_is_reported_only_to_whom_it_is_owed(
    tmp_path: Path, sender: str | None, notify: str | None, reports: int
) -> None:
    async def main() -> None:
        async with scripted_peer(REFUSES) as peer:
            routes = {"there.test": f"smtp://127.0.0.1:{peer.port}", "*": f"capture:{tmp_path}/out"}
            async with rig(tmp_path, routes) as made:
                await made.put(Recipient(Address("you", "there.test"), notify), sender=sender)
                await made.outcomes(1 + reports)
        assert len(captured(tmp_path / "out")) == reports

    asyncio.run(main())


def test_ret_full_returns_the_whole_message_and_hdrs_only_its_header(tmp_path: Path) -> None:
    async def report(ret: str, folder: Path) -> bytes:
        async with scripted_peer(REFUSES) as peer:
            routes = {"there.test": f"smtp://127.0.0.1:{peer.port}", "*": f"capture:{folder}/out"}
            async with rig(folder, routes) as made:
                await made.put("you@there.test", content=b"Subject: s\r\n\r\nthe body\r\n", ret=ret)
                await made.outcomes(2)
        return captured(folder / "out")[0].read_bytes()

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert b"the body" in asyncio.run(report("FULL", tmp_path / "a"))
    assert b"the body" not in asyncio.run(report("HDRS", tmp_path / "b"))


def test_a_deferred_message_is_tried_again_when_it_is_due(tmp_path: Path) -> None:
    later = (
        PIPELINING
        + "C: MAIL\nC: RCPT\nC: DATA\nS: 250 ok\nS: 450 4.2.1 later\nS: 503 no\nC: RSET\nS: 250 ok\nCLOSE"
    )

    async def main() -> None:
        async with (
            scripted_peer(later, TAKES_ALL) as peer,
            rig(tmp_path, {"*": f"smtp://127.0.0.1:{peer.port}"}) as made,
        ):
            await made.put("you@there.test")
            assert (await made.outcome()).disposition is DEFERRED
            await again(made, 0.3 * HOUR)
            assert (await made.outcomes(2))[1].disposition is RELAYED

    asyncio.run(main())


async def again(made: Rig, seconds: float) -> None:
    """Time passes, and a delivery that begins anew sees it."""
    await made.delivery.stop(5)
    await made.running
    made.clock.now += seconds
    made.renew()
    made.start()


def test_a_message_is_warned_about_at_twelve_hours_and_given_up_after_two_days(tmp_path: Path) -> None:
    async def main() -> None:
        routes = {"there.test": DEAD, "*": f"capture:{tmp_path}/out"}
        async with rig(tmp_path, routes) as made:
            await made.put("you@there.test")
            assert (await made.outcome()).disposition is DEFERRED
            await again(made, 12 * HOUR)
            await made.outcomes(3)
            await again(made, 37 * HOUR)
            await made.outcomes(5)
            kinds = [
                noted.outcome.disposition for noted in made.notes.all if noted.recipient == "you@there.test"
            ]
            assert kinds == [DEFERRED, DEFERRED, FAILED]
        subjects = [email.message_from_bytes(f.read_bytes())["Subject"] for f in captured(tmp_path / "out")]
        assert sorted(subjects) == ["Delayed mail: still being tried", "Undelivered mail: returned to sender"]

    asyncio.run(main())


def test_a_dead_next_hop_defers_all_its_mail_in_one_go_and_starves_nobody(tmp_path: Path) -> None:
    async def main() -> None:
        async with scripted_peer("SILENCE") as dead, scripted_peer(TAKES_ALL) as alive:
            routes = {"dead.test": f"smtp://127.0.0.1:{dead.port}", "*": f"smtp://127.0.0.1:{alive.port}"}
            timeouts = replace(TIMEOUTS, greeting_seconds=4)
            limits = DeliveryLimits(jobs=100, lane=20)
            async with rig(tmp_path, routes, timeouts=timeouts, limits=limits, autostart=False) as made:
                for _ in range(80):
                    await made.put("x@dead.test")
                for _ in range(20):
                    await made.put("y@alive.test")
                made.start()
                first = (await made.notes.reach(20))[:20]
                assert {noted.recipient for noted in first} == {"y@alive.test"}
                await made.notes.reach(40)
                assert dead.connections == 1

    asyncio.run(main())


def test_a_resting_lane_defers_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            scripted_peer("S: 421 go away") as peer,
            rig(tmp_path, {"*": f"smtp://127.0.0.1:{peer.port}"}) as made,
        ):
            await made.put("a@x.test")
            await made.outcomes(1)
            await made.put("b@x.test")
            await made.outcomes(2)
            assert peer.connections == 1

    asyncio.run(main())


def test_connections_to_one_hop_are_bounded(tmp_path: Path) -> None:
    async def main() -> None:
        async with scripted_peer(TAKES_ALL) as peer:
            routes = {"*": f"smtp://127.0.0.1:{peer.port}"}
            limits = LaneLimits(connections=3)
            async with rig(tmp_path, routes, lane_limits=limits, autostart=False) as made:
                for _ in range(200):
                    await made.put("a@x.test")
                made.start()
                await made.outcomes(200)
                assert 1 < peer.open_most <= 3

    asyncio.run(main())


def test_a_host_that_takes_nothing_costs_few_connections(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            scripted_peer(PIPELINING + "C: MAIL\nCLOSE") as peer,
            rig(tmp_path, {"*": f"smtp://127.0.0.1:{peer.port}"}, autostart=False) as made,
        ):
            for _ in range(50):
                await made.put("a@x.test")
            made.start()
            assert {o.disposition for o in await made.outcomes(50)} == {DEFERRED}
            assert peer.connections < 12

    asyncio.run(main())


def test_the_messages_of_one_connection_are_bounded(tmp_path: Path) -> None:
    async def main() -> None:
        async with scripted_peer(TAKES_ALL) as peer:
            routes = {"*": f"smtp://127.0.0.1:{peer.port}"}
            limits = DeliveryLimits(messages_per_connection=2)
            async with rig(
                tmp_path, routes, limits=limits, lane_limits=LaneLimits(connections=1), autostart=False
            ) as made:
                for _ in range(6):
                    await made.put("a@x.test")
                made.start()
                assert {o.disposition for o in await made.outcomes(6)} == {RELAYED}
                assert peer.connections == 3

    asyncio.run(main())


def test_a_stop_finishes_the_transaction_in_hand_and_keeps_the_rest(tmp_path: Path) -> None:
    script = (
        PIPELINING + "C: MAIL\nC: RCPT\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nCONTENT\nC: MAIL\nSTALL"
    )

    async def main() -> None:
        async with scripted_peer(script) as peer:
            routes = {"*": f"smtp://127.0.0.1:{peer.port}"}
            async with rig(tmp_path, routes, lane_limits=LaneLimits(connections=1), autostart=False) as made:
                for _ in range(5):
                    await made.put("a@x.test")
                made.start()
                await peer.until(lambda: bool(peer.contents))
                await made.delivery.stop(0.1)
                await made.running
                outcomes = await made.outcomes(2)
                assert {o.text for o in outcomes} == {"this server is shutting down"}
                assert made.delivery.in_hand == 0
                assert len(made.spool.take(made.clock(), 10)) == 3

    asyncio.run(main())


def test_the_log_has_one_line_a_message(tmp_path: Path) -> None:
    async def main() -> None:
        async with rig(tmp_path, {"*": f"capture:{tmp_path}/out"}) as made:
            queue_id = await made.put("you@there.test", "me@there.test")
            await made.outcomes(2)
            lines = [line for line in made.log_text().splitlines() if queue_id in line]
            assert len(lines) == 1
            assert "message-relayed" in lines[0]

    asyncio.run(main())


def test_a_literal_that_is_no_address_fails(tmp_path: Path) -> None:
    async def main() -> None:
        async with rig(tmp_path, {}) as made:
            recipient = Recipient(Address("you", "[999.1.1.1]"))
            await made.put(recipient, sender=None)
            outcome = await made.outcome()
            assert (outcome.disposition, outcome.enhanced) == (FAILED, "5.1.2")

    asyncio.run(main())


# mailboxes


ANN = Mailbox("ann@us.test")
BOB = Mailbox("bob@us.test")


def in_mailbox(made: Rig, account: str) -> list[bytes]:
    return [file.read_bytes() for file in (made.mailboxes.folder(account) / "new").iterdir()]


def test_a_mailbox_gets_the_message_with_return_path_and_delivered_to(tmp_path: Path) -> None:
    async def main() -> None:
        async with rig(tmp_path, {}, domains={"us.test": {}}, book={"ann@us.test": ANN}) as made:
            await made.put("ann@us.test", content=b"Subject: x\r\n\r\n..dot\r\n", sender="you@there.test")
            assert (await made.outcome()).disposition is DELIVERED
            (message,) = in_mailbox(made, "ann@us.test")
            assert message == (
                b"Return-Path: <you@there.test>\nDelivered-To: ann@us.test\nSubject: x\n\n.dot\n"
            )

    asyncio.run(main())


def test_a_large_message_reaches_a_mailbox_whole(tmp_path: Path) -> None:
    content = b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 100_000

    async def main() -> None:
        async with rig(tmp_path, {}, domains={"us.test": {}}, book={"ann@us.test": ANN}) as made:
            await made.put("ann@us.test", content=content)
            await made.outcome()
            (message,) = in_mailbox(made, "ann@us.test")
            assert message.endswith(content.replace(b"\r\n", b"\n"))

    asyncio.run(main())


def test_an_unknown_user_fails_or_goes_where_the_domain_says(tmp_path: Path) -> None:
    async def main() -> None:
        async with rig(tmp_path, {}, domains={"us.test": {}}) as made:
            await made.put("who@us.test", sender=None)
            outcome = await made.outcome()
            assert (outcome.disposition, outcome.enhanced) == (FAILED, "5.1.1")

    asyncio.run(main())

    async def forwarding() -> None:
        async with scripted_peer(TAKES_ALL) as peer:
            domains = {"us.test": {"unknown": f"smtp://127.0.0.1:{peer.port}"}}
            async with rig(tmp_path / "b", {}, domains=domains, book={"ann@us.test": ANN}) as made:
                await made.put("who@us.test", "ann@us.test")
                assert {o.disposition for o in await made.outcomes(2)} == {RELAYED, DELIVERED}
                assert peer.heard[2] == "RCPT TO:<who@us.test>"

    (tmp_path / "b").mkdir()
    asyncio.run(forwarding())


def test_an_alias_reaches_mailboxes_and_addresses_elsewhere(tmp_path: Path) -> None:
    book: dict[str, Resolution] = {
        "team@us.test": Alias((ANN, BOB), (parse_address("out@there.test"),)),
        "ann@us.test": ANN,
    }

    async def main() -> None:
        routes = {"*": f"capture:{tmp_path}/out"}
        async with rig(tmp_path, routes, domains={"us.test": {}}, book=book) as made:
            await made.put("team@us.test", "ann@us.test", sender="you@else.test")
            await made.outcomes(3)
            assert len(in_mailbox(made, "ann@us.test")) == 1
            assert len(in_mailbox(made, "bob@us.test")) == 1
            (file,) = captured(tmp_path / "out")
            assert file.read_bytes() == CONTENT
            record = json.loads(file.with_suffix(".json").read_text())
            assert (record["sender"], record["recipients"]) == ("you@else.test", ["out@there.test"])

    asyncio.run(main())


def test_a_full_mailbox_defers(tmp_path: Path) -> None:
    async def main() -> None:
        book = {"ann@us.test": Mailbox("ann@us.test", 10)}
        async with rig(tmp_path, {}, domains={"us.test": {}}, book=book) as made:
            await made.put("ann@us.test")
            outcome = await made.outcome()
            assert (outcome.disposition, outcome.code, outcome.enhanced) == (DEFERRED, 452, "4.2.2")

    asyncio.run(main())
