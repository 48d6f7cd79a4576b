"""Augmentation: the same seed gives the same drawings, no strength changes nothing, and a digit stays that digit."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from qtdigits.core.drawing.augmentation import (
    RESAMPLED_CONTRAST,
    Augmentation,
    augment_images,
    augment_inks,
    deform_inks,
    pen_widths_px,
    render_with_pens,
)
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.raster import PEN_WIDTH_PX, render, render_many
from qtdigits.core.drawing.synthetic import synthetic_digits

OFF = Augmentation(**{field.name: 0.0 for field in fields(Augmentation)})
STILL = replace(OFF, strength=1.0, pixels=1.0, elastic_smoothness_px=4.0)
"""On, but with every deformation at 0: to be switched on one by one."""


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def inks() -> list[Ink]:
    return synthetic_digits(60, seed=3)[0]


@pytest.fixture(scope="module")
def images(inks: list[Ink]) -> NDArray[np.uint8]:
    return render_many(inks)


def mass_centre(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    at = np.arange(28)
    grey = image.astype(float)
    return np.array([grey.sum(axis=0) @ at, grey.sum(axis=1) @ at]) / grey.sum()


def likeness(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


# ------------------------------------------------------------------------------------------------------- pixels


def test_that_the_same_seed_gives_the_same_images_and_another_seed_others(images: NDArray[np.uint8]) -> None:
    varied = augment_images(images, rng(), Augmentation())
    assert np.array_equal(varied, augment_images(images, rng(), Augmentation()))
    assert not np.array_equal(varied, augment_images(images, rng(2), Augmentation()))


def test_that_every_image_is_varied_by_itself(images: NDArray[np.uint8]) -> None:
    varied = augment_images(np.repeat(images[:1], 200, axis=0), rng(), Augmentation())
    assert len(np.unique(varied, axis=0)) == 200


def test_that_images_without_strength_are_a_copy(images: NDArray[np.uint8]) -> None:
    same = augment_images(images, rng(), Augmentation(strength=0.0))
    assert np.array_equal(same, images)
    assert same is not images


def test_that_images_with_every_deformation_off_stay_as_they_are(images: NDArray[np.uint8]) -> None:
    assert np.array_equal(augment_images(images, rng(), STILL), images)


def test_that_images_given_are_not_written_to(images: NDArray[np.uint8]) -> None:
    before = images.copy()
    augment_images(images, rng(), Augmentation(strength=3.0))
    assert np.array_equal(images, before)


def test_that_a_varied_digit_is_more_like_itself_than_like_other_digits(images: NDArray[np.uint8]) -> None:
    varied = augment_images(images, rng(), Augmentation())
    to_itself = np.median([likeness(a, b) for a, b in zip(images, varied, strict=True)])
    to_others = np.median([likeness(a, b) for a, b in zip(images, np.roll(varied, 1, axis=0), strict=True)])
    assert to_itself > 0.6
    assert to_others < 0.4


def test_that_shift_moves_images_without_deforming_them(images: NDArray[np.uint8]) -> None:
    varied = augment_images(images, rng(), replace(STILL, shift_px=2.0))
    moved = np.array([mass_centre(b) - mass_centre(a) for a, b in zip(images, varied, strict=True)])
    assert np.abs(moved).max() == pytest.approx(2.0, abs=0.15)
    assert np.allclose(varied.sum(axis=(1, 2), dtype=float), images.sum(axis=(1, 2), dtype=float), rtol=0.02)


def test_that_rotation_turns_a_bar_by_at_most_the_angle_set() -> None:
    bar = np.zeros((1, 28, 28), np.uint8)
    bar[0, 4:24, 13:15] = 255
    turned = augment_images(np.repeat(bar, 300, axis=0), rng(), replace(STILL, rotation_deg=20.0))
    angles = np.array([bar_angle_deg(image) for image in turned])
    assert 18.5 < np.abs(angles).max() < 20.5
    assert abs(angles.mean()) < 2.0


def bar_angle_deg(image: NDArray[np.uint8]) -> float:
    grey = image / image.sum()
    y, x = np.mgrid[:28, :28] - 13.5
    return float(np.rad2deg(0.5 * np.arctan2(2 * (grey * x * y).sum(), (grey * (y * y - x * x)).sum())))


def test_that_thickness_goes_both_ways_and_thin_strokes_stay_visible(images: NDArray[np.uint8]) -> None:
    varied = augment_images(np.repeat(images, 5, axis=0), rng(), replace(STILL, thickness=0.6))
    growth = varied.sum(axis=(1, 2), dtype=float) / np.repeat(images, 5, axis=0).sum(axis=(1, 2), dtype=float)
    assert growth.min() < 0.75
    assert growth.max() > 1.25
    assert varied.max(axis=(1, 2)).min() > 80


def test_that_the_elastic_field_has_the_standard_deviation_set() -> None:
    ramp = np.tile(np.arange(0, 252, 9, dtype=np.uint8), (400, 28, 1))
    varied = augment_images(ramp, rng(), replace(STILL, elastic_px=0.8))
    moved = displacement_px(varied, ramp)
    assert moved.std() == pytest.approx(0.8, rel=0.08)


def displacement_px(varied: NDArray[np.uint8], ramp: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How far pixels in the middle of a ramp of 9 grey levels a pixel have moved along it."""
    inside = np.s_[:, 6:22, 10:18]
    levels = (varied[inside] - 127.5) / RESAMPLED_CONTRAST + 127.5
    moved: NDArray[np.float64] = (levels - ramp[inside]) / 9.0
    return moved


