"""The tabs of fields: General, Messages, Mailboxes, Delivery."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from gatepost.config.schema import Limits, Pop3Server, Settings, SmtpServer
from gatepost.console.access.writing import Server
from gatepost.console.bench import Bench
from gatepost.console.described import keys_of
from gatepost.console.fields import fields
from gatepost.console.parts import heading
from gatepost.console.texts import servers as words

OF_CONNECTIONS: Final = (
    "connections", "connections_per_peer", "idle_seconds", "command_seconds", "data_seconds",
    "handshake_seconds", "errors_per_session",
)  # fmt: skip


def _model(server: Server) -> type[SmtpServer] | type[Pop3Server]:
    return SmtpServer if server[0] == "smtp" else Pop3Server


def general(bench: Bench, server: Server) -> None:
    """Addresses, limits, logging."""
    model = _model(server)
    heading(words.ADDRESSES)
    fields(bench, model, server, ("listen", "proxies"))
    heading(words.LIMITS)
    fields(bench, model, server, OF_CONNECTIONS)
    heading(words.LOGGING)
    ui.label(words.LOGGING_HELP).classes("gp-quiet q-mb-sm")
    fields(bench, Settings, (), ("log.level", "log.format"))


def messages(bench: Bench, server: Server) -> None:
    """What an SMTP virtual server takes."""
    heading(words.FLOW)
    fields(bench, SmtpServer, server, [key for key in keys_of(Limits) if key not in OF_CONNECTIONS])
    heading(words.CONTENT)
    checks = [key for key in keys_of(SmtpServer) if key.startswith("scan.")]
    fields(bench, SmtpServer, server, (*checks, "block_lists"))


def mailboxes(bench: Bench, server: Server) -> None:
    """What a POP3 virtual server promises."""
    heading(words.MAILBOXES)
    fields(bench, Pop3Server, server, ("login_delay_seconds", "expire_days"))


def delivery(bench: Bench) -> None:
    """Attempts, and where mail goes."""
    heading(words.RETRY)
    ui.label(words.RETRY_HELP).classes("gp-quiet q-mb-sm")
    retry = ("retry.intervals_seconds", "retry.delay_warning_seconds", "retry.give_up_seconds")
    fields(bench, Settings, (), retry)
    heading(words.ROUTES)
    ui.label(words.ROUTES_HELP).classes("gp-quiet")
    with ui.element("div").classes("gp-button-row"):
        ui.link(words.TO_DOMAINS, "/domains")
        ui.link(words.TO_ROUTES, "/routes")
