"""What is around every page: header, tree, skip link, theme; and how pages become routes.

Quasar's own classes and those of style.css dress the elements; Tailwind is not loaded.
All HTML comes from NiceGUI's elements, which escape text: what a peer said goes into labels.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from nicegui import ui

from gatepost.admin.link import NotRunning, Refused
from gatepost.config.load import ConfigError
from gatepost.config.schema import Settings
from gatepost.console.context import Context
from gatepost.console.drafts import Drafts
from gatepost.console.office import Office
from gatepost.console.page import Page
from gatepost.console.server_menu import server_menu
from gatepost.console.texts import frame as words
from gatepost.console.texts.pages import FILE_BROKEN
from gatepost.console.tree import Node, tree
from gatepost.console.visitor import VISITOR, SignedOut
from gatepost.console.zone import KEEP_ZONE, asked_for_zone, zone_of

_STYLE: Final = files("gatepost.console").joinpath("style.css").read_text("utf-8")
_YEAR_SECONDS: Final = 31_536_000
SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"
ACCOUNT: Final = "/account"
_SCRIPT: Final = f"""{KEEP_ZONE}
(() => {{
  const reveal = tries => {{
    const chosen = document.querySelector('.gp-tree [aria-current=page]');
    const tree = chosen?.closest('.q-drawer__content');
    if (!tree?.clientHeight) return tries && setTimeout(reveal, 50, tries - 1);
    const [one, all] = [chosen.getBoundingClientRect(), tree.getBoundingClientRect()];
    if (one.top < all.top || one.bottom > all.bottom)
      tree.scrollTop += one.top - all.top - (all.height - one.height) / 2;
  }};
  reveal(200);
}})();
window.gatepostTheme = dark => document.cookie =
  `gatepost_theme=${{dark ? 'dark' : 'light'}}; path=/; max-age={_YEAR_SECONDS}; samesite=strict`;