def test_that_edges_stay_as_steep_as_they_were(images: NDArray[np.uint8]) -> None:
    softness = edge_softness(images)
    moved = augment_images(images, rng(), Augmentation(thickness=0.0))
    assert edge_softness(moved) == pytest.approx(softness, rel=0.15)
    assert edge_softness(augment_images(images, rng(), Augmentation())) == pytest.approx(softness, rel=0.15)


def edge_softness(images: NDArray[np.uint8]) -> float:
    """The sum of v (1 - v) for each pixel of outline."""
    v = images / 255.0
    outline = sum(float(np.abs(np.diff(v, axis=axis)).sum()) for axis in (1, 2))
    return float((v * (1.0 - v)).sum()) / outline


def test_that_neighbouring_pixels_move_together_in_a_smooth_field() -> None:
    ramp = np.tile(np.arange(0, 252, 9, dtype=np.uint8), (100, 28, 1))
    varied = augment_images(ramp, rng(), replace(STILL, elastic_px=0.8, elastic_smoothness_px=6.0))
    moved = displacement_px(varied, ramp)
    assert np.corrcoef(moved[:, :-1].ravel(), moved[:, 1:].ravel())[0, 1] > 0.95


@settings(max_examples=20, deadline=None)
@given(strength=st.floats(0.0, 20.0), count=st.integers(0, 3), seed=st.integers(0, 1000))
def test_that_any_strength_gives_images(strength: float, count: int, seed: int) -> None:
    given_images = rng(seed).integers(0, 256, (count, 28, 28), np.uint8)
    varied = augment_images(given_images, rng(seed), Augmentation(strength=strength))
    assert varied.shape == given_images.shape
    assert varied.dtype == np.uint8


def test_that_a_blank_image_stays_blank() -> None:
    blank = np.zeros((5, 28, 28), np.uint8)
    assert not augment_images(blank, rng(), Augmentation(strength=2.0)).any()


# ---------------------------------------------------------------------------------------------------------- ink


def test_that_the_same_seed_gives_the_same_ink_and_another_seed_other_ink(inks: list[Ink]) -> None:
    assert deform_inks(inks, rng(), Augmentation()) == deform_inks(inks, rng(), Augmentation())
    assert deform_inks(inks, rng(), Augmentation()) != deform_inks(inks, rng(2), Augmentation())
    rasters = augment_inks(inks, rng(), Augmentation())
    assert np.array_equal(rasters, augment_inks(inks, rng(), Augmentation()))


def test_that_ink_without_strength_is_rendered_as_it_is(inks: list[Ink]) -> None:
    off = Augmentation(strength=0.0)
    assert deform_inks(inks, rng(), off) == inks
    assert np.array_equal(augment_inks(inks, rng(), off), render_many(inks))


