"""The process is over soon after the daemon that started it, whatever it is doing.

Else it ends by itself, when its link is closed: this is for a thread or a library that will not end.
"""

from __future__ import annotations

import os
import time
from threading import Thread
from typing import Final

_LOOK_SECONDS: Final = 1.0
ALLOWED_SECONDS: Final = 10.0


def hang_on(parent: int, *, allowed_seconds: float = ALLOWED_SECONDS) -> None:
    """From now on the process ends at the latest so long after the process `parent` has.

    A thread does it: the event loop may be what hangs, and signals are heard there.
    """
    Thread(target=_watch, args=(parent, allowed_seconds), name="lifeline", daemon=True).start()


def _watch(parent: int, allowed_seconds: float) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    time.sleep(allowed_seconds)
    os._exit(
        1
    )  # nothing of it is written here: store and spool belong to others, SQLite takes back what is open
