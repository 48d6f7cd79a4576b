"""Augmentation: each drawing is varied a little every time the network sees it.

Where there is ink, the strokes are deformed, some points dropped and the pen changed, and the result is rendered by the
rule of `core.drawing.raster`. Where there are only pixels, an affine map and an elastic field move them, both in one bilinear
resampling, after the strokes have been made thicker or thinner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.raster import PEN_WIDTH_PX, SIZE_PX, render_many

Float = NDArray[np.float32]

_CHUNK = 128
"""Images processed at a time: their arrays fit into a processor's second-level cache."""

RESAMPLED_CONTRAST = 1.4
"""Bilinear resampling softens edges; this much contrast, around the middle grey, makes them as steep as they were.

Measured as the sum of v (1 - v) over the length of outline, as in `core.drawing.raster`: 0.185 for MNIST's images, 0.311 for
the same resampled, 0.186 with this contrast. With strokes made thicker or thinner as well it would be 0.394, and is 0.181.
Otherwise a network learns that soft edges mean MNIST and sharp ones mean ink.
"""

_THINNEST_PX, _THICKEST_PX = 0.8, 6.0
_PEN_STEP_PX = 0.2
"""Pen widths are rounded to this, so that drawings with the same pen can be rendered together."""

_WAVES = 3

NOT_SCALED = ("strength", "pixels", "elastic_smoothness_px")
"""Settings that `strength` does not multiply."""


@dataclass(frozen=True)
class Augmentation:
    """How strongly drawings are varied. Every setting is 0 where that deformation is off.

    A value drawn for each drawing is uniform from minus to plus its setting, unless said otherwise.
    """

    strength: float = 1.0
    """Multiplies all settings but those of `NOT_SCALED`; 0: nothing is changed."""
    pixels: float = 1.0
    """Multiplies them once more where there are only pixels, which suffer from being resampled."""
    rotation_deg: float = 12.0
    shear: float = 0.25
    """Slant: the tangent of its angle."""
    scale: float = 0.15
    """Size, along x and y by themselves: the natural logarithm of the factor."""
    shift_px: float = 1.0
    """Pixels only: ink is centred by the raster anyway."""
    elastic_px: float = 0.6
    """Standard deviation of the elastic field, along each axis (Simard, Steinkraus, Platt 2003). Pixels only."""
    elastic_smoothness_px: float = 4.0
    """Standard deviation of the Gaussian that smooths the elastic field; above 0."""
    thickness: float = 0.5
    """How far pixels go towards the image with its strokes grown (or, below 0, shrunk) by a pixel on every side."""
    warp: float = 0.03
    """Ink only: a smooth bend, as a part of the drawing's size."""
    jitter: float = 0.012
    """Ink only: unsteadiness of single points, as a part of the drawing's size; from 0 to the setting."""
    stroke_shift: float = 0.03
    """Ink only: each stroke moves by itself, as a part of the drawing's size."""
    dropping: float = 0.6
    """Ink only: part of the points that a slow device loses; from 0 to the setting. The ends of strokes stay."""
    pen: float = 0.6
    """Ink only: the pen's width, as the natural logarithm of the factor."""

    @property
    def is_off(self) -> bool:
        return self.strength <= 0.0

    @property
    def moves_pixels(self) -> bool:
        """Whether drawings that are pixels only are varied at all; the other settings need ink."""
        return max(self.rotation_deg, self.shear, self.scale, self.shift_px, self.elastic_px) > 0.0

    def scaled(self) -> Augmentation:
        """Return the same with `strength` multiplied into the settings, and itself 1."""
        names = (setting.name for setting in fields(self) if setting.name not in NOT_SCALED)
        settings = {name: getattr(self, name) * self.strength for name in names}
        for part in ("thickness", "dropping"):
            settings[part] = min(settings[part], 1.0)
        return replace(self, strength=1.0, **settings)


