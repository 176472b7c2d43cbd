"""The curves of the first page: messages, refusals by reason, the queue and its age."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from nicegui import ui

from gatepost.admin.overview import Step, total
from gatepost.console.charts import Curve, over_time
from gatepost.console.context import Context
from gatepost.console.saying import span
from gatepost.console.table import Text, section
from gatepost.console.texts import overview as words

_REASONS: Final = 6  # more could not be told apart by their colours


def curves(context: Context, found: Sequence[Step], period: str) -> None:
    """All four, two beside each other where there is room."""
    moments = [context.local_time(step.begins)[5:16] for step in found]
    with ui.element("div").classes("gp-columns"):
        with ui.element("div"):
            _messages(found, moments, period)
        with ui.element("div"):
            _refusals(found, moments, period)
        with ui.element("div"):
            _queue(found, moments, period)
        with ui.element("div"):
            _age(found, moments, period)


def _messages(found: Sequence[Step], moments: Sequence[str], period: str) -> None:
    section(words.MESSAGES_CHART)
    out = total(found, "out")
    over_time(
        words.MESSAGES_SAYS.format(
            period=period, in_=f"{total(found, 'in')['']:,}",
            out=f"{out['relayed'] + out['delivered']:,}", deferred=f"{out['deferred']:,}",
            failed=f"{out['failed']:,}",
        ),
        moments,
        [
            Curve(words.CURVE_IN, [step.counts["in"] for step in found]),
            *(
                Curve(name, [step.counts[f"out {word}"] for step in found])
                for word, name in words.CURVES_OUT.items()
            ),
        ],
    )  # fmt: skip


def _refusals(found: Sequence[Step], moments: Sequence[str], period: str) -> None:
    section(words.REFUSALS_CHART)
    reasons = total(found, "refused")
    if not reasons:
        Text("p", words.NO_REFUSALS.format(period=period), "gp-quiet")
        return
    often = [reason for reason, _ in reasons.most_common(_REASONS)]
    rows = [Curve(reason, [step.counts[f"refused {reason}"] for step in found]) for reason in often]
    if len(reasons) > len(often):
        rows.append(Curve(words.OTHERS, [_others(step.counts, often) for step in found]))
    said = ", ".join(f"{reason} {number:,}" for reason, number in reasons.most_common(_REASONS))
    over_time(words.REFUSALS_SAYS.format(period=period, reasons=said), moments, rows, stacked=True, bars=True)


def _others(counts: Counter[str], often: Sequence[str]) -> int:
    told = {f"refused {reason}" for reason in often}
    return sum(n for name, n in counts.items() if name.startswith("refused ") and name not in told)


def _queue(found: Sequence[Step], moments: Sequence[str], period: str) -> None:
    section(words.QUEUE_CHART)
    most = max((sum(step.levels.get(word, 0) for word in words.CURVES_QUEUE) for step in found), default=0)
    over_time(
        words.QUEUE_SAYS.format(period=period, most=f"{most:,.0f}"),
        moments,
        [Curve(name, [step.levels.get(word) for step in found]) for word, name in words.CURVES_QUEUE.items()],
        stacked=True,
    )


def _age(found: Sequence[Step], moments: Sequence[str], period: str) -> None:
    section(words.AGE_CHART)
    seconds = [step.levels.get("oldest") for step in found]
    most = max((one for one in seconds if one is not None), default=0.0)
    minutes = [None if one is None else round(one / 60, 1) for one in seconds]
    over_time(
        words.AGE_SAYS.format(period=period, most=span(most)),
        moments,
        [Curve(words.AGE_CHART.partition(",")[0], minutes)],
    )
