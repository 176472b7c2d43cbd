"""What is said around acts."""

from __future__ import annotations

from typing import Final

CLOSE: Final = "Close"
CANCEL: Final = "Cancel"
AGAIN_TITLE: Final = "Once more, who are you?"
AGAIN: Final = (
    "This is dangerous, and you signed in a while ago. Your password is asked for once more; "
    "what you have changed here is kept."
)
GO_AGAIN: Final = "Sign in again"
