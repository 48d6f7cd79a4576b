"""Convert pictures of handwriting, of any size and either polarity, to the raster that networks see.

The same rule as for ink (`raster`): the ink fitted into 20x20 with its aspect kept, its centre of mass in
place, 28x28 in all, background 0, ink 255. A picture that obeys the rule already, as MNIST's own do, stays
as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.raster import BOX_PX, CENTRE_PX, PEN_WIDTH_PX, SIZE_PX
from qtdigits.errors import InputError

Float = NDArray[np.float32]

_BOX_TOLERANCE_PX = 1.0
_CENTRE_TOLERANCE_PX = 1.0
_FULL = 0.85
_FIRM = 0.25
"""What counts as ink when its edges are looked for; MNIST's bounding boxes are 20 pixels at this level."""

_LEAST_CONTRAST = 16.0
_FLAT_NOISE = 8.0
_LEAST_SHADED_PX = 24
"""In a smaller picture grey levels at the border are the edges of ink, not shade."""
_PEAK_RANK = 4
_LARGE_SIDE_PX, _SMALL_SHARE = 400, 1 / 16
"""Ink that has less than this share of a picture of at least this size is looked at closely."""
_LEAST_STROKE_PX = 1.6
_WORKING_SIDE_PX = 200

_MOST_FRAMES = 3
_LEAST_FRAME_PX = 12
_FRAMED = 0.8
"""How much of each side of its box a frame runs along."""
_SOLID = 0.5


def normalise_image(grey: NDArray[Any]) -> NDArray[np.uint8]:
    """Convert a picture of one character, `(height, width)` of grey levels 0 to 255, to `(28, 28) uint8`.

    Polarity is found from the border, and an uneven background is levelled. A frame around the canvas, or what lies around
    the paper, is left out. Lines that would come out much thinner than MNIST's are thickened. A blank picture is all zeros.
    Doing it twice changes nothing. Raises `InputError` when `grey` is no such array.
    """
    levels = _checked(grey)
    if _is_normalised(levels):
        return np.rint(levels).astype(np.uint8)
    window = window_of_ink(levels)
    ink = _cropped(_ink_inside_frames(levels if window is None else levels[window]))
    if not ink.size:
        return np.zeros((SIZE_PX, SIZE_PX), np.uint8)
    return _fitted(_thickened(ink))


def normalise_images(greys: NDArray[Any]) -> NDArray[np.uint8]:
    """Convert each picture of `(n, height, width)`: `(n, 28, 28) uint8`."""
    greys = np.asarray(greys)
    if greys.ndim != 3:
        raise InputError(f"The pictures have the shape {greys.shape}; it must be (n, height, width).")
    rasters = np.zeros((len(greys), SIZE_PX, SIZE_PX), np.uint8)
    ready = np.zeros(len(greys), bool)
    if greys.shape[1:] == rasters.shape[1:] and greys.dtype == np.uint8:
        ready = _obey_rule(greys)
        rasters[ready] = greys[ready]
    for index in np.flatnonzero(~ready):
        rasters[index] = normalise_image(greys[index])
    return rasters


def window_of_ink(grey: NDArray[Any]) -> tuple[slice, slice] | None:
    """Return where the ink of a large picture is, with paper around it; None where it takes up much of it, or there is none.

    A small drawing on a large sheet has fewer pixels of ink than the sheet has of dust and shade.
    """
    if max(grey.shape) < _LARGE_SIDE_PX:
        return None
    firm = _ink_of(_checked(grey), rank=_PEAK_RANK) >= _FIRM
    firm &= _neighbourhood(firm) > 2
    rows, columns = np.flatnonzero(firm.any(axis=1)), np.flatnonzero(firm.any(axis=0))
    if not len(rows):
        return None
    margin = max(np.ptp(rows), np.ptp(columns)) // 2 + _LEAST_FRAME_PX
    window = tuple(slice(max(0, at[0] - margin), at[-1] + 1 + margin) for at in (rows, columns))
    is_small = grey[window].size < grey.size * _SMALL_SHARE
    return (window[0], window[1]) if is_small else None


