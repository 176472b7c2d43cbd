"""A field for a file that is brought from the reader's machine."""

from __future__ import annotations

from typing import Final

from nicegui import events, ui

from gatepost.console.acting import say_refused
from gatepost.console.texts import looking as words

_MOST_BYTES: Final = 1_000_000
# Quasar's button has a picture, no name, and the field for the file inside it: the field itself is used.
_NAMED: Final = """document.querySelectorAll('.gp-upload').forEach(one => {
  const button = one.querySelector('a.q-btn'), field = one.querySelector('input[type=file]');
  if (!button || !field) return;
  button.removeAttribute('role');
  button.removeAttribute('tabindex');
  field.tabIndex = 0;
  field.setAttribute('aria-label', one.querySelector('.q-uploader__title').textContent);
})"""


class ChosenFile:
    """A field for one file; its content is here as soon as it was chosen."""

    def __init__(self, label: str) -> None:
        self.content: bytes | None = None
        field = ui.upload(label=label, max_files=1, auto_upload=True, max_file_size=_MOST_BYTES)
        field.on_upload(self._take)
        field.on_rejected(lambda: say_refused(words.TOO_LARGE))
        field.props("flat bordered").classes("gp-upload")
        ui.timer(0.3, lambda: ui.run_javascript(_NAMED), once=True)

    async def _take(self, event: events.UploadEventArguments) -> None:
        self.content = await event.file.read()
