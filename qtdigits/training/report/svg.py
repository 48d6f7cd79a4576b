"""Charts as inline SVG: lines with bands, points with intervals, bars. Their colours are those of the page and its theme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.formatting import printable
from qtdigits.core.run.curves import Downsampled, nice_above

Floats = NDArray[np.float64]
Range = tuple[float, float]

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 58, 24, 10, 40
"""Room around the plot, in the units of the view box."""
STEPS = (1.0, 2.0, 5.0, 10.0)
LEAST_SPREAD = 0.02
BAR_PX, LABEL_PX, TEXT_PX = 26, 190, 170
MOST_LETTERS = 30


@dataclass(frozen=True, eq=False)
class Series:
    """`(n,)` points: a line, or `is_dotted` points. `low` and `high` are a band round the line, or error bars of the points.

    `colour` is one of the page's, from 1; 0 is that of muted text.
    """

    name: str
    x: Floats
    y: Floats
    colour: int = 1
    low: Floats | None = None
    high: Floats | None = None
    is_dotted: bool = False


@dataclass(frozen=True)
class Bar:
    """A share from 0 to 1 with what is written beside it, and its interval where there is one."""

    label: str
    value: float
    text: str
    interval: Range | None = None
    colour: int = 1


@dataclass(frozen=True)
class Axis:
    """`is_share`: from 0 to 1, shown in per cent. `ends`: None to fit the values. `is_log`: all values are above 0."""

    title: str
    is_share: bool = False
    ends: Range | None = None
    is_log: bool = False

    def places(self, values: Floats) -> Floats:
        """Return where values stand on the axis, in its own unit."""
        placed = np.asarray(values, np.float64)
        return np.log10(placed) if self.is_log else placed

    def fitted(self, values: Floats) -> Range:
        """Return the ends of the axis: shares end at 100 %, other values where a round number is."""
        if self.ends is not None:
            return self.ends
        values = values[np.isfinite(values)]
        if not len(values):
            return 0.0, 1.0
        low, high = float(values.min()), float(values.max())
        if self.is_share:
            return 1 - min(1.0, nice_above(max(1 - low, LEAST_SPREAD))), 1.0
        if not self.is_log and 0 <= low < 0.7 * high:
            low = 0.0
        spare = max((high - low or abs(high) or 1.0) * 0.05, 1e-12)
        return low - spare * (self.is_log or low != 0), high + spare

    def ticks(self, ends: Range, most: int) -> list[float]:
        """Return round numbers within the ends, which are places."""
        low, high = ends
        if self.is_log:
            powers = range(math.floor(low), math.ceil(high) + 1)
            found = [
                n * 10.0**power for power in powers for n in ((1, 2, 5) if high - low < most / 3 else (1,))
            ]
            return [value for value in found if low <= math.log10(value) <= high]
        step = nice_above((high - low) / most, STEPS)
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        return [round(k * step, 12) for k in range(first, last + 1)]

    def text(self, value: float) -> str:
        return f"{100 * value:.6g} %" if self.is_share else f"{value:,.6g}"


def chart(series: Sequence[Series], *, title: str, x: Axis, y: Axis) -> str:
    """Return a chart as SVG. `title` is what a screen reader says of it."""
    points = [x.places(one.x) for one in series]
    heights = [np.asarray(part, np.float64) for one in series for part in _heights_of(one)]
    x_ends, y_ends = (
        axis.fitted(np.concatenate([*values, np.empty(0)])) for axis, values in ((x, points), (y, heights))
    )
    frame = _Frame(x, x_ends, y_ends)
    parts = [*_grid(frame, x, y), *(part for one in series for part in _drawn(one, frame))]
    return _svg(HEIGHT, title, parts)


def bars(rows: Sequence[Bar], *, title: str) -> str:
    """Return horizontal bars of shares as SVG, the first on top."""
    span = WIDTH - LABEL_PX - TEXT_PX
    parts = []
    for number, bar in enumerate(rows):
        top = number * BAR_PX + 4
        middle = top + BAR_PX / 2
        shown = bar.label if len(bar.label) <= MOST_LETTERS else f"{bar.label[: MOST_LETTERS - 1]}…"
        width = span * min(max(bar.value, 0.0), 1.0)
        parts += [
            _text(LABEL_PX - 8, middle + 4, shown, anchor="end", is_strong=True),
            f'<rect class="f{bar.colour}" x="{LABEL_PX}" y="{top + 5}" width="{width:.1f}" height="{BAR_PX - 10}" rx="2"/>',
            _text(LABEL_PX + span + 10, middle + 4, bar.text),
        ]
        if bar.interval is not None:
            low, high = (LABEL_PX + span * end for end in bar.interval)
            parts.append(
                f'<path class="e" d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 4}v8M{high:.1f} {middle - 4}v8"/>'
            )
    return _svg(len(rows) * BAR_PX + 8, title, parts)


@dataclass(frozen=True)
class _Frame:
    """Leads from values to places in the view box."""

    x_axis: Axis
    x_ends: Range
    y_ends: Range

    def x(self, values: Floats) -> Floats:
        low, high = self.x_ends
        placed: Floats = LEFT + (self.x_axis.places(values) - low) / (high - low or 1) * (
            WIDTH - LEFT - RIGHT
        )
        return placed

    def y(self, values: Floats) -> Floats:
        low, high = self.y_ends
        share = np.clip((np.asarray(values) - low) / (high - low or 1), 0, 1)
        placed: Floats = HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
        return placed


def _heights_of(one: Series) -> list[Floats]:
    """The values that must be in sight: a band may be cut off, error bars not."""
    bars_of = [part for part in (one.low, one.high) if part is not None] if one.is_dotted else []
    return [one.y, *bars_of]


def _grid(frame: _Frame, x: Axis, y: Axis) -> list[str]:
    bottom = HEIGHT - BOTTOM
    parts = []
    for value in y.ticks(frame.y_ends, 5):
        at = float(frame.y(np.array([value]))[0])
        parts += [
            f'<path class="g" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>',
            _text(LEFT - 6, at + 4, y.text(value), anchor="end"),
        ]
    for value in x.ticks(frame.x_ends, 8):
        at = float(frame.x(np.array([value]))[0])
        parts += [
            f'<path class="g" d="M{at:.1f} {bottom}v4"/>',
            _text(at, bottom + 17, x.text(value), anchor="middle"),
        ]
    middle = (TOP + bottom) / 2
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 5, x.title, anchor="middle"))
    parts.append(f'<g transform="rotate(-90 12 {middle})">{_text(12, middle, y.title, anchor="middle")}</g>')
    return parts


def _drawn(one: Series, frame: _Frame) -> list[str]:
    given = (part for part in (one.x, one.y, one.low, one.high) if part is not None)
    is_known = np.logical_and.reduce([np.isfinite(part) for part in given]) & (one.y >= frame.y_ends[0])
    if not is_known.any():
        return []
    x, y = frame.x(one.x[is_known]), frame.y(one.y[is_known])
    low, high = (None if part is None else frame.y(part[is_known]) for part in (one.low, one.high))
    if one.is_dotted or len(x) == 1:
        dots = [
            f'<circle class="f{one.colour}" cx="{a:.1f}" cy="{b:.1f}" r="3.5"/>'
            for a, b in zip(x, y, strict=True)
        ]
        if low is None or high is None:
            return dots
        ends = zip(x, low, high, strict=True)
        return [
            f'<path class="s{one.colour} i" d="{"".join(f"M{a:.1f} {b:.1f}V{c:.1f}" for a, b, c in ends)}"/>',
            *dots,
        ]
    if low is None or high is None:
        seen = Downsampled(start=LEFT, end=WIDTH - RIGHT, columns=WIDTH).update(x, y)
        return [f'<path class="s{one.colour}" d="M{_path(*seen)}"/>']
    around = f"M{_path(x, high)}L{_path(x[::-1], low[::-1])}Z"
    return [
        f'<path class="b{one.colour}" d="{around}"/>',
        f'<path class="s{one.colour}" d="M{_path(x, y)}"/>',
    ]


def _path(x: Floats, y: Floats) -> str:
    return "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))


def _text(x: float, y: float, text: str, *, anchor: str = "start", is_strong: bool = False) -> str:
    kind = ' class="t"' if is_strong else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(printable(text))}</text>'


def _svg(height: float, title: str, parts: Sequence[str]) -> str:
    said = escape(printable(title))
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{said}">{"".join(parts)}</svg>'
