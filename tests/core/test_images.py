"""Pictures to rasters: size, polarity, background, noise, thin and thick lines."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from qtdigits.core.drawing.images import is_normalised, normalise_image, normalise_images
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.raster import render
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.errors import InputError

INKS, _ = synthetic_digits(20, seed=5)
FIVE = Ink.of([[[80, 0], [25, 2], [15, 45], [50, 40], [70, 60], [60, 90], [10, 95]]])
DRAWINGS = [FIVE, *INKS[:6]]


def picture(
    ink: Ink, side: int = 280, *, pen: float = 24.0, size: float = 0.6, at: tuple[float, float] = (0.5, 0.5)
) -> NDArray[np.float32]:
    """Black ink on white paper, `(side, side)`, `size` of it wide, its middle `at`."""
    left, top, right, bottom = ink.bounds
    scale = side * size / max(right - left, bottom - top)
    middle = np.array([left + right, top + bottom]) / 2
    y, x = np.mgrid[:side, :side] + 0.5
    nearest = np.full((side, side), np.inf)
    for stroke in ink.strokes:
        points = (stroke[:, :2] - middle) * scale + np.array(at) * side
        for (ax, ay), (bx, by) in itertools.pairwise(points):
            dx, dy = bx - ax, by - ay
            along = np.clip(((x - ax) * dx + (y - ay) * dy) / max(dx * dx + dy * dy, 1e-9), 0, 1)
            nearest = np.minimum(nearest, np.hypot(x - ax - along * dx, y - ay - along * dy))
    return (255 * np.clip(nearest - pen / 2 + 0.5, 0, 1)).astype(np.float32)


def likeness(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Correlation of two rasters, 1 for the same."""
    return float(np.corrcoef(a.ravel().astype(float), b.ravel().astype(float))[0, 1])


@pytest.mark.parametrize("ink", DRAWINGS)
@pytest.mark.parametrize("side", [40, 117, 280, 500])
def test_that_a_picture_of_ink_comes_out_as_the_ink_itself(ink: Ink, side: int) -> None:
    grey = picture(ink, side, pen=0.6 * side * 2.4 / 17.6)

    assert likeness(normalise_image(grey), render(ink)) > 0.97


@pytest.mark.parametrize("at", [(0.35, 0.4), (0.6, 0.65), (0.5, 0.35)])
def test_that_place_and_size_in_the_picture_make_little_difference(at: tuple[float, float]) -> None:
    small, large = picture(FIVE, size=0.3, pen=12, at=at), picture(FIVE, size=0.8, pen=32)

    assert likeness(normalise_image(small), normalise_image(large)) > 0.98


def test_that_polarity_makes_no_difference() -> None:
    dark_on_light = picture(FIVE)

    assert np.array_equal(normalise_image(dark_on_light), normalise_image(255 - dark_on_light))


@pytest.mark.parametrize(("paper", "ink_level"), [(200, 60), (120, 30), (40, 120), (10, 250), (128, 100)])
def test_that_grey_paper_and_grey_ink_are_stretched(paper: float, ink_level: float) -> None:
    grey = ink_level + (paper - ink_level) * picture(FIVE) / 255
    raster = normalise_image(grey)

    assert raster.max() == 255
    assert raster[0].max() == 0
    assert likeness(raster, normalise_image(picture(FIVE))) > 0.99


