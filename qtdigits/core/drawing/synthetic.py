"""Synthetic ink: digits made from the project's own stroke templates, and scribbles that are no digits.

Synthetic digits stand in for MNIST where it is missing, as rehearsal data and in tests. Each digit has several ways of
writing it, each a few control points set by hand; the points are jittered, the curve through them is slanted, stretched and
bent, and drawn with a slightly unsteady pen.

A network that has only seen digits takes everything for one. Shown scribbles, and signs that are not shaped like a digit,
with the same probability for every class (outlier exposure: Hendrycks, Mazeika, Dietterich, Deep anomaly detection with
outlier exposure, 2019), it answers them without conviction, and one threshold tells them from digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import DIGIT_LABELS
from qtdigits.errors import InputError

Floats = NDArray[np.float64]

_WAYS: dict[str, tuple[tuple[float, tuple[str, ...]], ...]] = {
    # How often, and the strokes: control points x,y in percent of the height, y down; "!" marks a corner.
    "0": (
        (3.0, ("40,2 18,14 6,50 18,86 38,99 62,86 72,50 60,14 40,2 30,6",)),
        (2.0, ("36,3 58,12 72,48 60,86 38,99 16,86 6,52 16,16 38,2 48,6",)),
        (2.0, ("60,14 42,1 16,20 5,58 20,94 46,98 70,74 73,38 58,10 36,4 28,14",)),
        (1.0, ("24,16 10,40 8,72 28,98 56,92 73,60 68,24 46,3 26,8 20,22",)),
        (0.4, ("40,2 18,14 6,50 18,86 38,99 62,86 72,50 60,14 40,2 30,6", "68,8 8,92")),
        (0.4, ("40,2 18,14 6,50 18,86 38,99 62,86 72,50 60,14 40,2 30,6", "76,0 34,54 -4,104")),
        (0.3, ("22,6 8,40 10,82 36,99 64,84 72,44 58,8",)),
    ),
    "1": (
        (5.0, ("30,0 30,50 30,100",)),
        (1.0, ("34,0 28,30 28,70 34,100",)),
        (2.0, ("8,28 22,14 32,0! 32,50 32,100",)),
        (1.5, ("0,46 18,24 34,0! 33,50 32,100",)),
        (1.0, ("22,12 34,0! 34,50 34,100",)),
        (1.0, ("10,26 32,0! 32,50 32,100", "6,100 32,99 60,100")),
        (0.5, ("10,26 32,0! 32,50 32,100! 8,100! 58,99",)),
        (0.4, ("30,0 30,50 30,100", "8,100 54,100")),
        (0.8, ("6,64 20,32 36,0! 34,50 30,100",)),
    ),
    "2": (
        (3.0, ("8,26 22,5 46,1 64,22 52,50 28,78 4,99! 36,97 72,98",)),
        (2.0, ("8,24 24,4 48,2 62,24 50,54 24,86 8,96 4,86 16,78 36,88 74,96",)),
        (1.5, ("10,20 30,2 56,10 58,36 40,64 8,97! 24,90 44,98 72,90",)),
        (1.0, ("4,10 30,6 62,5! 44,40 4,96! 36,95 70,96",)),
        (1.0, ("16,34 8,20 26,2 54,4 64,28 44,62 22,84 6,92 12,78 30,86 50,99 72,88",)),
        (0.7, ("8,22 28,2 56,8 60,32 44,60 22,86 26,96 46,98 70,92",)),
        (1.5, ("10,12 30,1 52,12 50,42 32,78 10,98 0,82 14,66 36,80 76,88",)),
        (1.0, ("14,14 34,1 54,16 52,46 36,84 16,99 10,84 26,76 44,88 58,98 70,90",)),
        (1.0, ("6,20 30,3 58,12 54,40 26,72 2,96! 34,90 62,88 104,92",)),
        (0.6, ("20,40 8,26 24,4 52,6 60,32 40,66 12,94 14,76 34,84 52,96 72,82",)),
        (1.5, ("14,16 36,1 62,14 62,46 42,82 18,99 2,86 14,62 42,64 64,84 84,94",)),
        (1.0, ("18,8 42,0 60,16 58,52 48,86 24,100 10,84 24,64 52,72 76,82",)),
    ),
    "3": (
        (3.0, ("6,16 28,1 56,8 58,32 28,46! 60,56 66,80 40,99 4,90",)),
        (1.5, ("8,14 30,1 58,10 54,36 26,46 24,48 56,56 66,78 44,99 4,88",)),
        (1.5, ("6,4 30,3 60,4! 44,24 28,40! 58,50 66,76 42,99 2,90",)),
        (1.0, ("6,18 30,1 58,14 46,40 28,48 22,44 30,42 58,56 64,80 38,99 4,86",)),
        (1.0, ("10,10 40,1 62,18 48,40 32,46! 54,52 66,72 52,94 24,99 2,92",)),
        (1.0, ("8,10 28,1 44,10 38,32 22,44! 42,54 46,76 32,96 10,98",)),
        (0.8, ("2,10 24,6 46,2! 34,24 24,40! 46,50 54,70 40,90 6,100",)),
        (0.7, ("4,22 26,2 56,8 60,28 34,42 20,40! 50,48 70,70 54,94 24,99 4,84",)),
        (0.8, ("12,6 36,2 48,14 34,34 26,42! 38,58 40,78 28,98",)),
    ),
    "4": (
        (2.0, ("12,4 8,34 6,58! 36,57 72,56", "54,22 52,60 50,100")),
        (2.0, ("10,6 8,40 20,55 40,54 58,44", "62,2 58,50 54,100")),
        (2.0, ("50,0 28,30 2,66! 40,66 74,65", "50,2 50,50 49,100")),
        (1.5, ("46,2 24,34 4,62! 38,61 72,58", "54,28 50,64 48,100")),
        (1.5, ("14,2 8,30 8,52! 34,52 60,48! 62,8! 58,50 54,100",)),
        (1.0, ("30,0 16,28 2,56! 36,54 70,50", "46,26 44,62 42,100")),
        (1.0, ("56,0 30,28 4,58! 34,60 56,48! 60,2! 56,50 52,100",)),
        (0.7, ("10,2 12,34 26,50 48,46 62,30! 64,2! 60,50 56,100",)),
        (0.7, ("30,0 18,30 8,56! 26,58 46,54", "38,30 34,64 30,100")),
        (1.0, ("22,0 16,36 8,74! 24,74 44,66", "36,40 34,70 30,100")),
        (0.6, ("40,0 20,34 6,60! 40,64 78,62", "50,0 46,40 44,100")),
    ),
    "5": (
        (2.0, ("16,4 13,26 10,46! 36,38 62,54 62,80 38,99 4,92", "16,4 40,3 68,2")),
        (2.5, ("66,3 42,3 16,5! 13,26 10,45! 34,37 60,52 62,78 38,98 4,91",)),
        (1.5, ("68,4 40,2 20,14 20,34 44,46 62,62 60,86 36,99 4,92",)),
        (1.0, ("64,2 38,4 24,6! 18,40! 42,42 60,60 52,88 28,99 2,94",)),
        (1.0, ("22,2 16,22 14,42! 44,44 60,62 52,90 24,100 0,92", "22,3 46,5 72,0")),
        (1.2, ("92,2 54,4 18,8! 14,28 14,46! 40,42 54,60 50,84 26,98 4,90",)),
        (1.0, ("20,10 18,30 18,46! 42,40 56,58 48,86 24,98 2,92", "14,8 46,6 86,2")),
        (0.6, ("64,2 38,6 22,10! 14,44! 38,42 58,58 60,80 38,96 14,90 16,80 34,84",)),
    ),
    "6": (
        (2.5, ("50,1 26,22 8,58 16,92 42,99 60,80 52,60 30,58 10,76",)),
        (2.0, ("42,0 20,34 6,70 20,98 52,92 60,70 40,58 18,66 8,78",)),
        (1.5, ("60,12 46,1 22,20 6,56 16,92 44,98 62,78 50,58 26,58 10,74",)),
        (1.0, ("30,0 14,40 8,78 26,99 50,88 48,68 28,62 10,80",)),
        (0.7, ("46,0 22,30 6,68 14,94 36,99 50,84 44,68 28,66 16,78 20,92",)),
        (1.5, ("22,2 6,40 8,76 30,98 60,90 72,68 56,54 34,66 26,86",)),
        (1.2, ("28,0 10,34 4,70 20,94 42,84 56,60 46,46 36,64 44,90 66,98",)),
        (1.0, ("64,0 34,22 10,58 12,90 44,98 82,84 84,66 58,58 28,72 16,88",)),
        (0.7, ("14,0 4,44 10,84 34,98 60,86 66,64 44,56 26,72 22,92",)),
    ),
    "7": (
        (2.5, ("4,7 34,6 66,5! 48,46 30,100",)),
        (1.5, ("8,22 6,6! 36,6 66,6! 46,48 28,100",)),
        (1.5, ("4,12 30,6 62,7 58,26 40,58 32,100",)),
        (1.5, ("4,7 34,6 66,5! 48,46 30,100", "20,52 42,50 64,49")),
        (1.0, ("8,22 6,6! 36,6 66,6! 46,48 28,100", "18,50 40,50 62,48")),
        (0.7, ("2,16 10,6 28,12 64,4! 44,40 38,100",)),
        (1.2, ("4,18 8,6 22,4 38,8 60,2! 50,40 36,100", "12,54 36,56 72,58")),
        (1.0, ("2,20 16,4 40,4 56,16 52,46 38,98", "8,48 34,52 74,60")),
        (0.6, ("0,8 30,6 60,5! 48,44 34,98", "6,62 32,54 70,42")),
    ),
    "8": (
        (2.5, ("58,14 36,1 14,18 26,40 52,58 62,80 38,99 10,84 20,60 48,40 60,20 50,6",)),
        (1.5, ("34,46 14,26 32,1 58,16 40,46 12,72 30,99 60,84 50,58 34,46",)),
        (1.5, ("36,46 58,26 40,1 14,18 30,44 60,70 44,99 10,86 18,60 40,44",)),
        (1.0, ("36,2 14,14 22,40 46,44 60,24 36,2", "34,46 10,66 20,96 50,98 62,70 36,46")),
        (1.0, ("62,10 40,2 16,14 22,36 54,60 58,86 32,99 12,82 28,56 66,8",)),
        (0.7, ("20,8 44,1 58,20 38,46 10,72 26,99 56,92 56,68 28,42 14,20 26,4",)),
        (1.5, ("86,2 46,4 20,14 22,34 44,54 52,78 32,98 12,86 22,64 46,42 82,8",)),
        (1.2, ("50,8 34,0 22,18 30,44 48,72 46,96 28,98 22,76 38,48 50,24 46,6",)),
        (1.0, ("74,18 58,4 34,2 22,20 34,42 54,62 52,90 30,99 16,82 26,60 56,36 70,14",)),
        (0.8, ("38,48 16,34 20,8 46,2 62,20 48,42 30,54 12,80 32,100 54,86 50,62 36,50",)),
        (0.7, ("70,0 62,24 34,46 12,72 26,98 50,88 52,64 28,42 20,18 38,6 60,26",)),
        (0.6, ("74,96 56,62 26,34 16,16 34,1 58,6 58,26 36,52 14,82 4,100",)),
        (0.8, ("8,54 26,44 50,42 60,20 44,2 28,14 34,44 50,70 42,96 26,92 28,68 50,36",)),
    ),
    "9": (
        (2.0, ("56,14 36,2 10,18 12,44 36,48 54,30 58,12! 56,50 52,100",)),
        (1.5, ("58,18 40,2 12,14 10,40 34,48 56,28 58,40 54,74 36,98 8,92",)),
        (1.5, ("60,8 34,1 8,24 20,48 48,38 60,10! 56,46 40,100",)),
        (1.0, ("34,2 10,18 14,46 42,44 56,20 34,2 30,4", "57,12 57,50 54,100")),
        (1.0, ("58,10 34,2 8,26 24,48 50,34 60,8! 60,60 52,90 30,100 8,90",)),
        (0.8, ("54,34 32,48 10,34 18,8 46,2 58,26 56,64 50,100",)),
        (1.5, ("56,12 38,1 22,14 26,34 46,36 58,16! 58,48 58,78 50,98 2,96",)),
        (1.5, ("50,8 34,2 22,16 30,32 48,26 54,12 58,50 56,84 36,99 6,98",)),
        (1.2, ("60,14 46,2 32,14 36,30 54,26 62,12 56,46 40,74 10,100",)),
        (0.7, ("58,16 36,1 14,18 22,40 46,36 60,18 58,54 44,84 8,94",)),
        (0.7, ("52,20 40,2 18,10 8,34 26,44 48,32 56,10! 58,46 60,100",)),
    ),
}


def synthetic_ink(label: str, rng: np.random.Generator) -> Ink:
    """Draw `label`, "0" to "9", in one of its ways, with time and pressure as a tablet gives them.

    Raises `InputError` for any other label.
    """
    if label not in _TEMPLATES:
        raise InputError(f'There are no templates for "{label}".', "Synthetic ink knows the labels 0 to 9.")
    ways, bounds = _TEMPLATES[label]
    return _drawn(ways[int(np.searchsorted(bounds, rng.random()))], rng)


def synthetic_digits(n: int, seed: int) -> tuple[list[Ink], list[str]]:
    """Draw `n` digits and return them with their labels, in random order, each digit as often as the others.

    The same for the same seed and the same version of numpy.
    """
    rng = np.random.default_rng(seed)
    labels = [DIGIT_LABELS[index] for index in rng.permutation(np.arange(n) % len(DIGIT_LABELS))]
    return [synthetic_ink(label, rng) for label in labels], labels


_SAMPLES = 6
"""Points per span between two control points."""

_AT = np.arange(_SAMPLES)[:, None] / _SAMPLES


@dataclass(frozen=True, eq=False)
class _Template:
    """One way of writing a digit, as a spline through control points."""

    control: Floats
    """`(k, 2)`: of all strokes, one after the other; y from 0 to 1."""
    ends: NDArray[np.intp]
    """`(2, e)`: the first and last control points of the strokes, and the ones next to them."""
    spans: NDArray[np.intp]
    """`(s, 4)`: for each span the control points before it, at its two ends, and after it."""
    order: NDArray[np.intp]
    """`(n,)`: the points of the drawing, out of those on the spans followed by the control points."""
    starts: tuple[int, ...]
    """Where each stroke but the first begins in `order`."""

    @classmethod
    def parse(cls, strokes: tuple[str, ...]) -> _Template:
        words = " ".join(strokes).split()
        control = (
            np.array([[int(number) for number in word.rstrip("!").split(",")] for word in words]) / 100.0
        )
        is_corner = [word.endswith("!") for word in words]
        ends: list[tuple[int, int]] = []
        spans: list[tuple[int, int, int, int]] = []
        order: list[int] = []
        starts: list[int] = []
        first = 0
        for stroke in strokes:
            last = first + len(stroke.split()) - 1
            is_corner[first] = is_corner[last] = True
            ends += [(first, first + 1), (last, last - 1)]
            starts.append(len(order))
            order += range(len(spans) * _SAMPLES, (len(spans) + last - first) * _SAMPLES)
            order.append(last - len(control))
            for begin, end in zip(range(first, last), range(first + 1, last + 1), strict=True):
                spans.append((begin - (not is_corner[begin]), begin, end, end + (not is_corner[end])))
            first = last + 1
        return cls(control, np.array(ends).T, np.array(spans), np.array(order), tuple(starts[1:]))


def _prepared(ways: tuple[tuple[float, tuple[str, ...]], ...]) -> tuple[list[_Template], Floats]:
    """Return the templates, and where between 0 and 1 each but the first begins."""
    weights = np.array([weight for weight, _ in ways])
    return [_Template.parse(strokes) for _, strokes in ways], np.cumsum(weights / weights.sum())[:-1]


_TEMPLATES = {label: _prepared(ways) for label, ways in _WAYS.items()}


def _drawn(template: _Template, rng: np.random.Generator) -> Ink:
    control = template.control + rng.normal(0.0, 0.03, template.control.shape)
    ends, next_to = template.ends
    control[ends] += (control[ends] - control[next_to]) * rng.normal(0.0, 0.25, (len(ends), 1))
    on_spans = _spline(control[template.spans], tightness=rng.uniform(0.38, 0.65))
    xy = np.concatenate([on_spans, control])[template.order]
    xy = _bent(xy, rng) @ _slant(rng) + _tremor(len(xy), rng)
    points = np.empty((len(xy), 4))
    points[:, :2] = xy * rng.uniform(40.0, 400.0) + rng.uniform(50.0, 150.0, 2)
    points[:, 2] = _times_ms(len(xy), template.starts, rng)
    points[:, 3] = _pressures(len(xy), rng)
    return Ink.of(np.split(points, template.starts))


def _spline(spans: Floats, tightness: float) -> Floats:
    """Cardinal spline, `(s, 4, 2)` to `(s * _SAMPLES, 2)`.

    Tightness 0.5 is Catmull and Rom's, 0 is straight lines.
    """
    before, begin, end, after = (spans[:, None, index] for index in range(4))
    square, cube = _AT * _AT, _AT * _AT * _AT
    to_end = 3.0 * square - 2.0 * cube
    curve = begin + (end - begin) * to_end
    curve += (end - before) * (tightness * (cube - 2.0 * square + _AT))
    curve += (after - begin) * (tightness * (cube - square))
    flat: Floats = curve.reshape(-1, 2)
    return flat


def _bent(xy: Floats, rng: np.random.Generator) -> Floats:
    """A smooth bend of the whole plane, quadratic and cubic, about 5 % of the height."""
    u, v = xy[:, 0] * 2.0 - 0.7, xy[:, 1] * 2.0 - 1.0
    terms = np.stack([u * u, u * v, v * v, v * v * v - v], axis=1)
    bent: Floats = xy + terms @ rng.normal(0.0, 0.05, (4, 2))
    return bent


def _slant(rng: np.random.Generator) -> Floats:
    """`(2, 2)`: narrower or wider, leaning, and turned; mostly to the right, as people write."""
    width, lean, turn = np.exp(rng.normal(0.0, 0.25)), rng.normal(0.15, 0.22), rng.normal(0.0, 0.12)
    stretched = np.array([[width, 0.0], [-lean, 1.0]])
    turned: Floats = stretched @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return turned


def _tremor(count: int, rng: np.random.Generator) -> Floats:
    noise = rng.normal(0.0, rng.uniform(0.0, 0.012), (count + 2, 2))
    smooth: Floats = (noise[:-2] + noise[1:-1] + noise[2:]) / 3.0
    return smooth


def _times_ms(count: int, starts: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """A point every few milliseconds, with a pause before each stroke."""
    steps = np.full(count, rng.uniform(7.0, 13.0))
    steps[0] = 0.0
    steps[list(starts)] += rng.uniform(80.0, 300.0, len(starts))
    times: Floats = np.round(np.cumsum(steps))
    return times


def _pressures(count: int, rng: np.random.Generator) -> Floats:
    """Rising from the first point, falling to the last."""
    arch = np.sin(np.linspace(0.15, np.pi - 0.15, count))
    firmness = rng.uniform(0.4, 0.9)
    pressures: Floats = np.clip(firmness * np.sqrt(arch) + rng.normal(0.0, 0.02, count), 0.02, 1.0)
    return pressures


NO_CLASS = -1
"""The target of an image that is of no class."""

LOOKS_LIKE_A_DIGIT = frozenset("BDGIJLOQSTYZ" + "abgijloqstyz" + "0123456789" + "|/\\()[]!?")
"""Labels whose shapes some people's digits have: O and 0, I and 1, Z and 2, S and 5, G and 6, T and 7, B and 8, Q and 9 …"""


