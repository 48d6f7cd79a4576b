"""Ink: one drawing as an ordered list of strokes.

A stroke is an `(n, 4) float32` array with the columns x, y, t, pressure. x grows to the right and y **down**; their unit
is free, because the raster does not depend on size or place. t is in milliseconds since the first point of the ink;
pressure is 0 to 1. Where a device gives neither, t is 0 and pressure is 1.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qtdigits.errors import InputError
from qtdigits.limits import POINTS, STROKES

StrokeArray = NDArray[np.float32]
"""`(n, 4) float32`: x, y, t in ms, pressure."""

_MISSING = (0.0, 0.0, 0.0, 1.0)
_BLOB_VERSION = 1


@dataclass(frozen=True, eq=False)
class Ink:
    """One drawing. Strokes are never empty and never written to; change makes a new `Ink`."""

    strokes: tuple[StrokeArray, ...] = field(default=())

    @classmethod
    def of(cls, strokes: Iterable[ArrayLike]) -> Ink:
        """Build ink from strokes of points (x, y), (x, y, t) or (x, y, t, pressure); empty strokes are dropped.

        Raises `InputError` when a point is not 2 to 4 finite numbers.
        """
        built = (_stroke(points) for points in strokes)
        return cls(tuple(stroke for stroke in built if len(stroke)))

    @property
    def is_blank(self) -> bool:
        return not self.strokes

    @property
    def points(self) -> StrokeArray:
        """All points of all strokes, `(n, 4)`."""
        return np.concatenate(self.strokes) if self.strokes else np.empty((0, 4), np.float32)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the centre line. Raises `InputError` for blank ink."""
        if self.is_blank:
            raise InputError("Blank ink has no bounds.", "Draw something first.")
        xy = self.points[:, :2]
        left, top = xy.min(axis=0)
        right, bottom = xy.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    def with_stroke(self, points: ArrayLike) -> Ink:
        """Return the ink with another stroke of points as in `of`; an empty stroke changes nothing. Raises `InputError`."""
        stroke = _stroke(points)
        return Ink((*self.strokes, stroke)) if len(stroke) else self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ink):
            return NotImplemented
        return len(self.strokes) == len(other.strokes) and all(
            np.array_equal(a, b) for a, b in zip(self.strokes, other.strokes, strict=True)
        )

    def __hash__(self) -> int:
        return hash(encode_ink(self))

    def to_lists(self) -> list[list[list[float]]]:
        """Return strokes as nested lists for ink JSONL; t and pressure only where the ink has them."""
        points = self.points
        has_pressure = bool(np.any(points[:, 3] != 1.0))
        has_time = has_pressure or bool(np.any(points[:, 2] != 0.0))
        columns = 4 if has_pressure else 3 if has_time else 2
        return [[[_short(v) for v in point[:columns]] for point in stroke] for stroke in self.strokes]


def encode_ink(ink: Ink) -> bytes:
    """Return ink as a compact, exact, self-contained blob: version, stroke lengths, then the columns as float32, deflated."""
    lengths = np.array([len(stroke) for stroke in ink.strokes], "<u4")
    columns = np.ascontiguousarray(ink.points.T, "<f4")
    body = zlib.compress(lengths.tobytes() + columns.tobytes(), 6)
    return struct.pack("<BI", _BLOB_VERSION, len(lengths)) + body


def decode_ink(blob: bytes) -> Ink:
    """The inverse of `encode_ink`. Raises `InputError` when the blob is damaged or from a newer version."""
    try:
        version, count = struct.unpack_from("<BI", blob)
        if version != _BLOB_VERSION:
            raise InputError(
                f"Ink blob version {version} is not known.", "Open it with a newer version of QtDigits."
            )
        unpacking = zlib.decompressobj()
        body = unpacking.decompress(blob[5:], 4 * STROKES.most + 16 * POINTS.most)
        if not unpacking.eof:
            raise ValueError("it is cut off, or too large")
        lengths = np.frombuffer(body, "<u4", count)
        points = (
            np.frombuffer(body, "<f4", offset=4 * count).reshape(4, int(lengths.sum())).T.astype(np.float32)
        )
        if not (lengths.all() and np.isfinite(points).all()):
            raise ValueError("a stroke is empty, or a point is not finite")
    except (struct.error, zlib.error, ValueError, OverflowError) as error:
        raise InputError(
            "An ink blob is damaged.", "Restore it from a backup or delete the sample."
        ) from error
    return Ink(tuple(np.split(points, np.cumsum(lengths)[:-1])) if count else ())


def lengths_along(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return how far each of the points `(n, 2 or more)`, x and y first, lies along their line: `(n,)`, the first 0."""
    xy = points[:, :2].astype(np.float64)
    return np.append(0.0, np.cumsum(np.hypot(*np.diff(xy, axis=0).T)))


def downsampled(
    points: NDArray[np.floating], along: NDArray[np.float64], spacing: float
) -> NDArray[np.floating]:
    """Return points about `spacing` apart, evenly along their line, or the same where that would not be fewer.

    So the direction in which the line was drawn makes no difference. `along` are the `lengths_along` of `points`.
    """
    count = 2 + int(along[-1] / spacing)
    if count >= len(points):
        return points
    at = np.linspace(0.0, along[-1], count)
    return np.column_stack([np.interp(at, along, column) for column in points.T])


def _stroke(points: ArrayLike | Sequence[Sequence[float]]) -> StrokeArray:
    try:
        rows = np.asarray(points, np.float64)
    except (TypeError, ValueError):
        rows = _ragged(points)
    if rows.size == 0:
        return np.empty((0, 4), np.float32)
    if rows.ndim != 2 or not 2 <= rows.shape[1] <= 4:
        raise InputError("A point is not [x, y], [x, y, t] or [x, y, t, pressure].")
    stroke = np.empty((len(rows), 4))
    stroke[:] = _MISSING
    stroke[:, : rows.shape[1]] = rows
    with np.errstate(over="ignore"):
        stroke32 = stroke.astype(np.float32)
    if not np.isfinite(stroke32).all():
        raise InputError("A point has a coordinate that is not a finite number.")
    stroke32.setflags(write=False)
    return stroke32


def _ragged(points: object) -> NDArray[np.float64]:
    """Fill up points of differing lengths (some with time, some without) with the missing values."""
    try:
        rows = [tuple(float(v) for v in point) for point in points]  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise InputError("A point is not a list of numbers.") from error
    if any(not 2 <= len(row) <= 4 for row in rows):
        raise InputError("A point is not [x, y], [x, y, t] or [x, y, t, pressure].")
    return np.array([row + _MISSING[len(row) :] for row in rows], np.float64)


def _short(value: np.float32) -> float:
    """Return the shortest decimal that is the same float32, as an int where it is one."""
    number = float(str(value))
    return int(number) if number.is_integer() else number
