"""Issuers of tokens: `[oauth.NAME]`, each step to each tried from its dialog."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from nicegui.element import Element

from gatepost.admin.oauth import steps
from gatepost.admin.silence import silent_log
from gatepost.config.oauth import OAuth
from gatepost.console.candidate import Candidate
from gatepost.console.context import Context
from gatepost.console.named import Named, show_named
from gatepost.console.page import page
from gatepost.console.section import Trying
from gatepost.console.steps import Step, show_steps
from gatepost.console.table import heading
from gatepost.console.texts import sections as words
from gatepost.console.working import working


@page("/issuers", words.OAUTH, "issuers")
def issuers(context: Context) -> None:
    """A panel for each."""
    with working(context) as bench:
        heading(words.OAUTH, words.ABOUT_OAUTH)
        show_named(bench, _ISSUERS)


def _trying(name: str) -> Trying:
    async def trying(candidate: Candidate, place: Element) -> None:
        candidate.context.actor.require("config-apply")  # our client secret goes to whatever issuer is named
        settings = (await candidate.preview()).settings
        assert settings is not None  # it was asked before
        only = settings.model_copy(update={"oauth": {name: settings.oauth[name]}})

        async def each() -> AsyncIterator[tuple[str, Step]]:
            with silent_log() as log:
                async for step in steps(only, log):
                    yield step.issuer, step

        await show_steps(place, each())

    return trying


_ISSUERS: Final = Named(
    "oauth",
    OAuth,
    words.NO_OAUTH,
    words.OAUTH_NAME,
    words.OAUTH_HINT,
    words.ADD_OAUTH,
    trying=_trying,
)