def is_normalised(image: NDArray[Any]) -> bool:
    """Whether `normalise_image` returns the picture as it is: blank, or light on dark by MNIST's rule.

    The rule: 28x28, the longer side of the ink 19 to 21 pixels, its centre of mass within a pixel of where it
    belongs, or as near as the field has room. Raises `InputError` as `normalise_image` does.
    """
    return _is_normalised(_checked(image))


def _checked(grey: NDArray[Any]) -> Float:
    levels = np.asarray(grey)
    if levels.ndim != 2 or levels.size == 0:
        raise InputError(f"A picture has the shape {levels.shape}; it must be (height, width).")
    if levels.dtype.kind == "b":
        levels = levels * np.uint8(255)
    if levels.dtype.kind not in "uif":
        raise InputError(f"A picture holds {levels.dtype} values; they must be grey levels from 0 to 255.")
    if not np.isfinite(levels).all():
        raise InputError("A picture has a grey level that is not a finite number.")
    checked: Float = np.clip(levels, 0, 255).astype(np.float32)
    return checked


def _is_normalised(levels: NDArray[Any]) -> bool:
    return levels.shape == (SIZE_PX, SIZE_PX) and bool(_obey_rule(levels[None])[0])


def _obey_rule(images: NDArray[Any]) -> NDArray[np.bool_]:
    """`(n, 28, 28)` to `(n,)`."""
    ink = images.astype(np.float32) / np.float32(255.0)
    peak = ink.max(axis=(1, 2), initial=0.0)
    edges = ink[:, [0, -1]], ink[:, :, [0, -1]]
    dark = sum(np.count_nonzero(edge >= _FIRM, axis=(1, 2)) for edge in edges) < 2 * SIZE_PX
    longest = np.zeros(len(ink), np.float32)
    centred = np.ones(len(ink), bool)
    for axis in (1, 2):
        first, last = _extent(ink.max(axis=axis))
        longest = np.maximum(longest, last - first)
        mass = ink.sum(axis=axis)
        centre = mass @ np.arange(SIZE_PX, dtype=np.float32) / np.maximum(mass.sum(axis=1), 1.0)
        centred &= np.abs(np.clip(CENTRE_PX - centre, -first, SIZE_PX - last)) <= _CENTRE_TOLERANCE_PX
    fitted = np.abs(longest - BOX_PX) <= _BOX_TOLERANCE_PX
    obeys: NDArray[np.bool_] = (peak == 0.0) | (dark & fitted & centred & (peak >= _FULL))
    return obeys


def _extent(profile: Float) -> tuple[Float, Float]:
    """Return the first and last edge of the ink in each row of `(n, side)`, or 0 and 0 where there is none.

    The grey of the outermost pixels says how far into them the ink goes.
    """
    padded = np.zeros((len(profile), profile.shape[1] + 3), np.float32)
    padded[:, 1:-2] = profile
    firm = padded >= _FIRM
    inked = firm.any(axis=1)
    row = np.arange(len(profile))
    first = firm.argmax(axis=1)
    last = profile.shape[1] + 2 - firm[:, ::-1].argmax(axis=1)
    low = first - padded[row, first - 1] - padded[row, first]
    high = last - 1 + padded[row, last] + padded[row, (last + 1) % padded.shape[1]]
    return low * inked, high * inked


