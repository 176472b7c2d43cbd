"""All pages of the console, in no order that matters."""

from __future__ import annotations

from typing import Final

from gatepost.console.page import Page
from gatepost.console.pages.administrators import administrators
from gatepost.console.pages.alarms import alarms
from gatepost.console.pages.aliases import aliases
from gatepost.console.pages.attacks import attacks
from gatepost.console.pages.bans import bans
from gatepost.console.pages.certificate_files import certificate_files
from gatepost.console.pages.certificates import certificates
from gatepost.console.pages.changes import changes
from gatepost.console.pages.contained import contained
from gatepost.console.pages.devices import devices
from gatepost.console.pages.directory import directory
from gatepost.console.pages.domains import domains
from gatepost.console.pages.explain import explain
from gatepost.console.pages.group import group
from gatepost.console.pages.groups import groups
from gatepost.console.pages.guard_settings import guard_settings
from gatepost.console.pages.history import history
from gatepost.console.pages.issuers import issuers
from gatepost.console.pages.message import message
from gatepost.console.pages.new_server import new_server
from gatepost.console.pages.overview import overview
from gatepost.console.pages.queues import queues
from gatepost.console.pages.routes import routes
from gatepost.console.pages.senders import limits
from gatepost.console.pages.server import server
from gatepost.console.pages.services import services
from gatepost.console.pages.sessions import sessions, sessions_of
from gatepost.console.pages.settings import settings
from gatepost.console.pages.tracking import session, tracking
from gatepost.console.pages.user import user
from gatepost.console.pages.users import users
from gatepost.console.pages.weaknesses import weaknesses

PAGES: Final[tuple[Page, ...]] = (
    administrators,
    alarms,
    aliases,
    attacks,
    bans,
    certificate_files,
    certificates,
    changes,
    contained,
    devices,
    directory,
    domains,
    explain,
    group,
    groups,
    guard_settings,
    history,
    issuers,
    limits,
    message,
    new_server,
    overview,
    queues,
    routes,
    server,
    services,
    session,
    sessions,
    sessions_of,
    settings,
    tracking,
    user,
    users,
    weaknesses,
)
