"""What the command line does the API does: every verb has its route, or a reason to have none."""

from __future__ import annotations

import typer.main

from console.rig import Rig
from gatepost.cli.main import app
from test_docs import commands

AT_THE_MACHINE = {
    "gatepost init": "there is no house yet",
    "gatepost run": "it is what serves",
    "gatepost install-service": "writes a unit for the machine",
    "gatepost import exchange": "makes a file of other files, before there is a house",
    "gatepost admin first": "whoever has the files makes the first administrator",
    "gatepost mailbox import": "other people's mail stays at the machine",
    "gatepost mailbox export": "other people's mail stays at the machine",
    "gatepost acme run": "the daemon does it by itself",
}
ROUTES = {
    "gatepost check": "POST /config/check",
    "gatepost status": "GET /status",
    "gatepost reload": "POST /config/reload",
    "gatepost start": "PUT /servers/{name}/state",
    "gatepost stop": "PUT /servers/{name}/state",
    "gatepost pause": "PUT /servers/{name}/state",
    "gatepost sessions": "GET /sessions",
    "gatepost selftest": "POST /selftest",
    "gatepost explain": "GET /explain",
    "gatepost trace": "GET /tracking",
    "gatepost attacks": "GET /attacks",
    "gatepost ban": "PUT /bans/{source}",
    "gatepost pardon": "DELETE /bans/{source}",
    "gatepost contain": "PUT /contained/{user}",
    "gatepost release": "DELETE /contained/{user}",
    "gatepost devices": "GET /devices",
    "gatepost audit": "GET /weaknesses",
    "gatepost config history": "GET /config/history",
    "gatepost config show": "GET /config/history/{generation}",
    "gatepost config undo": "POST /config/undo",
    "gatepost config set": "PATCH /config",
    "gatepost config unset": "PATCH /config",
    "gatepost config allow": "PATCH /config",
    "gatepost config deny": "PATCH /config",
    "gatepost config rename-server": "POST /config/rename-server",
    "gatepost alarm test": "POST /alarms/test",
    "gatepost user app-password": "POST /users/{name}/app-passwords",
    "gatepost user add": "POST /users",
    "gatepost user passwd": "PUT /users/{name}/password",
    "gatepost user disable": "PUT /users/{name}/disabled",
    "gatepost user enable": "PUT /users/{name}/disabled",
    "gatepost user quota": "PATCH /users/{name}",
    "gatepost user delete": "DELETE /users/{name}",
    "gatepost user list": "GET /users",
    "gatepost user show": "GET /users/{name}",
    "gatepost group add": "POST /groups",
    "gatepost group delete": "DELETE /groups/{name}",
    "gatepost group join": "PUT /groups/{name}/members/{member}",
    "gatepost group leave": "DELETE /groups/{name}/members/{member}",
    "gatepost group list": "GET /groups",
    "gatepost group show": "GET /groups/{name}",
    "gatepost alias add": "POST /aliases",
    "gatepost alias delete": "DELETE /aliases/{address}",
    "gatepost alias list": "GET /aliases",
    "gatepost mailbox list": "GET /mailboxes",
    "gatepost mailbox show": "GET /mailboxes/{name}",
    "gatepost directory test": "GET /directories/test",
    "gatepost oauth test": "GET /issuers/test",
    "gatepost cert self-signed": "POST /certificates/self-signed",
    "gatepost cert show": "GET /certificates",
    "gatepost cert import": "POST /certificates",
    "gatepost admin add": "POST /administrators",
    "gatepost admin reset": "POST /administrators/{name}/reset",
    "gatepost admin role": "PUT /administrators/{name}/role",
    "gatepost admin remove": "DELETE /administrators/{name}",
    "gatepost admin list": "GET /administrators",
    "gatepost token add": "POST /tokens",
    "gatepost token list": "GET /tokens",
    "gatepost token revoke": "DELETE /tokens/{token}",
    "gatepost queue list": "GET /queue",
    "gatepost queue show": "GET /queue/{queue_id}",
    "gatepost queue retry": "POST /queue/orders/{verb}",
    "gatepost queue hold": "POST /queue/orders/{verb}",
    "gatepost queue release": "POST /queue/orders/{verb}",
    "gatepost queue bounce": "POST /queue/orders/{verb}",
    "gatepost queue delete": "POST /queue/orders/{verb}",
}


def test_every_verb_has_its_route_or_a_reason(rig: Rig) -> None:
    verbs = set(commands(typer.main.get_command(app())))
    assert verbs == {*ROUTES, *AT_THE_MACHINE}
    paths = rig.browser().get("/api/v1/openapi.json").json()["paths"]
    there = {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}
    assert set(ROUTES.values()) <= there
