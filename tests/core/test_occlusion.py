from __future__ import annotations

import numpy as np
import pytest

from qtdigits.core.network_inspection import SIDE_PX, WITH, WITHOUT, heat_map, occlusion_scores


def drawing():
    raster = np.zeros((28, 28), np.uint8)
    raster[6:22, 13:15] = 200
    return raster


def brightness(images):
    """A reader of one class that is as sure as there is ink in the upper half."""
    return images[:, :14].sum(axis=(1, 2)) / np.float32(14 * 28 * 255)


def heat(ink):
    raster = drawing()
    under = occlusion_scores(raster, ink=ink)
    return heat_map(under.corners, brightness(under.images), float(brightness(raster[np.newaxis])[0]))


@pytest.mark.parametrize("ink", [WITHOUT, WITH])
def test_that_every_image_is_the_drawing_with_one_patch(ink):
    raster = drawing()
    found = occlusion_scores(raster, ink=ink)
    for image, (row, column) in zip(found.images, found.corners, strict=True):
        patch = np.s_[row : row + SIDE_PX, column : column + SIDE_PX]
        assert (image[patch] == ink).all()
        outside = image.copy()
        outside[patch] = raster[patch]
        assert (outside == raster).all()


def test_that_patches_that_take_nothing_away_are_not_read():
    found = occlusion_scores(drawing(), ink=WITHOUT)
    reached = [(r, c) for r, c in found.corners if r + SIDE_PX > 6 and r < 22 and c + SIDE_PX > 13 and c < 15]
    assert 0 < len(found.corners) == len(reached)
    assert not len(occlusion_scores(np.zeros((28, 28), np.uint8), ink=WITHOUT).images)


def test_that_patches_reach_every_pixel():
    assert len(occlusion_scores(np.zeros((28, 28), np.uint8), ink=WITH).corners) == len(
        occlusion_scores(drawing(), ink=WITH).corners
    )
    assert (heat(WITH)[:14] < 0).all()


def test_that_heat_is_where_the_answer_hangs_on_ink():
    found = heat(WITHOUT)
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert row < 14
    assert column in (13, 14)
    assert (found[14 + SIDE_PX :] == 0).all()
    assert (found[:, :8] == 0).all()


def test_that_a_pixel_has_the_mean_of_the_patches_over_it():
    corners = np.array([[0, 0], [0, 2]])
    found = heat_map(corners, np.array([0.4, 0.8], np.float32), 0.9)
    # only one patch begins in the corner, and its pixel is covered by no other
    assert found[0, 0] == pytest.approx(0.5)
    # both of these cover it, and a third that would have changed nothing
    assert found[0, 4] == pytest.approx((0.5 + 0.1 + 0.0) / 3)


def test_that_what_speaks_against_the_answer_is_cold():
    found = heat_map(np.array([[10, 10]]), np.array([0.9], np.float32), 0.5)
    assert found.min() < 0
    assert found.max() == 0
