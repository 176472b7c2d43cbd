"""An operator gives a message up: its sender gets a report, and nobody tries it again."""

from __future__ import annotations

import asyncio
from pathlib import Path

from delivery.rig import rig
from gatepost.mail.outcome import Disposition

DEAD = "smtp://127.0.0.1:1"


def test_a_message_that_is_given_up_goes_back_to_its_sender(tmp_path: Path) -> None:
    async def main() -> None:
        routes = {"dead.test": DEAD, "us.test": f"capture:{tmp_path}/back"}
        async with rig(tmp_path, routes, autostart=False) as made:
            queue_id = await made.put("x@dead.test", "y@dead.test")
            made.spool.hold(queue_id)
            assert made.delivery.give_up(queue_id, "the operator has given it up")
            made.start()
            first, second, report = await made.outcomes(3)
            assert [first.disposition, second.disposition] == [Disposition.FAILED] * 2
            assert report.disposition is Disposition.RELAYED
            text = next((tmp_path / "back").glob("*.eml")).read_text()
            assert "the operator has given it up" in text
            assert "x@dead.test" in text
            assert made.spool.find(queue_id) is None
            await made.delivery.stop(5)
            await made.running

    asyncio.run(main())


def test_one_that_is_not_there_is_not_given_up(tmp_path: Path) -> None:
    async def main() -> None:
        async with rig(tmp_path, {"*": DEAD}) as made:
            assert not made.delivery.give_up("000000000000000", "so it is")

    asyncio.run(main())
