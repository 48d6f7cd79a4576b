"""The raster: what it owes to the ink, and what it must not depend on."""

from __future__ import annotations

import gzip
import json
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.raster import CENTRE_PX, PEN_WIDTH_PX, render, render_many

coordinates = st.integers(-200, 200)
strokes = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=12)
drawings = st.lists(strokes, min_size=1, max_size=4)

SEVEN = Ink.of([[[10, 10], [60, 8], [30, 100]], [[20, 55], [55, 50]]])


def difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> int:
    """The largest, in grey levels."""
    return int(np.abs(a.astype(int) - b.astype(int)).max())


def centre_of_mass(raster: NDArray[np.uint8]) -> tuple[float, float]:
    grey = raster.astype(float)
    at = np.arange(28)
    return float(grey.sum(axis=0) @ at / grey.sum()), float(grey.sum(axis=1) @ at / grey.sum())


def inked_size(raster: NDArray[np.uint8]) -> tuple[int, int]:
    """Width and height of the box round all pixels that are at least half ink."""
    rows, columns = np.nonzero(raster >= 128)
    return int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


@given(drawings, st.tuples(st.integers(-5000, 5000), st.integers(-5000, 5000)))
def test_that_shifting_the_ink_does_not_change_the_raster(
    drawing: list[list[tuple[int, int]]], shift: tuple[int, int]
) -> None:
    shifted = [[(x + shift[0], y + shift[1]) for x, y in stroke] for stroke in drawing]

    assert difference(render(Ink.of(drawing)), render(Ink.of(shifted))) <= 1


@given(drawings, st.floats(1e-4, 1e4))
def test_that_scaling_the_ink_does_not_change_the_raster(
    drawing: list[list[tuple[int, int]]], factor: float
) -> None:
    scaled = [[(x * factor, y * factor) for x, y in stroke] for stroke in drawing]

    assert difference(render(Ink.of(drawing)), render(Ink.of(scaled))) <= 2


@given(drawings, st.randoms(use_true_random=False))
def test_that_order_and_direction_of_strokes_do_not_change_the_raster(
    drawing: list[list[tuple[int, int]]], random: Random
) -> None:
    other = [stroke[::-1] if random.random() < 0.5 else stroke for stroke in drawing]
    random.shuffle(other)

    assert difference(render(Ink.of(drawing)), render(Ink.of(other))) <= 1


@given(drawings)
def test_that_a_drawing_obeys_the_rule(drawing: list[list[tuple[int, int]]]) -> None:
    points = [point for stroke in drawing for point in stroke]
    assume(len(set(points)) > 1)
    raster = render(Ink.of(drawing))
    columns, rows = inked_size(raster)

    assert raster.shape == (28, 28)
    assert raster.dtype == np.uint8
    assert raster.max() > 250
    assert 19 <= max(columns, rows) <= 21
    for axis, centre in enumerate(centre_of_mass(raster)):
        inked = np.flatnonzero(raster.max(axis=axis) >= 64)
        at_the_edge = inked[0] == 0 or inked[-1] == 27
        assert at_the_edge or abs(centre - CENTRE_PX) < 0.15


@given(drawings)
def test_that_repeated_points_change_nothing(drawing: list[list[tuple[int, int]]]) -> None:
    repeated = [[point for point in stroke for _ in range(3)] for stroke in drawing]

    assert difference(render(Ink.of(drawing)), render(Ink.of(repeated))) == 0


@settings(max_examples=25)
@given(st.lists(drawings, max_size=6))
def test_that_many_are_rendered_as_each_alone(many: list[list[list[tuple[int, int]]]]) -> None:
    inks = [Ink.of(drawing) for drawing in many]
    inks = [Ink(), *inks, *inks, Ink(), *inks]
    rasters = render_many(inks)

    assert rasters.shape == (len(inks), 28, 28)
    for ink, raster in zip(inks, rasters, strict=True):
        assert difference(render(ink), raster) <= 1


def test_that_blank_ink_is_all_zeros() -> None:
    assert render(Ink()).sum() == 0
    assert render_many([]).shape == (0, 28, 28)


def test_that_a_dot_is_round_and_one_pen_wide() -> None:
    dot = render(Ink.of([[[123, 456]]]))

    assert np.array_equal(dot, dot.T)
    assert inked_size(dot) == (3, 3)
    assert dot.sum() / 255 == pytest.approx(np.pi * PEN_WIDTH_PX**2 / 4, rel=0.1)
    assert centre_of_mass(dot) == pytest.approx((CENTRE_PX, CENTRE_PX))