def cropped(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """The picture cut to its ink, which then touches all four sides."""
    rows, columns = (np.flatnonzero((grey < 128).any(axis=axis)) for axis in (1, 0))
    return grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@pytest.mark.parametrize("ink", DRAWINGS)
@pytest.mark.parametrize(("side", "pen"), [(16, 2), (16, 4), (64, 8), (200, 50)])
def test_that_a_scan_cropped_to_its_ink_comes_out_as_with_a_margin(ink: Ink, side: int, pen: float) -> None:
    grey = picture(ink, side + 20, pen=pen, size=(side - pen) / (side + 20))
    raster = normalise_image(grey)

    assert likeness(normalise_image(cropped(grey)), raster) > 0.97
    assert likeness(normalise_image(255 - cropped(grey)), raster) > 0.97


@pytest.mark.parametrize(
    "margins", [((0, 40), (30, 30)), ((40, 0), (0, 30)), ((0, 0), (30, 30)), ((0, 0), (0, 20))]
)
def test_that_ink_may_touch_one_side_or_more(margins: tuple[tuple[int, int], tuple[int, int]]) -> None:
    grey = np.pad(cropped(picture(FIVE)), margins, constant_values=255)

    assert likeness(normalise_image(grey), normalise_image(picture(FIVE))) > 0.97


@pytest.mark.parametrize("light", ["left", "corner", "middle"])
def test_that_uneven_light_is_levelled(light: str) -> None:
    y, x = np.mgrid[:280, :280] / 279
    shade = {
        "left": 1 - 0.6 * x,
        "corner": 1 - 0.35 * (x + y),
        "middle": 1 - 1.2 * ((x - 0.5) ** 2 + (y - 0.5) ** 2),
    }
    raster = normalise_image((30 + picture(FIVE) * 0.85) * shade[light])

    assert likeness(raster, render(FIVE)) > 0.93


@pytest.mark.parametrize("noise", [5, 15, 25])
def test_that_noise_does_not_become_ink(noise: float) -> None:
    rng = np.random.default_rng(noise)
    grey = np.clip(picture(FIVE) * 0.8 + 20 + rng.normal(0, noise, (280, 280)), 0, 255)
    raster = normalise_image(grey)

    assert likeness(raster, render(FIVE)) > 0.93
    assert raster[0].max() == 0


def test_that_dust_does_not_shrink_the_ink() -> None:
    grey = picture(FIVE, pen=20)
    grey[5, 7] = 0
    grey[270:272, 272:274] = 0

    assert likeness(normalise_image(grey), normalise_image(picture(FIVE, pen=20))) > 0.99


@pytest.mark.parametrize("pen", [1, 2, 3, 5])
@pytest.mark.parametrize("side", [300, 900])
def test_that_thin_lines_do_not_fade(pen: float, side: int) -> None:
    raster = normalise_image(picture(FIVE, side, pen=pen))

    assert raster.mean() == pytest.approx(render(FIVE).mean(), rel=0.35)
    assert likeness(raster, render(FIVE)) > 0.9


def test_that_a_thick_brush_stays_thick() -> None:
    raster = normalise_image(picture(FIVE, pen=48))

    assert raster.sum() > 1.3 * render(FIVE).sum()


@pytest.mark.parametrize("level", [0, 3, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (60, 40)])
def test_that_a_blank_picture_is_all_zeros(level: int, shape: tuple[int, int]) -> None:
    assert normalise_image(np.full(shape, level, np.uint8)).sum() == 0


def framed(grey: NDArray[np.float32], *, width: int, inset: int) -> NDArray[np.float32]:
    """A dark grey line around the canvas."""
    framed = grey.copy()
    framed[inset:-inset, inset:-inset] = 80
    inner = slice(inset + width, -inset - width)
    framed[inner, inner] = grey[inner, inner]
    return framed


@pytest.mark.parametrize(("width", "inset"), [(1, 1), (1, 8), (3, 8), (6, 12)])
@pytest.mark.parametrize("ink", DRAWINGS[:4])
def test_that_a_line_around_the_canvas_is_left_out(ink: Ink, width: int, inset: int) -> None:
    grey = picture(ink)

    assert likeness(normalise_image(framed(grey, width=width, inset=inset)), normalise_image(grey)) > 0.98
    assert (
        likeness(normalise_image(255 - framed(grey, width=width, inset=inset)), normalise_image(grey)) > 0.98
    )


@pytest.mark.parametrize("table", [120, 60])
def test_that_what_lies_around_the_paper_is_left_out(table: int) -> None:
    grey = np.pad(picture(FIVE), 35, constant_values=table)

    assert likeness(normalise_image(grey), normalise_image(picture(FIVE))) > 0.98


def test_that_an_angular_zero_is_not_taken_for_a_frame() -> None:
    zero = Ink.of([[[20, 10], [80, 10], [80, 90], [20, 90], [20, 10]]])

    assert likeness(normalise_image(picture(zero)), render(zero)) > 0.9


def test_that_paper_with_nothing_but_noise_is_blank() -> None:
    paper = np.random.default_rng(0).normal(235, 3, (200, 200))

    assert normalise_image(paper).sum() == 0


@pytest.mark.parametrize("ink", INKS)
def test_that_rasters_of_ink_are_unchanged(ink: Ink) -> None:
    raster = render(ink)

    assert is_normalised(raster)
    assert np.array_equal(normalise_image(raster), raster)


pictures = st.tuples(st.integers(1, 60), st.integers(1, 60)).flatmap(
    lambda shape: hnp.arrays(np.uint8, shape, elements=st.integers(0, 255), fill=st.sampled_from([0, 255]))
)


@given(pictures)
def test_that_any_picture_becomes_a_raster_that_is_then_left_alone(grey: NDArray[np.uint8]) -> None:
    raster = normalise_image(grey)

    assert raster.shape == (28, 28)
    assert raster.dtype == np.uint8
    assert is_normalised(raster)
    assert np.array_equal(normalise_image(raster), raster)


@pytest.mark.parametrize("ink", DRAWINGS)
@pytest.mark.parametrize("pen", [2, 10, 40])
def test_that_normalising_twice_changes_nothing(ink: Ink, pen: float) -> None:
    raster = normalise_image(picture(ink, pen=pen))

    assert is_normalised(raster)
    assert np.array_equal(normalise_image(raster), raster)


def test_that_a_raster_off_its_place_or_off_its_size_is_not_normalised() -> None:
    raster = render(FIVE)

    assert not is_normalised(np.roll(raster, 2, axis=1))
    assert not is_normalised(255 - raster)
    assert not is_normalised(raster // 2)
    assert not is_normalised(raster[1:])
    assert not is_normalised(np.pad(raster[::2, ::2], 7))


def test_that_floats_and_bools_are_read_as_bytes_are() -> None:
    grey = picture(FIVE).round().astype(np.uint8)
    mask = grey < 128

    assert np.array_equal(normalise_image(grey.astype(np.float64)), normalise_image(grey))
    assert np.array_equal(normalise_image(mask), normalise_image(mask.astype(np.uint8) * 255))


def test_that_the_argument_is_not_written_to() -> None:
    grey = picture(FIVE)
    before = grey.copy()
    raster = render(FIVE)
    normalise_image(raster)[:] = 7
    normalise_image(grey)

    assert np.array_equal(grey, before)
    assert np.array_equal(raster, render(FIVE))


def test_that_many_pictures_come_out_as_each_alone() -> None:
    pictures = np.stack([picture(ink, 90, pen=9) for ink in DRAWINGS]).astype(np.uint8)
    rasters = np.stack([render(ink) for ink in DRAWINGS])
    mixed = np.concatenate([rasters, 255 - rasters, np.roll(rasters, 3, axis=2)])

    assert np.array_equal(normalise_images(pictures), [normalise_image(one) for one in pictures])
    assert np.array_equal(normalise_images(mixed), [normalise_image(one) for one in mixed])
    assert normalise_images(np.zeros((0, 28, 28), np.uint8)).shape == (0, 28, 28)


@pytest.mark.parametrize(
    "unusable",
    [
        np.zeros((28, 28, 3), np.uint8),
        np.zeros(784, np.uint8),
        np.zeros((0, 28), np.uint8),
        np.zeros((28, 0)),
        np.full((28, 28), np.nan),
        np.full((28, 28), -np.inf),
        np.full((28, 28), 1j),
        np.full((28, 28), "grey"),
    ],
)
def test_that_what_is_no_picture_is_refused(unusable: NDArray[Any]) -> None:
    with pytest.raises(InputError):
        normalise_image(unusable)
    with pytest.raises(InputError):
        is_normalised(unusable)


def test_that_one_picture_is_not_taken_for_many() -> None:
    with pytest.raises(InputError):
        normalise_images(np.zeros((28, 28), np.uint8))


def test_that_mnist_passes_unchanged(mnist_path: Path) -> None:
    with np.load(mnist_path) as mnist:
        images = mnist["x_train"]
    unchanged = (normalise_images(images) == images).all(axis=(1, 2))

    assert unchanged.mean() > 0.99


def test_that_mnist_cropped_to_its_ink_comes_back(mnist_path: Path) -> None:
    with np.load(mnist_path) as mnist:
        images = mnist["x_train"][:300]
    likenesses = [likeness(normalise_image(cropped(255.0 - image)), image) for image in images]

    assert np.mean(np.array(likenesses) > 0.8) > 0.97