def test_that_ink_with_every_deformation_off_renders_the_same(inks: list[Ink]) -> None:
    same = augment_inks(inks, rng(), STILL).astype(int)
    assert np.abs(same - render_many(inks)).max() <= 2


def test_that_a_deformed_digit_is_more_like_itself_than_like_other_digits(inks: list[Ink]) -> None:
    before, after = render_many(inks), render_many(deform_inks(inks, rng(), Augmentation()))
    to_itself = np.median([likeness(a, b) for a, b in zip(before, after, strict=True)])
    to_others = np.median([likeness(a, b) for a, b in zip(before, np.roll(after, 1, axis=0), strict=True)])
    assert to_itself > 0.6
    assert to_others < 0.4


def test_that_strokes_keep_their_number_their_ends_and_their_times(inks: list[Ink]) -> None:
    deformed = deform_inks(inks, rng(), Augmentation(dropping=1.0))
    assert sum(len(ink.points) for ink in deformed) < 0.7 * sum(len(ink.points) for ink in inks)
    for before, after in zip(inks, deformed, strict=True):
        assert len(after.strokes) == len(before.strokes)
        for old, new in zip(before.strokes, after.strokes, strict=True):
            assert np.array_equal(new[[0, -1], 2:], old[[0, -1], 2:])
            assert np.isin(new[:, 2], old[:, 2]).all()


def test_that_dropping_all_leaves_the_ends_of_strokes() -> None:
    stroke = [[x, x * x] for x in range(50)]
    (thinned,) = deform_inks([Ink.of([stroke, [[3, 3]]])], FullRng(), replace(STILL, dropping=1.0))
    assert [len(stroke) for stroke in thinned.strokes] == [2, 1]


class FullRng(np.random.Generator):
    """Draws the largest part of points to lose, then for each point a number just below that part."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(1))

    def random(self, size: object = None, *_: object) -> NDArray[np.float32]:  # type: ignore[override]
        return np.full(size, 1.0 - (1e-3 if np.prod(size) > 1 else 0.0), np.float32)  # type: ignore[arg-type]


def test_that_deformed_ink_cannot_be_written_to(inks: list[Ink]) -> None:
    before = [ink.points.copy() for ink in inks]
    deformed = deform_inks(inks, rng(), Augmentation())
    assert all(np.array_equal(a, ink.points) for a, ink in zip(before, inks, strict=True))
    assert not any(stroke.flags.writeable for ink in deformed for stroke in ink.strokes)


def test_that_blank_ink_and_dots_survive() -> None:
    dot, huge = Ink.of([[[5, 5]]]), Ink.of([[[-3e38, 0], [3e38, 1]]])
    blank, dotted, line, again = deform_inks([Ink(), dot, huge, Ink()], rng(), Augmentation())
    assert blank.is_blank
    assert again.is_blank
    assert dotted.points.shape == (1, 4)
    assert np.isfinite(line.points).all()
    rasters = augment_inks([Ink(), dot], rng(), Augmentation())
    assert not rasters[0].any()
    assert rasters[1].any()
    assert augment_inks([], rng(), Augmentation()).shape == (0, 28, 28)
    assert deform_inks([Ink()], rng(), Augmentation()) == [Ink()]


def test_that_pens_are_thin_and_thick_around_the_usual_one() -> None:
    widths = pen_widths_px(5000, rng(), Augmentation(pen=0.6))
    assert widths.min() == pytest.approx(PEN_WIDTH_PX * np.exp(-0.6), abs=0.11)
    assert widths.max() == pytest.approx(PEN_WIDTH_PX * np.exp(0.6), abs=0.11)
    assert np.median(widths) == pytest.approx(PEN_WIDTH_PX, abs=0.11)
    assert len(np.unique(widths)) < 20


def test_that_every_ink_is_rendered_with_its_own_pen(inks: list[Ink]) -> None:
    widths = np.tile(np.array([1.2, 3.0, 4.8]), 20)
    rasters = render_with_pens(inks, widths)
    for ink, width_px, raster in zip(inks, widths, rasters, strict=True):
        assert np.abs(raster.astype(int) - render(ink, pen_width_px=float(width_px))).max() <= 1
