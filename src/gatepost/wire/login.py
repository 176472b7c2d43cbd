"""LOGIN (draft-murchison-sasl-login-00), both sides: no standard, but all that old devices know. Pure."""

from __future__ import annotations

from typing import Final

from gatepost.secret import Secret
from gatepost.wire.sasl import Challenge, Credentials, SaslError, SaslFault, Step, text_of

# Not free to choose: the firmware of old Xerox devices compares them letter by letter
# (VXNlcm5hbWU6 and UGFzc3dvcmQ6 on the line).
_NAME_PROMPT: Final = Challenge(b"Username:")
_PASSWORD_PROMPT: Final = Challenge(b"Password:")


class LoginServer:
    """Asks for the name, unless the command brought it, then for the password."""

    __slots__ = ("_name",)

    def __init__(self) -> None:
        self._name: str | None = None

    def step(self, response: bytes | None) -> Step:
        """The next prompt, then credentials.

        Raises:
            SaslError: an empty name, or no text.
        """
        if response is None:
            return _NAME_PROMPT
        if self._name is None:
            name = text_of(response, "name")
            if not name:
                raise SaslError(SaslFault.MALFORMED, "an empty name")
            self._name = name
            return _PASSWORD_PROMPT
        return Credentials("", self._name, Secret(text_of(response, "password")))


class LoginClient:
    """Says name, then password, whatever the prompts are: only inside TLS."""

    __slots__ = ("_answers",)

    name = "LOGIN"

    def __init__(self, name: str, password: Secret) -> None:
        self._answers = [password, Secret(name)]

    def start(self) -> None:
        """Waits for the prompt: not every server takes the name with the command."""
        return

    def step(self, challenge: bytes) -> bytes:
        """The next answer.

        Raises:
            SaslError: a third question, or an empty name or password.
        """
        if not self._answers or not self._answers[-1]:
            raise SaslError(SaslFault.MALFORMED, "LOGIN has a name and a password, no more and no less")
        return self._answers.pop().reveal().encode()

    def finish(self) -> None:
        """Nothing is owed."""