def is_no_digit(label: str) -> bool:
    """Whether ink with this label may be an example of what is no digit."""
    return label not in LOOKS_LIKE_A_DIGIT


def scribbles(n: int, seed: int) -> list[Ink]:
    """Draw `n` scribbles that are no digits: the same for the same seed and the same version of numpy."""
    rng = np.random.default_rng(seed)
    kinds = (_wander, _hatch, _crossed_lines, _two_digits, _dots, _spiral)
    chosen = rng.choice(len(kinds), n, p=(0.34, 0.14, 0.14, 0.2, 0.06, 0.12))
    return [kinds[kind](rng) for kind in chosen.tolist()]


def _wander(rng: np.random.Generator) -> Ink:
    """One to three smooth strokes from place to place, with too many turns for a digit."""
    strokes = []
    for _ in range(rng.integers(1, 4)):
        stops = rng.uniform(0.0, 1.0, (int(rng.integers(9, 17)), 2))
        strokes.append(_smooth(stops))
    return Ink.of(strokes)


def _hatch(rng: np.random.Generator) -> Ink:
    """To and fro, as one shades an area."""
    turns = int(rng.integers(6, 18))
    along = np.linspace(0.0, 1.0, turns) + rng.normal(0.0, 0.03, turns)
    across = np.where(np.arange(turns) % 2, 1.0, 0.0) + rng.normal(0.0, 0.12, turns)
    return Ink.of([_turned(np.stack([along, across * rng.uniform(0.4, 1.2)], axis=1), rng)])


