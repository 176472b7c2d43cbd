"""When a deferred message is tried again, and when it is given up (RFC 5321 §4.5.4.1). Pure."""

from __future__ import annotations

from dataclasses import dataclass

_MINUTE = 60.0
_HOUR = 3600.0
# Messages deferred together must not come due together for ever.
_SPREAD = 0.1


@dataclass(frozen=True, slots=True)
class Schedule:
    """The waits between attempts, the last one repeated; all in seconds since the message was accepted."""

    intervals_seconds: tuple[float, ...] = (15 * _MINUTE, 30 * _MINUTE, 60 * _MINUTE, 4 * _HOUR)
    delay_warning_seconds: float = 12 * _HOUR
    give_up_seconds: float = 48 * _HOUR


@dataclass(frozen=True, slots=True)
class Verdict:
    """`retry_at` None: give up. `warning_owed`: the sender is to be told of the delay, once."""

    retry_at: float | None
    warning_owed: bool = False


def after_deferral(
    schedule: Schedule, *, attempts: int, accepted_at: float, now: float, warned: bool, jitter: float
) -> Verdict:
    """What follows the `attempts`-th attempt (1 for the first) that was put off at `now`.

    There is an attempt when the warning comes due and a last one when the time is up, so that neither
    is told without having just been tried. `jitter` is in [0, 1).
    """
    gives_up_at = accepted_at + schedule.give_up_seconds
    if now >= gives_up_at:
        return Verdict(None)
    index = min(max(attempts, 1), len(schedule.intervals_seconds)) - 1
    retry_at = now + schedule.intervals_seconds[index] * (1 + _SPREAD * jitter)
    warns_at = accepted_at + schedule.delay_warning_seconds
    if warned or now >= warns_at:
        return Verdict(min(retry_at, gives_up_at), warning_owed=not warned)
    return Verdict(min(retry_at, warns_at, gives_up_at))