def augment_images(
    images: NDArray[np.uint8], rng: np.random.Generator, settings: Augmentation
) -> NDArray[np.uint8]:
    """Vary each image by itself: `(n, 28, 28) uint8`, ink 255, in and out. What leaves the field is lost."""
    settings = replace(settings, strength=settings.strength * settings.pixels)
    if settings.is_off:
        return images.copy()
    settings = settings.scaled()
    varied = np.empty_like(images)
    for first in range(0, len(images), _CHUNK):
        varied[first : first + _CHUNK] = _varied(images[first : first + _CHUNK], rng, settings)
    return varied


def augment_inks(inks: Sequence[Ink], rng: np.random.Generator, settings: Augmentation) -> NDArray[np.uint8]:
    """Deform each ink by itself and render it with a pen of its own: `(n, 28, 28) uint8`."""
    if settings.is_off:
        return render_many(inks)
    return render_with_pens(deform_inks(inks, rng, settings), pen_widths_px(len(inks), rng, settings))


def deform_inks(inks: Sequence[Ink], rng: np.random.Generator, settings: Augmentation) -> list[Ink]:
    """Return each ink sheared, rotated, scaled, bent and jittered, its strokes moved, some of its points dropped.

    Size and place are not kept (the raster depends on neither): the middle of each drawing is at (0, 0), its longer side
    about 1. Times and pressures stay with their points.
    """
    strokes = [stroke for ink in inks for stroke in ink.strokes]
    if settings.is_off or not strokes:
        return list(inks)
    settings = settings.scaled()
    points = np.concatenate(strokes)
    stroke_of = np.repeat(np.arange(len(strokes)), [len(stroke) for stroke in strokes])
    ink_of = np.repeat(np.arange(len(inks)), [len(ink.strokes) for ink in inks])[stroke_of]
    points[:, :2] = _moved(_unit_sized(points[:, :2], ink_of), stroke_of, ink_of, rng, settings)
    kept = _kept_points(stroke_of, ink_of, rng, settings.dropping)
    return _as_inks(points[kept], stroke_of[kept], [len(ink.strokes) for ink in inks])


def pen_widths_px(n: int, rng: np.random.Generator, settings: Augmentation) -> Float:
    """`(n,)`: a pen for each drawing, around the raster's own, in steps of 0.2 px."""
    widths = PEN_WIDTH_PX * np.exp(_uniform(rng, settings.scaled().pen, n))
    stepped = np.rint(np.clip(widths, _THINNEST_PX, _THICKEST_PX) / _PEN_STEP_PX) * _PEN_STEP_PX
    return stepped.astype(np.float32)


