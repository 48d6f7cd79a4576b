"""Render ink to the 28x28 image that networks see, by MNIST's own rule.

The ink, pen width included, is fitted into a 20x20 box with its aspect kept, and placed in the 28x28 field by
its centre of mass (LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition,
1998, section III-A). Nothing is drawn large and shrunk: a pixel's grey is the area of it that the pen covers,
computed from the distance and the direction of the nearest piece of centre line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.ink import Ink, downsampled, lengths_along

PREPROCESSING_VERSION = 1
"""Changes whenever the same ink or image would give another raster. Model files store it."""

SIZE_PX = 28
BOX_PX = 20.0
CENTRE_PX = 14.0
"""Where the centre of mass goes, counted from the middle of the first pixel.

That is where MNIST has it: its images average 14.00 on both axes, none further than 0.52 from it. With the
mass in the very middle of the field, at 13.5, a network trained on MNIST reads 1 % fewer of UNIPEN's digits.
"""

PEN_WIDTH_PX = 2.4
"""The width of MNIST's strokes.

Measured on both sides as 2 x mass / length of outline: the median is 2.50 px over MNIST's training images,
and, with this pen, 2.51 over pendigits and 2.54 over UNIPEN's digits (median mass 100 px against 99 and 106).
"""

EDGE_SOFTNESS_PX = 1.1
"""The side of the square over which a pixel averages; 1 would be the pixel's own area.

