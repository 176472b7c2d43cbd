"""The reader's time zone: a cookie that his browser writes, for it alone knows the zone."""

from __future__ import annotations

import base64
import hashlib
from typing import Final
from urllib.parse import unquote

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from gatepost.console.context import is_zone
from gatepost.console.texts import frame as words

_COOKIE: Final = "gatepost_zone"
_YEAR_SECONDS: Final = 31_536_000
KEEP_ZONE: Final = f"""
(() => {{
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
  if (!document.cookie.includes('{_COOKIE}=' + encodeURIComponent(zone)))
    document.cookie = '{_COOKIE}=' + encodeURIComponent(zone) +
      '; path=/; max-age={_YEAR_SECONDS}; samesite=strict';
}})();
"""
"""Runs in every page: who travels has the new zone from the next page on."""
# Not reload(): after a link from elsewhere that would be answered without the cookie again.
_SCRIPT: Final = (
    f"{KEEP_ZONE}if (document.cookie.includes('{_COOKIE}=')) "
    "location.replace(location.pathname + location.search);"
)
_HASH: Final = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
_PAGE: Final = (
    f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{words.PRODUCT}</title>'
    f"<p>{words.NEEDS_SCRIPT}</p><script>{_SCRIPT}</script></html>"
)


def zone_of(request: Request) -> str | None:
    """Its IANA name, UTC when it is none that is known here; None before the browser was asked."""
    said = request.cookies.get(_COOKIE)
    if said is None:
        return None
    said = unquote(said)
    return said if is_zone(said) else "UTC"


def asked_for_zone() -> Response:
    """The browser says its zone and comes back at once."""
    policy = f"default-src 'none'; script-src 'sha256-{_HASH}'; frame-ancestors 'none'; base-uri 'none'"
    return HTMLResponse(_PAGE, headers={"content-security-policy": policy})
