"""Virtual servers: their menu and their property sheets."""

from __future__ import annotations

from typing import Final

MENU_OF: Final = "Menu of {server}"
START: Final = "Start"
STOP: Final = "Stop"
PAUSE: Final = "Pause"
PROPERTIES: Final = "Properties"
NEW: Final = "New virtual server..."
SWITCHING: Final = {
    "start": "{server} is being started",
    "stop": "{server} is being stopped",
    "pause": "{server} is being paused",
}
