"""What is no digit: scribbles, and signs that are not shaped like one. They teach a network to be unsure.

A network that has only seen digits takes everything for one. Shown other things with the same probability for every class
(outlier exposure: Hendrycks, Mazeika, Dietterich, Deep anomaly detection with outlier exposure, 2019), it answers them without
conviction, and one threshold tells them from digits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.synthetic import synthetic_ink

NO_CLASS = -1
"""The target of an image that is of no class."""

LOOKS_LIKE_A_DIGIT = frozenset("BDGIJLOQSTYZ" + "abgijloqstyz" + "0123456789" + "|/\\()[]!?")
"""Labels whose shapes somebody's digits have: O and 0, I and 1, Z and 2, S and 5, G and 6, T and 7, B and 8, Q and 9 …"""

Floats = NDArray[np.float64]


def is_no_digit(label: str) -> bool:
    """Whether ink with this label may be shown as something that is no digit."""
    return label not in LOOKS_LIKE_A_DIGIT


def scribbles(n: int, seed: int) -> list[Ink]:
    """`n` drawings that nobody would call a digit: the same for the same seed and the same version of numpy."""
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
    """To and fro, as one blackens something."""
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
    """Two to five rounds inwards, far enough that nobody would take them for a fat zero."""
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
