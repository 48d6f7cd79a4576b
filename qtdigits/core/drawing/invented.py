"""Invented characters: signs of no alphabet, each drawn many times, for embeddings that must tell apart what they never saw.

A character is one to four strokes: lines, bends, corners, loops, dots; some strokes begin on the one before. A drawing of it
moves every control point a little. How different two drawings of one character may be is what an embedding learns from them, so
the augmentation that every drawing gets comes on top. The more classes an embedding is trained on, the better it tells apart new
ones, and of these there are as many as one likes (the idea of generated classes: Lake, Salakhutdinov, Tenenbaum, Human-level
concept learning through probabilistic program induction, 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.ink import Ink, lengths_along

Floats = NDArray[np.float64]
Value = TypeVar("Value", int, str)

_N_STROKES = ((1, 0.25), (2, 0.4), (3, 0.25), (4, 0.1))
_KINDS = (("line", 0.3), ("bend", 0.38), ("corner", 0.18), ("loop", 0.1), ("dot", 0.04))
_KINDS_ALONE = (("bend", 0.62), ("corner", 0.38))
_ATTACHED = 0.5
"""Part of the strokes that begin, end or have their middle on the stroke before."""

_UNSTEADY = 0.045
"""Standard deviation of a control point, in parts of the square root of its stroke's size; the character is about 1 wide."""
_POINT_EVERY = 0.07


@dataclass(frozen=True, eq=False)
class _Stroke:
    """Control points `(n, 2)`, of a smooth curve or of a polygon.

    `joint`: which part of this stroke lies where along the stroke before, both from 0 (its beginning) to 1; None: it is free.
    """

    points: Floats
    is_smooth: bool
    joint: tuple[float, float] | None


def invented_characters(n_classes: int, n_drawings: int, seed: int) -> tuple[list[Ink], list[str]]:
    """Invent so many characters and draw each of them so many times: the same for the same seed."""
    rng = np.random.default_rng(seed)
    inks, labels = [], []
    for number in range(n_classes):
        character = _character(rng)
        inks += [_drawn(character, rng) for _ in range(n_drawings)]
        labels += [f"invented {number + 1}"] * n_drawings
    return inks, labels


def _character(rng: np.random.Generator) -> list[_Stroke]:
    n = _one_of(_N_STROKES, rng)
    return [_stroke(rng, is_first=number == 0, is_alone=n == 1) for number in range(n)]


def _stroke(rng: np.random.Generator, *, is_first: bool, is_alone: bool) -> _Stroke:
    kind = _one_of(_KINDS_ALONE if is_alone else _KINDS, rng)
    size = 1.0 if is_alone else rng.uniform(0.35, 1.0)
    points = _control_points(kind, size, rng)
    joint = None
    if not is_first and kind != "dot" and rng.random() < _ATTACHED:
        joint = (float(rng.choice([0.0, 0.5, 1.0])), float(rng.choice([0.0, 0.25, 0.5, 0.75, 1.0])))
    elif not is_alone:
        points = points - points.mean(axis=0) + rng.uniform(-0.45, 0.45, 2)
    return _Stroke(points, kind in ("bend", "loop"), joint)


def _control_points(kind: str, size: float, rng: np.random.Generator) -> Floats:
    if kind == "dot":
        return rng.normal(0.0, 0.02, (2, 2))
    if kind == "line":
        angle = rng.integers(8) * np.pi / 4.0 + rng.normal(0.0, 0.12)
        half = np.array([np.cos(angle), np.sin(angle)]) * size / 2.0
        return np.stack([-half, half])
    if kind == "loop":
        angles = np.linspace(0.0, 2.0 * np.pi, 9) + rng.uniform(0.0, 2.0 * np.pi)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1) * rng.uniform(0.5, 1.0, 2) * size * 0.4
    n = int(rng.integers(3, 6) if kind == "bend" else rng.integers(3, 5))
    while True:
        points = rng.uniform(-0.5, 0.5, (n, 2)) * size * rng.uniform(0.6, 1.0, 2) * 1.3
        if np.hypot(*np.diff(points, axis=0).T).min() > 0.25 * size:
            return points


def _drawn(character: list[_Stroke], rng: np.random.Generator) -> Ink:
    lines: list[Floats] = []
    for stroke in character:
        size = max(float(np.ptp(stroke.points, axis=0).max()), 0.1)
        line = stroke.points + rng.normal(0.0, _UNSTEADY * np.sqrt(size), stroke.points.shape)
        line = _rounded(line) if stroke.is_smooth else line
        if stroke.joint is None:
            line = line + rng.normal(0.0, 0.03, 2)
        else:
            own, other = stroke.joint
            along = float(np.clip(other + rng.normal(0.0, 0.05), 0.0, 1.0))
            line = line + _place(lines[-1], along) - _place(line, own) + rng.normal(0.0, 0.02, 2)
        lines.append(_with_points(line))
    return Ink.of(lines)


def _rounded(points: Floats) -> Floats:
    """Round the corners off (Chaikin's corner cutting, twice)."""
    for _ in range(2):
        near, far = 0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]
        inner = np.stack([near, far], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], inner, points[-1:]])
    return points


def _place(line: Floats, along: float) -> Floats:
    """Return the point at a part of the line's length, 0 to 1."""
    lengths = lengths_along(line)
    return np.array([np.interp(along * lengths[-1], lengths, line[:, axis]) for axis in (0, 1)])


def _with_points(line: Floats) -> Floats:
    """Return the line with a point at least every `_POINT_EVERY`, so that it can be bent."""
    lengths = lengths_along(line)
    even = np.linspace(0.0, lengths[-1], max(2, int(lengths[-1] / _POINT_EVERY)))
    at = np.unique(np.concatenate([even, lengths]))
    return np.stack([np.interp(at, lengths, line[:, axis]) for axis in (0, 1)], axis=1)


def _one_of(choices: Sequence[tuple[Value, float]], rng: np.random.Generator) -> Value:
    values, parts = zip(*choices, strict=True)
    chosen: Value = values[int(rng.choice(len(values), p=parts))]
    return chosen
