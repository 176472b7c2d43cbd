"""A virtual server of SMTP and one of POP3 may have the same name: nothing that is told of one is of both."""

from __future__ import annotations

from collections.abc import Callable

from daemon.house import House, internet, pop3


def test_sessions_and_log_tell_smtp_from_pop3(make_house: Callable[..., House]) -> None:
    house = make_house()
    house.write(internet(name="mail"), pop3())
    house.start()
    with house.smtp() as first, house.smtp() as second, house.pop() as collecting:
        first.noop()
        second.noop()
        assert house.status()["workers"][0]["sessions_by_server"] == {"mail": 2, "pop3.mail": 1}
        collecting.quit()
    assert house.stop() == 0
