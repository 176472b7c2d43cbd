"""Console and API beside a running Gatepost: over HTTPS and at the Unix socket."""

from __future__ import annotations

import os
import signal
import smtplib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from console.house import PASSWORD, ConsoleHouse, told
from daemon.house import message
from gatepost.admin.certificate import self_signed
from patience import until

pytestmark = pytest.mark.xdist_group("console-running")


@pytest.fixture
def api(house: ConsoleHouse) -> Iterator[httpx.Client]:
    with house.client() as client:
        yield client


def console_pid(house: ConsoleHouse) -> int:
    children = Path(f"/proc/{house.running.pid}/task/{house.running.pid}/children").read_text().split()
    named = [int(pid) for pid in children if b"console.process" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(named) == 1
    return named[0]


def test_both_doors_say_the_same(house: ConsoleHouse, api: httpx.Client) -> None:
    with house.at_socket() as local:
        assert told(local.get("/me"))["via"] == "socket"
        assert told(local.get("/status"))["hostname"] == told(api.get("/status"))["hostname"]
    assert (house.place.api.stat().st_mode & 0o777) == 0o600
    assert "gatepost_messages_accepted_total" in api.get("/metrics").text


def test_clear_text_is_no_answer(house: ConsoleHouse) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://{house.host}:8443/sign-in")


def test_the_cookie_is_for_https_alone(house: ConsoleHouse) -> None:
    with house.browser() as browser:
        answer = house.sign_in(browser, "adam")
        assert answer.status_code == 303
        assert "__Host-gatepost=" in answer.headers["set-cookie"]
        assert "Secure" in answer.headers["set-cookie"]
        assert told(browser.get("/api/v1/me"))["name"] == "adam"


def test_a_virtual_server_is_paused_and_goes_on(house: ConsoleHouse, api: httpx.Client) -> None:
    assert told(api.put("/servers/internet/state", json={"state": "paused"}))["state"] == "paused"
    assert house.greeting(2525).startswith(b"421")
    assert told(api.put("/servers/internet/state", json={"state": "paused"}))["state"] == "paused"
    assert told(api.put("/servers/internet/state", json={"state": "running"}))["state"] == "running"
    assert house.greeting(2525).startswith(b"220")
    audited = told(api.get("/audit", params={"subject": "smtp.internet"}))["items"]
    assert [(row["what"], row["before"], row["after"]) for row in audited] == [
        ("server-start", {"state": "paused"}, {"state": "running"}),
        ("server-pause", {"state": "running"}, {"state": "paused"}),
    ]
    assert api.put("/servers/nothing/state", json={"state": "paused"}).status_code == 404


def test_sessions_are_seen_and_closed(house: ConsoleHouse, api: httpx.Client) -> None:
    until(lambda: told(api.get("/sessions")) == [])  # of those before
    with house.smtp() as session:
        session.ehlo("client.example")
        [row] = until(lambda: len(found := told(api.get("/sessions"))) == 1 and found)
        assert told(api.delete(f"/sessions/{row['id']}"))["done"] == [row["id"]]
        with pytest.raises(smtplib.SMTPServerDisconnected):
            until(lambda: session.noop()[0] == 0)
    assert api.delete(f"/sessions/{row['id']}").status_code == 404


def test_mail_is_held_shown_released_and_tracked(house: ConsoleHouse, api: httpx.Client) -> None:
    told(api.put("/contained/ann@example.org", json={"why": "a test"}))
    assert [row["user"] for row in told(api.get("/contained"))] == ["ann@example.org"]
    assert api.put("/contained/ann@example.org").status_code == 404
    told(api.delete("/contained/ann@example.org"))
    route = told(api.get("/config"))
    text = route["text"].replace("capture:outbox", f"smtp://{house.host}:9")
    applied = api.put("/config", json={"text": text}, headers={"if-match": f'"{route["digest"]}"'})
    assert applied.status_code == 200, applied.text
    with house.smtp(2587) as session:
        session.starttls(context=house.trust())
        session.login("ann@example.org", PASSWORD)
        session.sendmail("ann@example.org", ["you@elsewhere.example"], message("held").replace(
            "stranger@example.net", "ann@example.org"))  # fmt: skip
    until(lambda: len(told(api.get("/queue"))["items"]) == 1)
    [row] = told(api.get("/queue", params={"user": "ann@example.org"}))["items"]
    which = {"ids": [row["id"]]}
    assert told(api.post("/queue/orders/hold", json=which))["done"] == [row["id"]]
    assert told(api.get(f"/queue/{row['id']}"))["state"] == "held"
    assert "Subject: held" in told(api.get(f"/queue/{row['id']}"))["header"]
    assert told(api.post("/queue/orders/release", json={"user": "ann@example.org"}))["done"] == [row["id"]]
    assert api.post("/queue/orders/delete", json={}).status_code == 422
    assert told(api.post("/queue/orders/delete", json=which))["done"] == [row["id"]]
    until(lambda: api.get(f"/tracking/{row['id']}").status_code == 200)
    assert [one["what"] for one in told(api.get("/audit", params={"subject": row["id"]}))["items"]] == [
        "queue-delete", "queue-release", "queue-hold"
    ]  # fmt: skip


def test_the_configuration_is_applied_once_and_undone(house: ConsoleHouse, api: httpx.Client) -> None:
    now = told(api.get("/config"))
    before = told(api.get("/config/history"))[-1]["generation"]
    text = now["text"] + "\n[limits]\nrecipients_per_message = 7\n"
    etag = {"if-match": f'"{now["digest"]}"'}
    applied = told(api.put("/config", json={"text": text}, headers=etag))
    assert applied["generation"] == before + 1
    assert any("recipients_per_message" in change for change in applied["changes"])
    late = api.put("/config", json={"text": now["text"]}, headers=etag)
    assert (late.status_code, late.json()["type"]) == (412, "urn:gatepost:problem:changed-meanwhile")
    same = told(api.put("/config", json={"text": text}, headers={"if-match": f'"{applied["digest"]}"'}))
    assert same["generation"] == applied["generation"]
    undone = api.post(
        "/config/undo", json={"generation": before}, headers={"if-match": f'"{applied["digest"]}"'}
    )
    assert told(undone)["digest"] == now["digest"]
    assert house.file.read_text() == now["text"]
    [change, *_] = told(api.get("/audit", params={"subject": "configuration"}))["items"]
    assert (change["what"], change["who"]) == ("config-undo", told(api.get("/me"))["name"] + " (api)")


def test_the_guard_of_all_counts_who_guesses_at_the_console(house: ConsoleHouse, api: httpx.Client) -> None:
    with house.browser() as browser:
        assert house.sign_in(browser, "adam", "a guess").status_code == 403

    def tried() -> list[str]:
        return [row["name"] for row in told(api.get("/attacks"))["names"]]

    until(lambda: "adam" in tried())


def test_bans_come_and_go(api: httpx.Client) -> None:
    assert told(api.put("/bans/192.0.2.0/24", json={"note": "scans"}))["source"] == "192.0.2.0/24"
    assert [row["source"] for row in told(api.get("/bans"))] == ["192.0.2.0/24"]
    assert api.delete("/bans/192.0.2.0/24").status_code == 204
    assert api.delete("/bans/192.0.2.0/24").status_code == 404
    assert api.put("/bans/nonsense").status_code == 422


def test_a_certificate_is_brought_and_shown(house: ConsoleHouse, api: httpx.Client) -> None:
    import base64

    pair = self_signed(["mail.example.org", "other.example.org"])
    body = {"name": "other", "content": base64.b64encode(pair.chain + pair.key).decode()}
    assert told(api.post("/certificates", json=body))["names"] == ["mail.example.org", "other.example.org"]
    assert "other" in [row["name"] for row in told(api.get("/certificates"))]
    assert api.post("/certificates", json=body | {"content": "AAAA"}).status_code == 422


def test_a_console_that_dies_comes_back_and_mail_goes_on(house: ConsoleHouse) -> None:
    with house.browser() as browser:
        house.sign_in(browser, "adam")
        times = house.running.output.count(" console-ready ")
        os.kill(console_pid(house), signal.SIGKILL)
        assert house.greeting(2525).startswith(b"220")
        house.wait_for_console(times + 1)
        assert told(browser.get("/api/v1/me"))["name"] == "adam"
    assert " console-died " in house.running.output
