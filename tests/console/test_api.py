"""The API over a working directory: who may what, how errors are told, what may come twice."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from console.rig import URL, Browser, Rig, run
from gatepost.admin.roles import ACTS, Role
from gatepost.console.doors import PEER_UID
from gatepost.store.tokens import NewToken

API = "/api/v1"


class Program:
    """Asks with a token, or as a user at the Unix socket."""

    def __init__(self, rig: Rig, *, token: str | None = None, uid: int | None = None) -> None:
        self._app: Any = rig.web if uid is None else _at_socket(rig.socket, uid)
        self._headers = {} if token is None else {"authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = self._headers | more.pop("headers", {})

        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url=URL, headers=headers) as client:
                return await client.request(method, API + path, **more)

        return run(one())

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("GET", path, **more)

    def post(self, path: str, body: object = None, *, key: str | None = None) -> httpx.Response:
        headers = {} if key is None else {"idempotency-key": key}
        return self.ask("POST", path, json=body, headers=headers)

    def put(self, path: str, body: object = None, **more: Any) -> httpx.Response:
        return self.ask("PUT", path, json=body, **more)

    def patch(self, path: str, body: object) -> httpx.Response:
        return self.ask("PATCH", path, json=body)

    def delete(self, path: str) -> httpx.Response:
        return self.ask("DELETE", path)


def _at_socket(app: Any, uid: int) -> Any:
    async def behind(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, PEER_UID: uid}, receive, send)

    return behind


def program(rig: Rig, role: str = "administrator", *areas: str, **more: Any) -> Program:
    new = NewToken("test", role, areas or None, **more)
    _, secret = rig.accounts.tokens.add(new, by="test")
    return Program(rig, token=secret.reveal())


def kind(answer: httpx.Response) -> str:
    """What went wrong; every error has the one form."""
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == answer.status_code
    assert told["title"]
    return str(told["type"].removeprefix("urn:gatepost:problem:"))


# who asks


def test_nobody_gets_nothing(rig: Rig) -> None:
    answer = Program(rig).get("/users")
    assert (answer.status_code, kind(answer)) == (401, "no-credentials")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert kind(Program(rig, token="gp_1_2").get("/users")) == "no-credentials"
    assert kind(Program(rig).post("/users", {"nonsense": 1})) == "no-credentials"


def test_root_and_the_service_itself_are_administrators_at_the_socket(rig: Rig) -> None:
    assert Program(rig, uid=os.geteuid()).get("/me").json()["role"] == "administrator"
    assert Program(rig, uid=0).get("/me").json()["via"] == "socket"
    assert kind(Program(rig, uid=12345).get("/me")) == "forbidden"


def test_a_header_makes_nobody_root(rig: Rig) -> None:
    assert (
        kind(Program(rig).get("/me", headers={PEER_UID: "0", "x-forwarded-for": "uid:0"})) == "no-credentials"
    )


@pytest.mark.parametrize("role", ["viewer", "operator", "administrator"])
def test_a_token_may_what_its_role_may(rig: Rig, role: str) -> None:
    asking = program(rig, role)
    may = {act for act in ACTS if Role(role).covers(ACTS[act].least)}
    assert set(asking.get("/me").json()["may"]) == may
    answer = asking.post("/groups", {"name": "Sales"})
    assert (answer.status_code == 201) == (role == "administrator")
    if role != "administrator":
        assert kind(answer) == "forbidden"


def test_a_scope_narrows_a_token(rig: Rig) -> None:
    asking = program(rig, "administrator", "queue")
    assert kind(asking.get("/users")) == "forbidden"
    assert kind(asking.get("/queue")) == "not-running"


def test_a_token_ends(rig: Rig) -> None:
    over = datetime.now(UTC) - timedelta(seconds=1)
    assert kind(program(rig, expires=over).get("/me")) == "no-credentials"


def test_it_shows_when_a_token_was_used(rig: Rig) -> None:
    asking = program(rig)
    asking.get("/me")
    [row] = asking.get("/tokens").json()
    assert row["last_used"] is not None
    assert "secret" not in str(row)


def test_a_dangerous_act_of_a_token_asks_for_nothing_more(rig: Rig) -> None:
    asking = program(rig)
    asking.post("/groups", {"name": "Sales"})
    assert asking.delete("/groups/Sales").status_code == 204


# accounts


def test_users_are_made_changed_and_deleted(rig: Rig) -> None:
    asking = program(rig)
    made = asking.post("/users", {"name": "bob", "password": "three plain words", "full_name": "Bob"})
    assert (made.status_code, made.json()["name"]) == (201, "bob@example.org")
    assert asking.ask("PATCH", "/users/bob", json={"quota_bytes": 5000}).json()["quota_bytes"] == 5000
    assert asking.ask("PATCH", "/users/bob", json={"quota_default": True}).json()["quota_bytes"] is None
    assert asking.put("/users/bob/disabled", {"disabled": True}).json()["disabled"]
    assert asking.put("/users/bob/password", {"password": "four other plain words"}).status_code == 204
    assert asking.get("/users/bob").json()["mailbox"] == {"messages": 0, "size_bytes": 0}
    assert asking.delete("/users/bob").status_code == 204
    assert kind(asking.delete("/users/bob")) == "not-found"
    what = [row["what"] for row in asking.get("/audit").json()["items"]]
    assert what[:6] == [
        "user-delete", "user-passwd", "user-disable", "user-quota", "user-quota", "user-add"
    ]  # fmt: skip


def test_what_cannot_be_is_told_with_a_remedy(rig: Rig) -> None:
    asking = program(rig)
    asking.post("/users", {"name": "bob"})
    assert kind(asking.post("/users", {"name": "bob"})) == "name-taken"
    assert kind(asking.post("/users", {"name": "bob@elsewhere.example"})) == "refused"
    weak = asking.put("/users/bob/password", {"password": "password"})
    assert (kind(weak), weak.status_code) == ("refused", 422)
    assert weak.json()["remedy"]
    assert kind(asking.post("/users", {"name": "x", "unknown": 1})) == "invalid"
    assert (
        kind(asking.ask("POST", "/users", content=b"{", headers={"content-type": "application/json"}))
        == "invalid"
    )


def test_a_list_comes_in_pages(rig: Rig) -> None:
    asking = program(rig)
    for number in range(5):
        asking.post("/users", {"name": f"user{number}"})
    names, after = [], ""
    while after is not None:
        page = asking.get("/users", params={"limit": 2, "after": after}).json()
        names += [row["name"] for row in page["items"]]
        after = page["next"]
    assert names == [f"user{number}@example.org" for number in range(5)]
    found = asking.get("/users", params={"containing": "user3"}).json()["items"]
    assert [row["name"] for row in found] == ["user3@example.org"]


def test_whoever_should_not_relay_does_not_join_by_slip(rig: Rig) -> None:
    asking = program(rig)
    asking.post("/users", {"name": "root"})
    path = "/groups/POP3%20Relay/members/root"
    assert kind(asking.put(path)) == "protected-member"
    assert asking.put(path, {"even_so": True}).status_code == 204
    assert asking.put(path, {"even_so": True}).status_code == 204
    members = asking.get("/groups/POP3%20Relay/members").json()["items"]
    assert members == [{"name": "root@example.org"}]
    assert asking.delete(path).status_code == 204


def test_aliases_and_groups_come_and_go(rig: Rig) -> None:
    asking = program(rig)
    asking.post("/users", {"name": "bob"})
    alias = {"address": "info@example.org", "targets": ["bob@example.org"]}
    assert asking.post("/aliases", alias).status_code == 201
    assert asking.get("/aliases").json()["items"] == [alias | {"outside": False}]
    assert asking.delete("/aliases/info@example.org").status_code == 204
    assert asking.post("/groups", {"name": "Sales"}).json()["relays"] is False
    assert asking.get("/groups/sales").json()["name"] == "Sales"


def test_a_devices_secret_is_shown_once(rig: Rig) -> None:
    asking = program(rig)
    asking.post("/users", {"name": "bob"})
    device = {"label": "Printer", "networks": ["10.0.5.0/24"]}
    made = asking.post("/users/bob/app-passwords", device, key="k")
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert kind(asking.post("/users/bob/app-passwords", device, key="k")) == "done-already"
    listed = asking.get("/users/bob/app-passwords").text
    assert "Printer" in listed
    assert secret not in listed
    path = "/users/bob/app-passwords/Printer"
    moved = asking.patch(path, {"networks": ["10.0.9.31"], "messages_per_minute": 3}).json()
    assert (moved["networks"], moved["limits"]) == (["10.0.9.31/32"], {"messages_per_minute": 3})
    [known] = asking.get("/devices").json()
    assert (known["name"], known["state"]) == ("bob@example.org/Printer", "unused")
    assert asking.delete("/devices/bob@example.org/Printer").status_code == 404
    assert asking.delete(path).status_code == 200
    assert asking.get("/devices").json() == []


# may come twice


def test_a_post_with_a_key_is_done_once(rig: Rig) -> None:
    asking = program(rig)
    first = asking.post("/groups", {"name": "Sales"}, key="one")
    again = asking.post("/groups", {"name": "Sales"}, key="one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert kind(asking.post("/groups", {"name": "Sales"}, key="two")) == "name-taken"
    assert kind(asking.post("/groups", {"name": "Other"}, key="one")) == "key-reused"


def test_the_key_of_one_is_nothing_to_another(rig: Rig) -> None:
    program(rig).post("/groups", {"name": "Sales"}, key="one")
    assert kind(program(rig).post("/groups", {"name": "Sales"}, key="one")) == "name-taken"


def test_a_refusal_is_repeated_but_not_for_lack_of_rights(rig: Rig) -> None:
    asking = program(rig)
    assert kind(asking.post("/aliases", {"address": "x", "targets": ["y"]}, key="a")) == "refused"
    assert asking.post("/aliases", {"address": "x", "targets": ["y"]}, key="a").headers[
        "idempotency-replayed"
    ]
    viewer = program(rig, "viewer")
    assert kind(viewer.post("/groups", {"name": "Sales"}, key="b")) == "forbidden"
    assert "idempotency-replayed" not in viewer.post("/groups", {"name": "Sales"}, key="b").headers


def test_no_secret_of_a_request_or_answer_is_kept(rig: Rig) -> None:
    asking = program(rig)
    asking.post("/users", {"name": "bob", "password": "three plain words"}, key="a")
    token = asking.post("/tokens", {"label": "x"}, key="b").json()["token"]
    kept = b"".join(path.read_bytes() for path in rig.place.state.glob("*.sqlite3*"))
    assert b"three plain words" not in kept
    assert token.encode() not in kept


# the configuration


def test_the_file_is_read_judged_and_compared(rig: Rig) -> None:
    asking = program(rig)
    answer = asking.get("/config")
    text = answer.json()["text"]
    assert answer.headers["etag"] == f'"{answer.json()["digest"]}"'
    assert asking.post("/config/check", {"text": text}).json()["safe"]
    wrong = asking.post("/config/check", {"text": text.replace('tls    = "offer"', 'tls    = "perhaps"')})
    assert kind(wrong) == "invalid-configuration"
    assert wrong.json()["faults"][0]["key"] == "smtp.internet.tls"
    opened = text.replace('allow = ["connect", "submit"], to', 'allow = ["connect", "submit", "relay"], to')
    judged = asking.post("/config/check", {"text": opened}).json()
    assert (judged["valid"], judged["safe"]) == (True, False)
    said = asking.post("/config/diff", {"text": opened}).json()["changes"]
    assert any("could not relay" in one["text"] for one in said if one["about_relay"])


def test_an_open_relay_is_not_applied(rig: Rig) -> None:
    asking = program(rig)
    now = asking.get("/config")
    opened = now.json()["text"].replace('["connect", "submit"], to', '["connect", "submit", "relay"], to')
    answer = asking.put("/config", {"text": opened}, headers={"if-match": now.headers["etag"]})
    assert (kind(answer), answer.status_code) == ("unsafe-configuration", 422)
    assert rig.office.house.file.read_text() == now.json()["text"]


def test_without_a_daemon_nothing_is_changed(rig: Rig) -> None:
    asking = program(rig)
    now = asking.get("/config")
    text = now.json()["text"] + "\n# a remark\n"
    assert kind(asking.put("/config", {"text": text})) == "refused"
    assert asking.put("/config", {"text": text}).status_code == 428
    answer = asking.put("/config", {"text": text}, headers={"if-match": now.headers["etag"]})
    assert kind(answer) == "not-running"
    assert rig.office.house.file.read_text() == now.json()["text"]
    stale = asking.put("/config", {"text": text}, headers={"if-match": '"other"'})
    assert (kind(stale), stale.status_code) == ("changed-meanwhile", 412)


def test_a_virtual_server_is_renamed_where_that_is_possible(rig: Rig) -> None:
    asking = program(rig)
    now = asking.get("/config")

    def renamed(server: str, name: str, etag: str = now.headers["etag"]) -> httpx.Response:
        body = {"server": server, "name": name}
        return asking.ask("POST", "/config/rename-server", json=body, headers={"if-match": etag})

    assert renamed("smtp.submission", "internet").status_code == 409
    assert renamed("smtp.nobody", "clients").status_code == 409
    assert renamed("smtp.submission", "a name").status_code == 422
    assert renamed("smtp.submission", "clients", '"other"').status_code == 412
    assert kind(renamed("smtp.submission", "clients")) == "not-running"
    assert rig.office.house.file.read_text() == now.json()["text"]


def test_keys_and_entries_are_changed_as_at_the_command_line(rig: Rig) -> None:
    asking = program(rig)
    now = asking.get("/config")

    def change(*changes: object, etag: str = now.headers["etag"]) -> httpx.Response:
        return asking.ask("PATCH", "/config", json={"changes": changes}, headers={"if-match": etag})

    grant = {"allow": ["relay"], "server": "submission", "to": "group:Sales", "from": ["10.0.0.0/8"]}
    assert kind(change({"set": "log.level", "value": "warning"}, grant)) == "not-running"
    assert kind(change({"set": "smtp.submission.tls", "value": "perhaps"})) == "invalid-configuration"
    opened = {"allow": ["connect", "submit", "relay"], "server": "internet", "to": "anyone"}
    assert kind(change(opened)) == "unsafe-configuration"
    for wrong in (
        {"set": "log..level", "value": 1}, {"set": "log.level"}, {"unset": "log.nothing"}, {},
        {"allow": ["relay"]}, {"unset": "log", "set": "log", "value": 1},
        {"deny": ["relay"], "server": "nobody", "to": "anyone"},
        {"set": "hostname.x", "value": "y"},
    ):  # fmt: skip
        answer = change(wrong)
        assert (kind(answer), answer.status_code) == ("refused", 422), wrong
    assert change({"unset": "log"}, etag='"other"').status_code == 412
    assert rig.office.house.file.read_text() == now.json()["text"]
    assert kind(program(rig, "operator").ask("PATCH", "/config", json={"changes": [grant]})) in (
        "forbidden",
        "refused",
    )


def test_what_is_weak_is_said_and_mailboxes_are_listed(rig: Rig) -> None:
    rig.accounts.users.add("bob@example.org", domains=["example.org"], by="test")
    found = program(rig, "viewer").get("/weaknesses").json()
    assert {"counts", "weaknesses", "relayers"} <= set(found)
    assert {"severity", "text", "why", "remedy"} <= set(found["weaknesses"][0])
    assert program(rig, "viewer", "queue").get("/weaknesses").status_code == 403
    boxes = program(rig, "viewer").get("/mailboxes").json()
    assert boxes == {"items": [], "next": None}
    one = program(rig, "viewer").get("/mailboxes/bob").json()
    assert (one["account"], one["messages"], one["oldest"]) == ("bob@example.org", 0, None)
    assert kind(program(rig).get("/mailboxes/nobody")) == "not-found"
    assert program(rig).get("/issuers/test").json() == []
    assert program(rig).get("/app-passwords").json() == []


# administrators


def test_administrators_are_invited_and_the_last_one_stays(rig: Rig) -> None:
    rig.add("ann")
    asking = program(rig)
    made = asking.post("/administrators", {"name": "bob", "role": "viewer"})
    assert "/invitation/" in made.json()["link"]
    assert asking.put("/administrators/bob/role", {"role": "operator"}).json()["role"] == "operator"
    assert kind(asking.delete("/administrators/ann")) == "last-administrator"
    assert asking.delete("/administrators/bob").status_code == 204
    assert "/invitation/" not in asking.get("/audit").text


# what is not running, and the document


def test_tokens_go_with_whoever_made_them(rig: Rig) -> None:
    rig.add("ann")
    rig.add("bob")

    def made(asking: Program, role: str) -> Program:
        answer = asking.post("/tokens", {"label": "a _ b", "role": role})
        return Program(rig, token=answer.json()["token"])

    _, secret = rig.accounts.tokens.add(NewToken("first", "administrator"), by="bob")
    first = Program(rig, token=secret.reveal())
    viewing, second = made(first, "viewer"), made(first, "administrator")
    third = made(second, "operator")
    assert [one.get("/me").status_code for one in (first, viewing, second, third)] == [200] * 4
    rig.accounts.administrators.set_role("bob", "viewer", by="ann")
    assert [one.get("/me").status_code for one in (first, viewing, second, third)] == [401, 200, 401, 401]
    rig.accounts.administrators.remove("bob", by="ann")
    assert viewing.get("/me").status_code == 401
    assert rig.accounts.tokens.all() == []


def test_what_needs_the_daemon_says_so(rig: Rig) -> None:
    for path in ("/status", "/servers", "/sessions", "/queue", "/contained", "/metrics"):
        assert kind(program(rig).get(path)) == "not-running", path


def test_explanations_need_no_daemon(rig: Rig) -> None:
    case = {"server": "submission", "peer": "192.0.2.7", "rcpt": "you@elsewhere.example", "tls": True}
    answer = program(rig).get("/explain", params=case).json()
    assert (answer["allowed"], answer["reason"]) == (False, "auth-required")
    assert program(rig).get("/servers/submission/relayers").status_code == 200
    assert kind(program(rig).get("/servers/nothing/relayers")) == "not-found"


def test_every_operation_is_described_with_an_example(rig: Rig) -> None:
    document = rig.browser().get(f"{API}/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["description"], where
            good = next(answer for code, answer in operation["responses"].items() if code.startswith("2"))
            content = good.get("content", {}).get("application/json", {})
            assert "content" not in good or "example" in content or path == "/metrics", where
            if method == "post":
                assert "Idempotency-Key" in [one["name"] for one in operation["parameters"]], where


def test_the_browser_uses_it_with_its_session(rig: Rig) -> None:
    rig.add("ann", "operator")
    browser: Browser = rig.browser()
    browser.sign_in("ann")
    assert browser.get(f"{API}/me").json()["via"] == "console"