def render_with_pens(inks: Sequence[Ink], widths_px: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Render each ink with its own pen: `(n, 28, 28) uint8`. Fast where many pens are the same."""
    rasters = np.empty((len(inks), SIZE_PX, SIZE_PX), np.uint8)
    for width_px in np.unique(widths_px):
        members = np.flatnonzero(widths_px == width_px)
        rasters[members] = render_many([inks[i] for i in members.tolist()], pen_width_px=float(width_px))
    return rasters


def _uniform(rng: np.random.Generator, most: float, shape: int | tuple[int, ...]) -> Float:
    """Draw numbers from `-most` to `most`."""
    return (rng.random(shape, np.float32) * np.float32(2.0) - np.float32(1.0)) * np.float32(most)


def _affine(n: int, rng: np.random.Generator, settings: Augmentation) -> Float:
    """Return matrices that rotate, shear and scale points (x, y): `(n, 2, 2)`."""
    angle = _uniform(rng, np.deg2rad(settings.rotation_deg), n)
    slant = _uniform(rng, settings.shear, n)
    stretch = np.exp(_uniform(rng, settings.scale, (n, 2)))
    cos, sin = np.cos(angle), np.sin(angle)
    turned = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], axis=1)
    slanted = np.tile(np.eye(2, dtype=np.float32), (n, 1, 1))
    slanted[:, 0, 1] = slant
    affine: Float = turned @ slanted * stretch[:, None, :]
    return affine


def _varied(images: NDArray[np.uint8], rng: np.random.Generator, settings: Augmentation) -> NDArray[np.uint8]:
    amount = _uniform(rng, settings.thickness, len(images))
    contrast = np.float32(1.0) + np.abs(amount)
    if settings.thickness > 0.0:
        images = _with_thickness(images, amount)
    if settings.moves_pixels:
        images = _resampled(images, *_sources(len(images), rng, settings))
        contrast = contrast * np.float32(RESAMPLED_CONTRAST)
    return _with_contrast(images, contrast)


def _with_contrast(images: NDArray[np.uint8], contrast: Float) -> NDArray[np.uint8]:
    """Move grey levels `contrast` `(n,)` times as far from the middle grey as they were."""
    levels = (images - np.float32(127.5)) * contrast[:, None, None] + np.float32(128.0)
    steeper: NDArray[np.uint8] = np.clip(levels, 0.0, 255.0, out=levels).astype(np.uint8)
    return steeper


def _with_thickness(images: NDArray[np.uint8], amount: Float) -> NDArray[np.uint8]:
    """Move images by `amount` `(n,)`, -1 to 1, towards the eroded (below 0) or the dilated image."""
    signs = np.where(amount < 0.0, np.uint8(255), np.uint8(0))[:, None, None]
    grown = _dilated(images ^ signs) ^ signs
    part = np.rint(np.abs(amount) * 128.0).astype(np.int16)[:, None, None]
    change = (grown.astype(np.int16) - images) * part
    changed: NDArray[np.uint8] = (images + (change >> 7)).astype(np.uint8)
    return changed


def _dilated(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give every pixel the level of the brightest of itself and its 4 neighbours."""
    grown = images.copy()
    np.maximum(grown[:, 1:], images[:, :-1], out=grown[:, 1:])
    np.maximum(grown[:, :-1], images[:, 1:], out=grown[:, :-1])
    np.maximum(grown[:, :, 1:], images[:, :, :-1], out=grown[:, :, 1:])
    np.maximum(grown[:, :, :-1], images[:, :, 1:], out=grown[:, :, :-1])
    return grown


def _sources(n: int, rng: np.random.Generator, settings: Augmentation) -> tuple[Float, Float]:
    """Return where each pixel of the varied images comes from: x and y, `(n, 28, 28)` each."""
    at = np.arange(SIZE_PX, dtype=np.float32) - np.float32((SIZE_PX - 1) / 2.0)
    inverse = np.linalg.inv(_affine(n, rng, settings))
    middle = _uniform(rng, settings.shift_px, (n, 2)) + np.float32((SIZE_PX - 1) / 2.0)
    along_x = inverse[:, :, 0, None] * at
    along_y = inverse[:, :, 1, None] * at + middle[:, :, None]
    x, y = (along_x[:, axis, None, :] + along_y[:, axis, :, None] for axis in (0, 1))
    if settings.elastic_px > 0.0:
        field = _elastic_field(n, rng, settings)
        x += field[0]
        y += field[1]
    return x, y


def _elastic_field(n: int, rng: np.random.Generator, settings: Augmentation) -> Float:
    """`(2, n, 28, 28)`: independent noise on a coarse grid, smoothed by a Gaussian, with the standard deviation set."""
    smoothness_px = settings.elastic_smoothness_px
    knots = np.linspace(-smoothness_px, SIZE_PX - 1 + smoothness_px, int(SIZE_PX / smoothness_px) + 4)
    weight = np.exp(-0.5 * ((np.arange(SIZE_PX)[:, None] - knots) / smoothness_px) ** 2)
    weight = (weight / np.sqrt((weight**2).sum(axis=1, keepdims=True))).astype(np.float32)
    noise = rng.standard_normal((2, n, len(knots), len(knots)), np.float32) * np.float32(settings.elastic_px)
    field: Float = weight @ (noise @ weight.T)
    return field


def _resampled(images: NDArray[np.uint8], x: Float, y: Float) -> NDArray[np.uint8]:
    """Resample bilinearly: each pixel from the four around its source; outside of the field it is dark."""
    side = SIZE_PX + 3
    framed = np.zeros((len(images), side, side), np.float32)
    framed[:, 1 : SIZE_PX + 1, 1 : SIZE_PX + 1] = images
    np.clip(x + np.float32(1.0), 0.0, SIZE_PX + 1.0, out=x)
    np.clip(y + np.float32(1.0), 0.0, SIZE_PX + 1.0, out=y)
    column, row = x.astype(np.int32), y.astype(np.int32)
    x -= column
    y -= row
    corner = row * np.int32(side) + column
    corner += (np.arange(len(images), dtype=np.int32) * np.int32(side * side))[:, None, None]
    flat = framed.ravel()
    upper = flat.take(corner)
    upper += (flat[1:].take(corner) - upper) * x
    lower = flat[side:].take(corner)
    lower += (flat[side + 1 :].take(corner) - lower) * x
    upper += (lower - upper) * y
    upper += np.float32(0.5)
    return upper.astype(np.uint8)


def _unit_sized(xy: Float, ink_of: NDArray[np.intp]) -> Float:
    """Move the middle of each drawing to (0, 0) and scale its longer side to 1. Points of a drawing are adjacent."""
    starts = np.flatnonzero(np.diff(ink_of, prepend=-1))
    counts = np.diff(starts, append=len(xy))
    wide = xy.astype(np.float64)
    low, high = np.minimum.reduceat(wide, starts), np.maximum.reduceat(wide, starts)
    size = (high - low).max(axis=1, keepdims=True)
    size[size <= 0.0] = 1.0
    unit: Float = (
        (wide - np.repeat((low + high) / 2.0, counts, axis=0)) / np.repeat(size, counts, axis=0)
    ).astype(np.float32)
    return unit


def _moved(
    xy: Float,
    stroke_of: NDArray[np.intp],
    ink_of: NDArray[np.intp],
    rng: np.random.Generator,
    settings: Augmentation,
) -> Float:
    n = int(ink_of[-1]) + 1
    moved: Float = np.matmul(_affine(n, rng, settings)[ink_of], xy[:, :, None])[:, :, 0]
    if settings.warp > 0.0:
        moved += _bend(xy, ink_of, rng, settings.warp)
    moved += _uniform(rng, settings.stroke_shift, (int(stroke_of[-1]) + 1, 2))[stroke_of]
    unsteady = rng.random(n, np.float32)[ink_of, None] * np.float32(settings.jitter)
    moved += rng.standard_normal(xy.shape, np.float32) * unsteady
    return moved


def _bend(xy: Float, ink_of: NDArray[np.intp], rng: np.random.Generator, most: float) -> Float:
    """Return the displacement by a few waves, each longer than half the drawing, in random directions."""
    n = int(ink_of[-1]) + 1
    bend = np.zeros_like(xy)
    for _ in range(_WAVES):
        wave = rng.standard_normal((n, 2), np.float32) * np.float32(0.5 * np.pi)
        phase = rng.random(n, np.float32) * np.float32(2.0 * np.pi)
        height = np.sin((wave[ink_of] * xy).sum(axis=1) * np.float32(2.0) + phase[ink_of])
        bend += height[:, None] * _uniform(rng, most, (n, 2))[ink_of]
    return bend


def _kept_points(
    stroke_of: NDArray[np.intp], ink_of: NDArray[np.intp], rng: np.random.Generator, most: float
) -> NDArray[np.bool_]:
    lost = rng.random(int(ink_of[-1]) + 1, np.float32) * np.float32(most)
    kept = rng.random(len(ink_of), np.float32) >= lost[ink_of]
    is_new = np.diff(stroke_of, prepend=-1) > 0
    kept |= is_new
    kept[:-1] |= is_new[1:]
    kept[-1] = True
    return kept


def _as_inks(points: Float, stroke_of: NDArray[np.intp], strokes_in: Sequence[int]) -> list[Ink]:
    points.setflags(write=False)
    starts = np.flatnonzero(np.diff(stroke_of, prepend=-1)).tolist()
    strokes = [points[a:b] for a, b in zip(starts, [*starts[1:], len(points)], strict=True)]
    ends = np.cumsum([0, *strokes_in]).tolist()
    return [Ink(tuple(strokes[a:b])) for a, b in pairwise(ends)]