def _border(levels: Float) -> Float:
    """Return the outermost pixels of a picture, a twentieth of it deep: `(n,)`."""
    depth = max(1, min(levels.shape) // 20)
    inner = levels[depth:-depth]
    sides = (levels[:depth], levels[-depth:], inner[:, :depth], inner[:, -depth:])
    return np.concatenate([side.ravel() for side in sides])


def _ink_of(levels: Float, *, rank: int = 0) -> Float:
    """Ink 1, background 0, whichever was lighter; all zeros when nothing stands out from the background.

    The firmest ink is that of the pixel of this `rank`; 0: of one that depends on the size of the picture.
    """
    ground: Float | np.float32
    ground, noise = _level_and_noise(_background_at_border(levels))
    if noise > _FLAT_NOISE and min(levels.shape) >= _LEAST_SHADED_PX:
        ground = _uneven_ground(levels)
        noise = _level_and_noise(_border(levels - ground))[1]
    ink = levels - ground
    if float(np.sum(ink * ink * ink, dtype=np.float64)) < 0.0:
        # Where less light falls on paper, ink is less dark by the same ratio.
        ink *= -np.mean(ground) / np.maximum(ground, 1.0)
    rank = min(ink.size, rank or max(1, max(ink.shape) // 8))
    peak = float(np.partition(ink, -rank, axis=None)[-rank])
    if peak < max(_LEAST_CONTRAST, 6.0 * noise):
        return np.zeros_like(levels)
    floor = np.float32(3.0 * noise)
    standing_out: Float = np.clip((ink - floor) / (np.float32(peak) - floor), 0.0, 1.0)
    return standing_out


def _background_at_border(levels: Float) -> Float:
    """Return the levels at the border without those of ink that touches it: what most of border and corners are is background."""
    border, corners = _border(levels), levels[[0, 0, -1, -1], [0, -1, 0, -1]]
    middle = (levels.min() + levels.max()) / 2.0
    is_light = np.mean(border > middle) + np.mean(corners > middle) > 1.0
    background: Float = border[(border > middle) == is_light]
    return background


def _level_and_noise(levels: Float) -> tuple[np.float32, float]:
    """Return the middle of the shortest interval that holds half of the levels, and the standard deviation that its width tells.

    The grey edges of ink, always on one side of the background, move neither much.
    """
    ordered = np.sort(levels)
    half = (len(ordered) + 1) // 2
    widths = ordered[half - 1 :] - ordered[: len(ordered) - half + 1]
    first = int(widths.argmin())
    return (ordered[first] + ordered[first + half - 1]) / np.float32(2.0), 0.741 * float(widths[first])


def _ink_inside_frames(levels: Float) -> Float:
    """As `_ink_of`, without a frame around the ink; an empty frame is a drawing itself, an angular zero."""
    ink = _ink_of(levels)
    inside = levels
    for _ in range(_MOST_FRAMES):
        window = _inside_frame(_ink_of(inside) >= _FIRM)
        if window is None:
            break
        inside = inside[window]
        found = _ink_of(inside)
        if _inside_frame(found >= _FIRM) is None and _cropped(found).size:
            ink = found
    return ink


def _inside_frame(firm: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Return the inside of a frame, or of paper on a table: ink that runs along all four sides of its own box; None without one.

    A side may lean by a twentieth of its length; a round digit touches its box on less than half of each side.
    """
    firm = firm & (_neighbourhood(firm) > 2)
    rows, columns = np.flatnonzero(firm.any(axis=1)), np.flatnonzero(firm.any(axis=0))
    if min(len(rows), len(columns)) < _LEAST_FRAME_PX:
        return None
    box = firm[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    is_solid = box.mean() > _SOLID
    insets = []
    for side in (box, box[::-1], box.T, box.T[::-1]):
        band = max(1, len(side) // 20)
        if side[:band].any(axis=0).mean() < _FRAMED:
            return None
        leaning = side[: 2 * band].mean(axis=1) > 0.5 * (1.0 - _FRAMED)
        width = band if is_solid or leaning.all() else 2 * band - int(leaning[::-1].argmax())
        insets.append(width + 1)
    top, bottom, left, right = insets
    return (
        slice(rows[0] + top, rows[-1] + 1 - bottom),
        slice(columns[0] + left, columns[-1] + 1 - right),
    )


def _uneven_ground(levels: Float) -> Float:
    """Fit a quadratic surface to the background, of least absolute deviation, by reweighting."""
    y, x = (np.linspace(-1.0, 1.0, side, dtype=np.float32) for side in levels.shape)
    rows, columns = (slice(None, None, max(1, side // 32)) for side in levels.shape)
    sampled = levels[rows, columns].astype(np.float64).ravel()
    v, u = (grid.ravel() for grid in np.meshgrid(y[rows], x[columns], indexing="ij"))
    terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=1)
    weight = np.ones(len(sampled))
    for _ in range(12):
        c = np.linalg.lstsq(terms * weight[:, None], sampled * weight, rcond=None)[0].astype(np.float32)
        weight = 1.0 / np.sqrt(np.maximum(np.abs(sampled - terms @ c), 0.5))
    surface: Float = c[0] + (c[1] + c[3] * x) * x + ((c[2] + c[5] * y) * y)[:, None] + c[4] * y[:, None] * x
    return surface


def _cropped(ink: Float) -> Float:
    """Return the part of the picture that holds ink; empty when there is none.

    Haze, and specks of a single pixel, are removed.
    """
    firm = ink >= _FIRM
    firm &= _neighbourhood(firm) > 1
    ink = ink * (_neighbourhood(firm) > 0)
    rows, columns = np.flatnonzero(firm.any(axis=1)), np.flatnonzero(firm.any(axis=0))
    if not len(rows):
        return np.empty((0, 0), np.float32)
    return ink[max(rows[0] - 1, 0) : rows[-1] + 2, max(columns[0] - 1, 0) : columns[-1] + 2]


def _neighbourhood(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Count how many of each pixel and its 8 neighbours are set."""
    padded = np.pad(mask, 1).view(np.uint8)
    sums = padded[:-2] + padded[1:-1] + padded[2:]
    counts: NDArray[np.uint8] = sums[:, :-2] + sums[:, 1:-1] + sums[:, 2:]
    return counts


def _thickened(ink: Float) -> Float:
    """Widen thin lines to about MNIST's width: in a large picture they would fade when it shrinks."""
    if _stroke_width_px(ink) * BOX_PX / max(ink.shape) >= _LEAST_STROKE_PX:
        return ink
    block = max(1, max(ink.shape) // _WORKING_SIDE_PX)
    if block > 1:
        ink = np.pad(ink, [(0, -side % block) for side in ink.shape])
        ink = ink.reshape(len(ink) // block, block, -1, block).max(axis=(1, 3))
    # The drawing grows by the same radius, so w + 2r of a longest side of n + 2r is to be the pen's share.
    share = PEN_WIDTH_PX / BOX_PX
    radius = round((share * max(ink.shape) - _stroke_width_px(ink)) / (2.0 * (1.0 - share)))
    ink = np.pad(ink, max(radius, 0))
    for step in range(radius):
        ink = _grown(ink, corners=step % 2 == 1)
    return ink


def _stroke_width_px(ink: Float) -> float:
    """Return twice the area over the length of outline, which is the sum of grey differences (4 / pi too long)."""
    padded = np.pad(np.clip(ink * 4.0 - 1.0, 0.0, 1.0), 1)
    outline = float(np.abs(np.diff(padded, axis=0)).sum() + np.abs(np.diff(padded, axis=1)).sum())
    return 2.0 * float(padded.sum()) / max(outline * np.pi / 4.0, 1.0)


def _grown(ink: Float, *, corners: bool) -> Float:
    """Give every pixel the level of the brightest of its 4 neighbours, or of all 8 with `corners`."""
    grown = np.copy(ink)
    np.maximum(grown[1:], ink[:-1], out=grown[1:])
    np.maximum(grown[:-1], ink[1:], out=grown[:-1])
    source = np.copy(grown) if corners else ink
    np.maximum(grown[:, 1:], source[:, :-1], out=grown[:, 1:])
    np.maximum(grown[:, :-1], source[:, 1:], out=grown[:, :-1])
    return grown


def _fitted(ink: Float) -> NDArray[np.uint8]:
    """Scale and place ink by the rule. Ink too faint to be measured alike before and after is made black and white first."""
    ink = _without_dust(ink)
    raster = _scaled_to_box(ink)
    if not _is_normalised(raster):
        raster = _scaled_to_box((ink >= _FIRM).astype(np.float32))
    return raster


def _without_dust(ink: Float) -> Float:
    """Cut ink down to what is still firm when fitted: specks far off would take up the box and then fade."""
    for _ in range(4):
        scale = BOX_PX / _longest(ink)
        shifts = _shifts(ink, scale)
        seen = _extents(_placed(ink, scale, shifts))
        if max(last - first for first, last in seen) > 0.9 * BOX_PX:
            break
        columns, rows = (
            slice(max(int((first - shift) / scale) - 1, 0), int((last - shift) / scale) + 2)
            for (first, last), shift in zip(seen, shifts, strict=True)
        )
        if not (ink[rows, columns] >= _FIRM).any():
            break
        ink = ink[rows, columns]
    return ink


def _scaled_to_box(ink: Float) -> NDArray[np.uint8]:
    """Scale ink to the box in a loop: its size depends a little on how the edges fall on pixels."""
    first_guess = scale = BOX_PX / _longest(ink)
    best, least_error = ink, np.inf
    for _ in range(8):
        image = _placed(ink, scale, _shifts(ink, scale))
        longest = _longest(image)
        if abs(longest - BOX_PX) < least_error:
            best, least_error = image, abs(longest - BOX_PX)
        if least_error < 0.2:
            break
        scale = min(max(scale * BOX_PX / max(longest, 1.0), 0.7 * first_guess), 1.5 * first_guess)
    raster: NDArray[np.uint8] = np.rint(best * 255.0).astype(np.uint8)
    return raster


def _longest(ink: Float) -> float:
    return max(last - first for first, last in _extents(ink))


def _extents(ink: Float) -> list[tuple[float, float]]:
    """Return the first and last edge along x, then y."""
    ends = (_extent(ink.max(axis=axis)[None]) for axis in (0, 1))
    return [(float(first[0]), float(last[0])) for first, last in ends]


def _shifts(ink: Float, scale: float) -> list[float]:
    """Return how far the scaled ink moves along x and y to have its centre of mass in place, if there is room."""
    mass = float(ink.sum())
    shifts = []
    for axis, (first, last) in enumerate(_extents(ink)):
        profile = ink.sum(axis=axis)
        centre = float(profile @ np.arange(0.5, len(profile), dtype=np.float32)) / mass
        shifts.append(min(max(CENTRE_PX + 0.5 - scale * centre, -scale * first), SIZE_PX - scale * last))
    return shifts


def _placed(ink: Float, scale: float, shifts: list[float]) -> Float:
    """`(28, 28)`, the ink 1."""
    x, y = (_resampling(side, scale, shift) for side, shift in zip(ink.shape[::-1], shifts, strict=True))
    image = y @ ink @ x.T
    peak = np.partition(image, -_PEAK_RANK, axis=None)[-_PEAK_RANK]
    placed: Float = np.clip(image / max(float(peak), 1e-3), 0.0, 1.0)
    return placed


def _resampling(side: int, scale: float, shift: float) -> Float:
    """Return weights that scale and shift a row of pixels, by area to shrink, linearly to enlarge: `(28, side)`."""
    target = np.arange(SIZE_PX, dtype=np.float32)[:, None]
    source = np.arange(side, dtype=np.float32)
    if scale < 1.0:
        low, high = source * scale + shift, (source + 1.0) * scale + shift
        weights: Float = np.minimum(target + 1.0, high) - np.maximum(target, low)
    else:
        weights = 1.0 - np.abs((target + 0.5 - shift) / scale - 0.5 - source)
    return np.maximum(weights, np.float32(0.0))
