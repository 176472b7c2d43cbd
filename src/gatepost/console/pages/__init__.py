"""All pages of the console, in no order that matters."""

from __future__ import annotations

from typing import Final

from gatepost.console.page import Page
from gatepost.console.pages.administrators import administrators
from gatepost.console.pages.aliases import aliases
from gatepost.console.pages.attacks import attacks
from gatepost.console.pages.bans import bans
from gatepost.console.pages.certificates import certificates
from gatepost.console.pages.changes import changes
from gatepost.console.pages.contained import contained
from gatepost.console.pages.directory import directory
from gatepost.console.pages.explain import explain
from gatepost.console.pages.group import group
from gatepost.console.pages.groups import groups
from gatepost.console.pages.history import history
from gatepost.console.pages.message import message
from gatepost.console.pages.new_server import new_server
from gatepost.console.pages.overview import overview
from gatepost.console.pages.queues import queues
from gatepost.console.pages.server import server
from gatepost.console.pages.sessions import sessions, sessions_of
from gatepost.console.pages.settings import settings
from gatepost.console.pages.tables import domains, routes
from gatepost.console.pages.tracking import session, tracking
from gatepost.console.pages.user import user
from gatepost.console.pages.users import users
from gatepost.console.pages.weaknesses import weaknesses

PAGES: Final[tuple[Page, ...]] = (
    administrators,
    aliases,
    attacks,
    bans,
    certificates,
    changes,
    contained,
    directory,
    domains,
    explain,
    group,
    groups,
    history,
    message,
    new_server,
    overview,
    queues,
    routes,
    server,
    session,
    sessions,
    sessions_of,
    settings,
    tracking,
    user,
    users,
    weaknesses,
)