def _crossed_lines(rng: np.random.Generator) -> Ink:
    """Four to eight straight lines: hashes, stars, grids, houses."""
    ends = rng.uniform(0.0, 1.0, (int(rng.integers(4, 9)), 2, 2))
    return Ink.of(list(ends))


def _two_digits(rng: np.random.Generator) -> Ink:
    """Two or three digits beside one another: a number, but no digit."""
    strokes: list[Floats] = []
    right = 0.0
    for label in rng.integers(0, 10, int(rng.integers(2, 4))).tolist():
        ink = synthetic_ink(str(label), rng)
        left, top, edge, bottom = ink.bounds
        height = max(bottom - top, edge - left)
        for stroke in ink.strokes:
            xy = (stroke[:, :2].astype(np.float64) - np.array([left, top])) / height
            strokes.append(xy + np.array([right, rng.normal(0.0, 0.03)]))
        right += (edge - left) / height + rng.uniform(0.1, 0.4)
    return Ink.of(strokes)


def _dots(rng: np.random.Generator) -> Ink:
    """Five to twelve taps."""
    return Ink.of([dot[None] for dot in rng.uniform(0.0, 1.0, (int(rng.integers(5, 13)), 2))])


def _spiral(rng: np.random.Generator) -> Ink:
    """Two to five rounds inwards, far enough not to be taken for a thick zero."""
    angle = np.linspace(0.0, rng.uniform(2.5, 5.0) * 2.0 * np.pi, 90)
    radius = np.linspace(1.0, rng.uniform(0.05, 0.3), 90) + rng.normal(0.0, 0.01, 90)
    drift = np.linspace(0.0, rng.uniform(0.0, 2.0), 90)
    xy = np.stack([radius * np.cos(angle) + drift, radius * np.sin(angle)], axis=1)
    return Ink.of([_turned(xy, rng)])


def _smooth(stops: Floats) -> Floats:
    """A line through the stops with rounded corners (Chaikin's corner cutting, three times)."""
    for _ in range(3):
        quarter, rest = 0.25 * stops[1:], 0.75 * stops[:-1]
        near, far = rest + quarter, 0.25 * stops[:-1] + 0.75 * stops[1:]
        inner = np.stack([near, far], axis=1).reshape(-1, 2)
        stops = np.concatenate([stops[:1], inner, stops[-1:]])
    return stops


def _turned(xy: Floats, rng: np.random.Generator) -> Floats:
    angle = rng.uniform(0.0, 2.0 * np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    turned: Floats = xy @ np.array([[cos, sin], [-sin, cos]])
    return turned
