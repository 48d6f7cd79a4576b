"""The label guard's witness as a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.drawing.label_review import DIGIT_LABELS, LabelClassifier, find_suspects
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.errors import InputError
from qtdigits.store.kept_files import load_witness, save_witness


def test_that_a_witness_comes_back_and_scores_as_before(tmp_path: Path) -> None:
    inks, labels = synthetic_digits(300, 1)
    images = render_many(inks)
    witness = LabelClassifier.of(images, labels)
    save_witness(witness, tmp_path / "w.npz")
    back = load_witness(tmp_path / "w.npz")
    before, after = (w.scores_without(w.places(images[:80]), labels[:80]) for w in (witness, back))
    np.testing.assert_allclose(after, before, atol=0.01)


def test_that_the_witness_that_travels_along_finds_a_planted_label() -> None:
    inks, labels = synthetic_digits(200, 7)
    planted = labels.index("7")
    wrong = [*labels[:planted], "3", *labels[planted + 1 :]]
    found = find_suspects(load_witness(), render_many(inks), wrong)
    assert found[planted].suggestion == "7"
    assert set(labels) == set(DIGIT_LABELS)


def test_that_what_is_no_witness_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        load_witness(tmp_path / "nowhere.npz")
    np.savez(tmp_path / "other.npz", version=99)
    with pytest.raises(InputError, match="no witness"):
        load_witness(tmp_path / "other.npz")
    np.savez(tmp_path / "part.npz", version=1)
    with pytest.raises(InputError, match="mean is missing"):
        load_witness(tmp_path / "part.npz")