@pytest.mark.parametrize("end", [(100, 0), (0, 100), (-100, 0), (0, -100)])
def test_that_a_straight_line_stays_as_thin_as_the_pen(end: tuple[int, int]) -> None:
    raster = render(Ink.of([[[0, 0], end]]))
    length, width = max(inked_size(raster)), min(inked_size(raster))

    assert (length, width) in {(20, 3), (20, 2), (21, 3)}
    assert raster.sum() / 255 == pytest.approx((20 - PEN_WIDTH_PX) * PEN_WIDTH_PX + 4.5, abs=0.5)


@pytest.mark.parametrize("angle", np.linspace(0, np.pi, 12, endpoint=False).tolist())
@pytest.mark.parametrize("pen_width_px", [0.5, 1.0, 2.4, 5.0])
def test_that_grey_is_area_whatever_the_direction(angle: float, pen_width_px: float) -> None:
    direction = np.array([np.cos(angle), np.sin(angle)])
    raster = render(Ink.of([[(0, 0), tuple(100 * direction)]]), pen_width_px=pen_width_px)
    length = (20 - pen_width_px) / np.abs(direction).max()
    area = length * pen_width_px + np.pi * pen_width_px**2 / 4

    assert raster.sum() / 255 == pytest.approx(area, rel=0.1)


def test_that_a_wider_pen_draws_a_wider_line_in_the_same_box() -> None:
    thin, thick = render(SEVEN, pen_width_px=1.5), render(SEVEN, pen_width_px=4.0)

    assert thick.sum() > 1.8 * thin.sum()
    assert max(inked_size(thin)) in {19, 20, 21}
    assert max(inked_size(thick)) in {19, 20, 21}


@pytest.mark.parametrize("pen_width_px", [0.0, -1.0, 10.5, float("nan")])
def test_that_an_impossible_pen_is_refused(pen_width_px: float) -> None:
    with pytest.raises(ValueError, match="pen_width_px"):
        render(SEVEN, pen_width_px=pen_width_px)


@pytest.mark.parametrize("unit", [1e-38, 1e-3, 1e6, 1e36])
def test_that_huge_and_tiny_drawings_are_drawings(unit: float) -> None:
    huge = Ink.of([stroke[:, :2].astype(np.float64) * unit for stroke in SEVEN.strokes])

    assert difference(render(huge), render(SEVEN)) <= 2


def test_that_thousands_of_points_draw_the_same_curve_as_hundreds() -> None:
    def curve(count: int) -> list[tuple[float, float]]:
        t = np.linspace(0, 1, count)
        return list(zip(np.cos(6 * t).tolist(), np.sin(7 * t).tolist(), strict=True))

    few, many = render(Ink.of([curve(130)])), render(Ink.of([curve(5000)]))

    assert difference(few, many) <= 6
    assert difference(many, render(Ink.of([curve(5000)[::-1]]))) <= 1


def test_that_a_small_change_of_the_ink_is_a_small_change_of_the_raster() -> None:
    before = render(SEVEN)
    for step in range(1, 40):
        after = render(SEVEN.with_stroke([[40, 80], [40 + step / 20, 80]]))
        if step > 1:
            assert difference(before, after) < 24
        before = after


def test_that_ink_far_off_balance_stays_inside_the_field() -> None:
    heavy_corner = [[x, y] for y in range(0, 30, 5) for x in (0, 30)]
    raster = render(Ink.of([heavy_corner, [[199, 200]]]))
    rows, columns = np.nonzero(raster >= 64)

    assert min(inked_size(raster)) >= 19
    assert max(rows.max(), columns.max()) == 27
    assert min(rows.min(), columns.min()) == 8


def test_that_the_pen_is_as_wide_as_mnists(mnist_path: Path, ink_dir: Path) -> None:
    def stroke_width_px(images: NDArray[np.uint8]) -> float:
        grey = np.pad(images.astype(float) / 255, ((0, 0), (1, 1), (1, 1)))
        outline = sum(np.abs(np.diff(grey, axis=axis)).sum(axis=(1, 2)) for axis in (1, 2)) * np.pi / 4
        return float(np.median(2 * grey.sum(axis=(1, 2)) / outline))

    with np.load(mnist_path) as mnist:
        wanted = stroke_width_px(mnist["x_train"][:5000])
    with gzip.open(ink_dir / "pendigits.jsonl.gz", "rt") as lines:
        inks = [Ink.of(json.loads(line)["strokes"]) for line in islice(lines, 1000)]

    assert stroke_width_px(render_many(inks)) == pytest.approx(wanted, rel=0.05)
