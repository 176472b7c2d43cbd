"""What is said around acts."""

from __future__ import annotations

from typing import Final

CLOSE: Final = "Close"
AGAIN: Final = "This is dangerous, and you signed in a while ago. Say once more who you are."
GO_AGAIN: Final = "Sign in again"
