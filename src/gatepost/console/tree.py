"""What stands in the tree on the left: the organisation, its servers, its protocols."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from gatepost.config.schema import Settings
from gatepost.console.texts import frame as words


@dataclass(frozen=True, slots=True)
class Node:
    """`path` is the page it leads to. `server`: smtp.NAME or pop3.NAME, which has a menu of its own."""

    key: str
    label: str
    icon: str
    path: str = ""
    children: tuple[Node, ...] = ()
    server: str = ""
    state: str = ""


def tree(
    settings: Settings, states: Mapping[str, str], drafted: Mapping[str, Iterable[str]]
) -> tuple[Node, ...]:
    """The whole tree. `states` says running, paused or stopped of each virtual server.

    `drafted` are names of virtual servers, by protocol, that stand in the draft alone.
    """
    smtp, pop3 = (
        (*_servers(protocol, names, states), *_drafted(protocol, drafted.get(protocol, ())))
        for protocol, names in (("smtp", settings.smtp), ("pop3", settings.pop3))
    )
    return (
        Node("overview", settings.hostname, "o_dns", "/"),
        Node("smtp", words.SMTP, "o_send", "", smtp),
        Node("pop3", words.POP3, "o_mail", "", pop3),
        *_rest(),
    )


def _rest() -> Iterator[Node]:
    yield Node("queues", words.QUEUES, "o_inbox", "/queues")
    yield Node("sessions", words.SESSIONS, "o_lan", "/sessions")
    yield Node("recipients", words.RECIPIENTS, "o_groups", "", (
        Node("users", words.USERS, "o_person", "/users"),
        Node("groups", words.GROUPS, "o_group", "/groups"),
        Node("aliases", words.ALIASES, "o_alternate_email", "/aliases"),
        Node("devices", words.DEVICES, "o_print", "/devices"),
        Node("directory", words.DIRECTORY, "o_account_tree", "/directory"),
    ))  # fmt: skip
    yield Node("guard", words.GUARD, "o_shield", "", (
        Node("attacks", words.ATTACKS, "o_gpp_maybe", "/attacks"),
        Node("bans", words.BANS, "o_block", "/bans"),
        Node("contained", words.CONTAINED, "o_lock", "/contained"),
    ))  # fmt: skip
    yield Node("tracking", words.TRACKING, "o_manage_search", "/tracking")
    yield Node("explain", words.EXPLAIN, "o_help_outline", "/explain")
    yield Node("certificates", words.CERTIFICATES, "o_verified_user", "/certificates")
    yield Node("audit", words.AUDIT, "o_fact_check", "", (
        Node("changes", words.CHANGES, "o_list_alt", "/changes"),
        Node("weaknesses", words.WEAKNESSES, "o_healing", "/weaknesses"),
    ))  # fmt: skip
    yield Node("delivery", words.DELIVERY, "o_local_shipping", "", (
        Node("domains", words.DOMAINS, "o_domain", "/domains"),
        Node("routes", words.ROUTES, "o_alt_route", "/routes"),
    ))  # fmt: skip
    yield Node("settings", words.SETTINGS, "o_settings", "/settings", (
        Node("limits", words.LIMITS, "o_speed", "/limits"),
        Node("guard-settings", words.GUARD_SETTINGS, "o_tune", "/guard-settings"),
        Node("alarms", words.ALARMS, "o_notifications", "/alarms"),
        Node("issuers", words.ISSUERS, "o_token", "/issuers"),
        Node("services", words.SERVICES, "o_miscellaneous_services", "/services"),
    ))  # fmt: skip
    yield Node("administrators", words.ADMINISTRATORS, "o_admin_panel_settings", "/administrators")
    yield Node("history", words.HISTORY, "o_history", "/history")


def _servers(protocol: str, names: Iterable[str], states: Mapping[str, str]) -> Iterator[Node]:
    for name in names:
        full = f"{protocol}.{name}"
        inside = Node(
            f"{full}/sessions", words.SESSIONS, "o_lan", f"/sessions/{protocol}/{quote(name, safe='')}"
        )
        state = states.get(full, "running")
        yield Node(full, name, "", server_path(protocol, name), (inside,), full, state)


def _drafted(protocol: str, names: Iterable[str]) -> Iterator[Node]:
    for name in names:
        yield Node(f"{protocol}.{name}", name, "", server_path(protocol, name), state="draft")


def server_path(protocol: str, name: str) -> str:
    """The page of a virtual server."""
    return f"/servers/{protocol}/{quote(name, safe='')}"
