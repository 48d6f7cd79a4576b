"""Embeddings: whitened features of unit length, in which drawings of one class lie together."""

from __future__ import annotations

import numpy as np
import pytest

from qtdigits.core.embedding import (
    MOST_DIMENSIONS,
    Whitening,
    class_means,
    reference_drawings,
    similarity_to,
    unit_rows,
)


def test_that_the_reference_drawings_are_the_same_every_time_and_of_all_digits() -> None:
    drawings, labels = reference_drawings()
    assert drawings.shape == (len(labels), 28, 28)
    assert set(labels) == set("0123456789")
    assert drawings.any(axis=(1, 2)).all()


def test_that_whitening_brings_out_what_tells_classes_apart() -> None:
    """Two classes differ in a quiet direction; what they share is loud."""
    rng = np.random.default_rng(3)
    labels = np.array([0, 1] * 200)
    rows = rng.normal(0, [1.0, 1.0, *[0.05] * 18], (400, 20))
    rows[:, 2] += 0.4 * labels
    features = rows.astype(np.float32)
    whitening = Whitening.of(features[:200], [str(label) for label in labels[:200]])

    def contrast(rows: np.ndarray) -> float:
        """How much more alike drawings of one class are than drawings of two, on average."""
        known, asked = rows[:200], rows[200:]
        is_same = labels[200:, None] == labels[None, :200]
        cosines = asked @ known.T
        return float(cosines[is_same].mean() - cosines[~is_same].mean())

    assert contrast(whitening.embed(features)) > 3 * contrast(unit_rows(features)) > 0


@pytest.mark.parametrize("width", [1, 7, 300, 784])
def test_that_embeddings_have_unit_length_and_are_no_wider_than_they_may_be(width: int) -> None:
    features = np.random.default_rng(1).random((60, width)).astype(np.float32)
    whitening = Whitening.of(features, [str(i % 10) for i in range(60)])
    found = whitening.embed(features[:9])
    assert found.dtype == np.float32
    assert found.shape == (9, min(width, 60, MOST_DIMENSIONS))
    if width > 1:
        assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-4)


def test_that_features_that_never_vary_are_embedded_all_the_same() -> None:
    whitening = Whitening.of(np.ones((20, 5), np.float32), ["0", "1"] * 10)
    assert np.isfinite(whitening.embed(np.ones((3, 5), np.float32))).all()
    assert np.isfinite(whitening.embed(np.zeros((3, 5), np.float32))).all()


def test_that_a_drawing_is_as_similar_as_to_the_mean_of_the_most_similar_class() -> None:
    embeddings = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]], np.float32)
    means = class_means(embeddings, np.array([0, 0, 2]), 3)
    assert np.allclose(np.linalg.norm(means, axis=1), [1, 0, 1])
    assert np.allclose(means[2], embeddings[2])
    assert np.allclose(
        similarity_to(means, embeddings), [means[0, 0], 0.8 * means[0, 0] + 0.6 * means[0, 1], 1]
    )
    assert similarity_to(means[:0], embeddings).tolist() == [-1, -1, -1]