Measured as the sum of v (1 - v) over the length of outline: 0.186 for MNIST, and 0.172, 0.189 and 0.206 for
pendigits with sides of 1.0, 1.1 and 1.2.
"""

Float = NDArray[np.float32]

_PIECE_PX = 1.25
_SPACING_PX = 0.2
_MOST_POINTS = 4096
_HAIR_PX = 3e-4
_BATCH = 16


def render(ink: Ink, *, pen_width_px: float = PEN_WIDTH_PX) -> NDArray[np.uint8]:
    """Render ink as `(28, 28) uint8`, background 0, ink 255; blank ink is all zeros.

    Size, place, and the order and direction of strokes make no difference; a lone point is a round dot, one
    pen wide. `pen_width_px` is the pen's width in pixels of the raster, above 0 and at most 10.
    """
    raster: NDArray[np.uint8] = render_many([ink], pen_width_px=pen_width_px)[0]
    return raster


def render_many(inks: Iterable[Ink], *, pen_width_px: float = PEN_WIDTH_PX) -> NDArray[np.uint8]:
    """Render each ink: `(n, 28, 28) uint8`."""
    if not 0.0 < pen_width_px <= BOX_PX / 2.0:
        raise ValueError(f"pen_width_px is {pen_width_px}; it must be above 0 and at most {BOX_PX / 2.0:g}.")
    inks = list(inks)
    rasters = np.zeros((len(inks), SIZE_PX, SIZE_PX), np.uint8)
    inked = [index for index, ink in enumerate(inks) if not ink.is_blank]
    for first in range(0, len(inked), _BATCH):
        batch = inked[first : first + _BATCH]
        rasters[batch] = _rendered([inks[index] for index in batch], pen_width_px)
    return rasters


class _Line(NamedTuple):
    """The centre line of one drawing in pixels, the middle of its box at (0, 0)."""

    strokes: list[Float]
    """`(n, 2)` each, n at least 2."""
    extent: Float
    """`(2,)`: width and height without the pen."""


class _Pieces(NamedTuple):
    """Short straight pieces of centre line, of several drawings, in pixels from the middle of the first."""

    start: Float
    """`(n, 2)`"""
    step: Float
    """`(n, 2)`: from start to end."""
    owner: NDArray[np.intp]
    """`(n,)`: the drawing that each piece belongs to."""


def _rendered(inks: Sequence[Ink], pen_width_px: float) -> NDArray[np.uint8]:
    lines = [_fitted(ink, pen_width_px) for ink in inks]
    pieces = _pieces(lines)
    by_box = _coverage(pieces, len(inks), pen_width_px)
    shift = _shift_to_centre(by_box, lines, pen_width_px)
    by_mass = _coverage(pieces._replace(start=pieces.start + shift[pieces.owner]), len(inks), pen_width_px)
    return (by_mass * 255.0 + 0.5).astype(np.uint8)


def _fitted(ink: Ink, pen_width_px: float) -> _Line:
    xy = ink.points[:, :2].astype(np.float64)
    low, high = xy.min(axis=0), xy.max(axis=0)
    longest = float((high - low).max())
    scale = (BOX_PX - pen_width_px) / longest if longest > 0.0 else 0.0
    xy = (xy - (low + high) / 2.0) * scale
    strokes = np.split(xy, np.cumsum([len(stroke) for stroke in ink.strokes])[:-1])
    strokes = [stroke[np.append(True, (stroke[1:] != stroke[:-1]).any(axis=1))] for stroke in strokes]
    if sum(len(stroke) for stroke in strokes) * _SPACING_PX > 2.0 * BOX_PX:
        strokes = _downsampled(strokes)
    strokes = [np.repeat(stroke, 2, axis=0) if len(stroke) == 1 else stroke for stroke in strokes]
    return _Line([stroke.astype(np.float32) for stroke in strokes], ((high - low) * scale).astype(np.float32))


def _downsampled(strokes: Sequence[NDArray[np.float64]]) -> list[NDArray[np.floating]]:
    """Return the same line by fewer points where they are denser than the raster can show."""
    lengths = [lengths_along(stroke) for stroke in strokes]
    spacing = max(_SPACING_PX, sum(float(length[-1]) for length in lengths) / _MOST_POINTS)
    return [downsampled(stroke, length, spacing) for stroke, length in zip(strokes, lengths, strict=True)]


def _pieces(lines: Sequence[_Line]) -> _Pieces:
    """Cut all centre lines, around the middle of the field, into pieces of at most `_PIECE_PX`."""
    strokes = [stroke for line in lines for stroke in line.strokes]
    start = np.concatenate([stroke[:-1] for stroke in strokes])
    step = np.concatenate([stroke[1:] for stroke in strokes]) - start
    counts = [sum(len(stroke) - 1 for stroke in line.strokes) for line in lines]
    owner = np.repeat(np.arange(len(lines)), counts)
    parts = np.ceil(np.hypot(step[:, 0], step[:, 1]) / _PIECE_PX).astype(np.intp)
    np.maximum(parts, 1, out=parts)
    nth = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
    step = np.repeat(step / parts[:, None].astype(np.float32), parts, axis=0)
    start = np.repeat(start, parts, axis=0) + step * nth[:, None].astype(np.float32)
    return _Pieces(start + np.float32((SIZE_PX - 1) / 2.0), step, np.repeat(owner, parts))


def _shift_to_centre(coverage: Float, lines: Sequence[_Line], pen_width_px: float) -> Float:
    """Return how far each drawing moves to have its centre of mass in place, if the field has room: `(n, 2)`."""
    at = np.arange(SIZE_PX, dtype=np.float32)
    columns, rows = coverage.sum(axis=1), coverage.sum(axis=2)
    centre = np.stack([columns @ at, rows @ at], axis=1) / rows.sum(axis=1, keepdims=True)
    room = (SIZE_PX - pen_width_px - np.stack([line.extent for line in lines])) / 2.0
    shift: Float = np.clip(CENTRE_PX - centre, -room, room).astype(np.float32)
    return shift


def _coverage(pieces: _Pieces, count: int, pen_width_px: float) -> Float:
    """Return how much of each pixel the pen covers: `(count, 28, 28) float32`, 0 to 1.

    Every piece covers the small square of pixels that it can reach; a pixel takes the most that any piece covers of it.
    """
    reach = int((_PIECE_PX + 1.0 + pen_width_px + EDGE_SOFTNESS_PX) / 2.0)
    middle = np.rint(pieces.start + pieces.step * np.float32(0.5))
    around = np.arange(-reach, reach + 1, dtype=np.float32)
    # A hair aside, so that the line passes no pixel's middle, where the way to it would have no direction.
    offset = middle - pieces.start + pieces.step[:, ::-1] * np.array([-_HAIR_PX, _HAIR_PX], np.float32)
    x = (offset[:, 0, None] + around)[:, None, :]
    y = (offset[:, 1, None] + around)[:, :, None]
    step_x, step_y = pieces.step[:, 0, None, None], pieces.step[:, 1, None, None]
    square: Float = np.maximum(step_x * step_x + step_y * step_y, np.float32(1e-12))
    along: Float = x * (step_x / square) + y * (step_y / square)
    np.clip(along, 0.0, 1.0, out=along)
    dx: Float = x - along * step_x
    dy: Float = y - along * step_y
    covered = _covered_by_strip(dx, dy, pen_width_px)

    side = SIZE_PX + 2 * reach
    corner = middle.astype(np.intp)[:, :, None] + np.arange(2 * reach + 1)
    row = pieces.owner[:, None] * side + corner[:, 1]
    at = row[:, :, None] * side + corner[:, 0, None, :]
    field = np.zeros(count * side * side, np.float32)
    np.maximum.at(field, at.ravel(), covered.ravel())
    return field.reshape(count, side, side)[:, reach:-reach, reach:-reach]


def _covered_by_strip(dx: Float, dy: Float, pen_width_px: float) -> Float:
    """Return the part of a pixel that is covered by a long strip whose centre line passes (dx, dy) from its middle.

    Seen along the strip, a square pixel is a trapezium: a box |nx| wide convolved with a box |ny| wide. Its
    integral between the edges of the strip is the area. `EDGE_SOFTNESS_PX` is the side of the square.
    """
    distance = np.sqrt(dx * dx + dy * dy)
    scale = np.float32(EDGE_SOFTNESS_PX) / np.maximum(distance, np.float32(1e-6))
    across, down = np.abs(dx) * scale, np.abs(dy) * scale
    wide = np.maximum(np.maximum(across, down), np.float32(0.5 * EDGE_SOFTNESS_PX))
    narrow = np.maximum(np.minimum(across, down), np.float32(0.01))
    half = np.float32(pen_width_px / 2.0)
    covered = _below(half - distance, wide, narrow)
    if pen_width_px < 1.5 * EDGE_SOFTNESS_PX:
        covered -= _below(-half - distance, wide, narrow)
    return covered


def _below(edge: Float, wide: Float, narrow: Float) -> Float:
    """Integrate the unit trapezium around 0 that boxes `wide` and `narrow` make, up to `edge`."""
    rest = np.maximum((wide + narrow) * np.float32(0.5) - np.abs(edge), np.float32(0.0))
    slope = np.minimum(rest, narrow)
    tail = slope * (rest - slope * np.float32(0.5)) / (wide * narrow)
    below: Float = np.where(edge > 0.0, np.float32(1.0) - tail, tail)
    return below
