"""Invented characters: the same for the same seed, each like itself and unlike the others."""

import numpy as np

from qtdigits.core.drawing.invented import invented_characters
from qtdigits.core.drawing.raster import render_many


def test_that_the_seed_determines_every_drawing() -> None:
    first, again = (invented_characters(3, 2, seed=7)[0] for _ in range(2))
    assert first == again
    assert first != invented_characters(3, 2, seed=8)[0]


def test_that_every_character_is_drawn_as_often_as_asked_under_a_label_of_its_own() -> None:
    inks, labels = invented_characters(4, 3, seed=1)
    assert len(inks) == len(labels) == 12
    assert [labels.count(label) for label in dict.fromkeys(labels)] == [3, 3, 3, 3]
    assert not any(ink.is_blank for ink in inks)


def test_that_two_drawings_differ_but_resemble_their_own_character_most() -> None:
    inks, labels = invented_characters(20, 2, seed=3)
    images = render_many(inks).reshape(40, -1).astype(np.float64)
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    first, second = images[::2], images[1::2]
    found = (first @ second.T).argmax(axis=1)
    assert (found == np.arange(20)).mean() > 0.6
    assert (np.linalg.norm(first - second, axis=1) > 0.0).all()
    assert labels[::2] == labels[1::2]
