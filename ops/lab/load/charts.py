"""Draw figures of a load test over time, and percentiles as a curve, as SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from ops.lab.load.markup import node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from xml.etree.ElementTree import Element

WIDTH: Final = 760
HEIGHT: Final = 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 14, 12, 34
_TICKS: Final = 5
_LETTER_WIDTH: Final = 6.5
"""About how wide a letter of a phase's name is."""
FAULT_WIDTH_MIN: Final = 1.5
"""A process is killed in no time at all."""
CURVE_TICKS: Final = (0, 50, 75, 90, 95, 99, 99.9)
_CURVE_END: Final = 3.3
"""Where the curve ends that has no end: 99.95 %."""


@dataclass(frozen=True, slots=True)
class ChartLine:
    """A line of a chart: its name, and a place and a value for each point; None leaves a gap."""

    name: str
    points: Sequence[tuple[float, float | None]]


@dataclass(frozen=True, slots=True)
class ChartBand:
    """A stretch of the x axis with a name: a phase, or a fault, several of which may lie over each other."""

    name: str
    begin: float
    end: float
    is_fault: bool = False


def time_chart(title: str, unit: str, lines: Sequence[ChartLine], bands: Sequence[ChartBand]) -> Element:
    """Return a chart over the seconds of a run."""
    end = max([*(x for line in lines for x, _ in line.points), *(band.end for band in bands)], default=1) or 1
    ticks = [(tick / end, f"{tick:g} s") for tick in nice_ticks(end)]
    return _chart(title, unit, lines, ticks=ticks, place=lambda x: x / end, bands=bands)


def percentile_chart(title: str, unit: str, lines: Sequence[ChartLine]) -> Element:
    """Return a chart over percents of messages, which gives the slowest of them the room they need."""
    ticks = [(_percent_place(percent), f"{percent:g} %") for percent in CURVE_TICKS]
    return _chart(title, unit, lines, ticks=ticks, place=_percent_place)


def nice_ticks(most: float) -> list[float]:
    """Return round numbers from 0 up to `most`, at a step of 1, 2 or 5 times a power of ten."""
    if most <= 0:
        return [0.0]
    power = 10 ** math.floor(math.log10(most / _TICKS))
    step = next(power * factor for factor in (1, 2, 5, 10) if most / (power * factor) <= _TICKS)
    return [step * number for number in range(math.floor(most / step + 1e-9) + 1)]


def _percent_place(percent: float) -> float:
    return 1.0 if percent >= 100 else min(1.0, -math.log10(1 - percent / 100) / _CURVE_END)  # noqa: PLR2004 - percent


def _chart(
    title: str,
    unit: str,
    lines: Sequence[ChartLine],
    *,
    ticks: Iterable[tuple[float, str]],
    place: Callable[[float], float],
    bands: Sequence[ChartBand] = (),
) -> Element:
    most = max([value for line in lines for _, value in line.points if value is not None], default=0) or 1
    heights = nice_ticks(most * 1.05)
    picture = node("svg", node("title", title), viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img")
    for number, band in enumerate(bands):
        picture.extend(_band(band, number, place))
    for height in heights:
        y = _down(height / (most * 1.05))
        picture.append(node("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="grid"))
        picture.append(node("text", f"{height:,g}", x=_LEFT - 6, y=y + 4, class_="y"))
    for share, label in ticks:
        picture.append(node("text", label, x=_across(share), y=HEIGHT - 12, class_="x"))
    for number, line in enumerate(lines):
        for part in _parts(line.points):
            spots = [(_across(place(x)), _down(value / (most * 1.05))) for x, value in part]
            spots = spots if len(spots) > 1 else [(spots[0][0] - 2, spots[0][1]), (spots[0][0] + 2, spots[0][1])]
            drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
            picture.append(node("polyline", points=drawn, class_=f"line l{number}"))
    names = [node("span", line.name, class_=f"key l{number}") for number, line in enumerate(lines)]
    return node("figure", node("figcaption", f"{title}, {unit} ", *names), picture)


def _band(band: ChartBand, number: int, place: Callable[[float], float]) -> list[Element]:
    left, right = _across(place(band.begin)), _across(place(band.end))
    if band.is_fault:
        width = max(FAULT_WIDTH_MIN, right - left)
        mark = node("rect", node("title", band.name), x=left, y=_TOP, width=width, height=HEIGHT - _TOP - _BOTTOM)
        mark.set("class", "band fault")
        return [mark]
    area = node("rect", x=left, y=_TOP, width=max(0, right - left), height=HEIGHT - _TOP - _BOTTOM)
    area.set("class", "band" if number % 2 else "band other")
    room = int((right - left - 4) / _LETTER_WIDTH)
    name = band.name if len(band.name) <= room else f"{band.name[: room - 1]}…" if room > 1 else ""
    return [area, node("text", name, x=left + 4, y=_TOP + 12, class_="phase")]


def _parts(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Split points at their gaps."""
    known = groupby(points, key=lambda point: point[1] is not None)
    return [[(x, value) for x, value in some if value is not None] for is_there, some in known if is_there]


def _across(share: float) -> float:
    return _LEFT + min(1.0, max(0.0, share)) * (WIDTH - _LEFT - _RIGHT)


def _down(share: float) -> float:
    return HEIGHT - _BOTTOM - min(1.0, max(0.0, share)) * (HEIGHT - _TOP - _BOTTOM)