"""


def route(page: Page, office: Office, drafts: Drafts) -> None:
    """The page answers at its address, for whoever is signed in."""

    async def shown(request: Request) -> Response | None:
        visitor = request.scope.get(VISITOR)
        if visitor is None:
            return RedirectResponse(SIGN_IN, 303)
        zone = zone_of(request)
        if zone is None:
            return asked_for_zone()
        context = Context(
            office.house,
            visitor,
            drafts,
            zone=zone,
            parameters={key: str(value) for key, value in request.path_params.items()},
            query=dict(request.query_params),
        )
        try:
            states, answers = await _states(context)
            _dress(request)
            with _around(context, page, states, answers=answers):
                await _built(page, context)
        except SignedOut:
            return RedirectResponse(SIGN_IN, 303)
        return None

    ui.page(page.path, title=f"{page.title} - {words.PRODUCT}", response_timeout=30)(shown)


async def _built(page: Page, context: Context) -> None:
    """The page is filled, or says what is wrong with the file."""
    try:
        made = page.build(context)
        if inspect.isawaitable(made):
            await made
    except ConfigError as error:
        ui.label(FILE_BROKEN).classes("gp-note bad text-weight-bold").props("role=alert")
        for fault in error.faults:
            ui.label(str(fault)).classes("gp-mono gp-break")


async def _states(context: Context) -> tuple[dict[str, str], bool]:
    """What each virtual server does, and whether the daemon answered."""
    try:
        said = await context.house.ask("status")
    except (NotRunning, Refused):
        return {}, False
    return dict(said["states"]), True


def _dress(request: Request) -> None:
    theme = request.cookies.get("gatepost_theme")
    ui.add_head_html(f"<style>{_STYLE}</style><script>{_SCRIPT}</script>")
    ui.colors(primary="#0a58ca", secondary="#17324d", positive="#1a6e34", negative="#b3261e")
    ui.dark_mode({"dark": True, "light": False}.get(theme or ""))


@contextmanager
def _around(context: Context, page: Page, states: dict[str, str], *, answers: bool) -> Iterator[None]:
    with (
        ui.left_drawer(value=None).props("width=252 breakpoint=1000").classes("gp-drawer q-pa-none") as drawer
    ):
        _navigation(context, page, states)
    _header(context, drawer.toggle)
    with ui.element("div").classes("gp-page").props('id="content" tabindex="-1"'):
        if not answers:
            ui.label(words.NOT_RUNNING).classes("gp-note warn").props("role=status")
        yield
    if said := context.drafts.said(context.visitor.key):
        ui.notification(said, type="positive", position="bottom", timeout=6)


def _header(context: Context, toggle: Callable[[], object]) -> None:
    actor = context.actor
    with ui.header().classes("gp-header items-center no-wrap q-px-md q-py-sm"):
        with ui.element("a").classes("gp-skip").props('href="#content"'):
            ui.label(words.SKIP)
        ui.button(icon="menu", on_click=toggle).props(
            f'flat dense round color=white aria-label="{words.OPEN_NAVIGATION}"'
        )
        ui.link(words.PRODUCT, "/").classes("text-weight-bold text-subtitle1").style("text-decoration: none")
        ui.space()
        with ui.element("div").classes("gp-who"):
            ui.link(actor.name, ACCOUNT).props["title"] = words.YOUR_SIGN_IN
            ui.label(words.ROLES[actor.role.value]).style("font-size: 12px; opacity: .85")
        _own_button()
        _theme_button()
        with ui.element("form").props(f'method=post action="{SIGN_OUT}"'):
            leave = ui.button(icon="o_logout").props("flat dense round color=white type=submit")
            leave.props(f'aria-label="{words.SIGN_OUT}" title="{words.SIGN_OUT}"')


def _own_button() -> None:
    button = ui.button(icon="o_manage_accounts", on_click=lambda: ui.navigate.to(ACCOUNT))
    button.props(f'flat dense round color=white aria-label="{words.ACCOUNT}" title="{words.ACCOUNT}"')


def _theme_button() -> None:
    button = ui.button(icon="o_contrast").props(
        f'flat dense round color=white aria-label="{words.THEME}" title="{words.THEME}"'
    )
    button.on(
        "click",
        js_handler="() => { Quasar.Dark.toggle(); window.gatepostTheme(Quasar.Dark.isActive); }",
    )


def _navigation(context: Context, page: Page, states: dict[str, str]) -> None:
    chosen = page.node.format_map(context.parameters)
    try:
        settings = context.house.settings()
        nodes = tree(settings, states, _drafted(context, settings))
    except (ConfigError, OSError):
        nodes = ()
    with ui.element("nav").classes("gp-tree").props(f'aria-label="{words.NAVIGATION}"'):
        _list(context, nodes, chosen)


def _drafted(context: Context, settings: Settings) -> dict[str, list[str]]:
    """Virtual servers that whoever looks has made and not applied."""
    work = context.drafts.begun(context.visitor.key)
    if work is None:
        return {}
    draft = work.draft()
    found = {}
    for protocol, there in (("smtp", settings.smtp), ("pop3", settings.pop3)):
        names = draft.value((protocol,)) or {}
        found[protocol] = [name for name in names if name not in there]
    return found


def _list(context: Context, nodes: tuple[Node, ...], chosen: str) -> None:
    with ui.element("ul"):
        for node in nodes:
            with ui.element("li").classes("gp-server" if node.server else ""):
                _node(context, node, current=node.key == chosen)
                if node.server:
                    server_menu(context, node.server, node.state)
                if node.children:
                    _list(context, node.children, chosen)


def _node(context: Context, node: Node, *, current: bool) -> None:
    if not node.path:
        with ui.element("div").classes("gp-branch"):
            ui.icon(node.icon, size="18px").props("aria-hidden=true")
            ui.label(node.label)
        return
    with ui.element("a").props(f'href="{node.path}"' + (" aria-current=page" if current else "")):
        if node.icon:
            ui.icon(node.icon, size="18px").props("aria-hidden=true")
        else:
            ui.element("span").classes(f"gp-dot {node.state}").props("aria-hidden=true")
        ui.label(node.label).classes("ellipsis")
        if node.state not in ("", "running"):
            ui.label(f"({words.STATES[node.state]})").classes("gp-quiet")
