"""Curves over time, drawn by ECharts as SVG: style.css colours text and lines for light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from nicegui import ui

# Told apart by those who see few colours, and readable on white and on nearly black (Okabe and Ito).
COLOURS: Final = ("#3b82c4", "#e08a00", "#0f9d76", "#cc5f8f", "#8a7bd1", "#b08900", "#5fa8d3", "#8c8c8c")
_FAINT: Final = "rgba(128,128,128,0.25)"


@dataclass(frozen=True, slots=True)
class Curve:
    """`values` one a moment; None where nothing is known."""

    name: str
    values: Sequence[float | None]


def over_time(
    about: str, moments: Sequence[str], curves: Sequence[Curve], *, stacked: bool = False, bars: bool = False
) -> None:
    """The curves. `about` says in words what they show, for those who do not see them."""
    chart = ui.echart(_options(moments, curves, stacked=stacked, bars=bars), renderer="svg")
    chart.classes("gp-chart").props("role=img")
    chart.props["aria-label"] = about


def _options(moments: Sequence[str], curves: Sequence[Curve], *, stacked: bool, bars: bool) -> dict[str, Any]:
    return {
        "color": list(COLOURS),
        "animation": False,
        "aria": {"enabled": False},
        "grid": {"left": 8, "right": 32, "top": 34, "bottom": 4, "containLabel": True},
        "legend": {"top": 0, "left": 0, "itemHeight": 10, "type": "scroll"},
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": {
            "type": "category",
            "data": list(moments),
            "axisTick": {"show": False},
            "axisLine": {"lineStyle": {"color": _FAINT}},
            "axisLabel": {"hideOverlap": True, "alignMinLabel": "left", "alignMaxLabel": "right"},
        },
        "yAxis": {"type": "value", "minInterval": 1, "splitLine": {"lineStyle": {"color": _FAINT}}},
        "series": [_series(curve, stacked=stacked, bars=bars) for curve in curves],
    }


def _series(curve: Curve, *, stacked: bool, bars: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"name": curve.name, "data": list(curve.values), "type": "bar" if bars else "line"}
    if stacked:
        made["stack"] = "all"
    if not bars:
        made |= {"showSymbol": False, "lineStyle": {"width": 2}}
        if stacked:
            made["areaStyle"] = {"opacity": 0.25}
    return made
