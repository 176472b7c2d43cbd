"""Which files each certificate is: `[certificates.NAME]`."""

from __future__ import annotations

from typing import Final

from gatepost.config.schema import Certificate
from gatepost.console.context import Context
from gatepost.console.named import Named, show_named
from gatepost.console.page import page
from gatepost.console.table import heading
from gatepost.console.texts import sections as words
from gatepost.console.working import working


@page("/certificate-files", words.CERTIFICATE_FILES, "certificates")
def certificate_files(context: Context) -> None:
    """A panel for each."""
    with working(context) as bench:
        heading(words.CERTIFICATE_FILES, words.ABOUT_CERTIFICATE_FILES)
        show_named(bench, _CERTIFICATES)


_CERTIFICATES: Final = Named(
    "certificates",
    Certificate,
    words.NO_CERTIFICATE_FILES,
    words.CERTIFICATE_NAME,
    words.CERTIFICATE_HINT,
    words.ADD_CERTIFICATE,
)
