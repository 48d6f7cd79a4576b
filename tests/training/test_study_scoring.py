"""What a study reads beyond a training: scaled as in 2022, with a memory, after corrections by the same users."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.errors import InputError
from qtdigits.paths import shipped_models_dir
from qtdigits.store.data.csv_pair import read_csv_pair
from qtdigits.training.study_scoring import Drawings, in_window

N = 60


@pytest.fixture(scope="module")
def users() -> Dataset:
    """Three writers, one after the other."""
    inks, labels = synthetic_digits(N, seed=5)
    writers = tuple(f"w{i * 3 // N}" for i in range(N))
    return Dataset("users", render_many(inks), tuple(labels), writers)


def drawings(users: Dataset, folder: Path, *, has_corrections: bool = True) -> Drawings:
    return Drawings(users, has_corrections=has_corrections, folder=folder)


def test_that_corrections_come_evenly_from_the_earlier_half_of_each_writer(
    users: Dataset, tmp_path: Path
) -> None:
    ((images, labels),) = drawings(users, tmp_path).corrections({"corrections": 6})
    rasters, names = read_csv_pair(Path(images), Path(labels))
    first_two_of_each = [0, 20, 40, 1, 21, 41]
    assert list(names) == [users.labels[i] for i in first_two_of_each]
    assert np.array_equal(rasters, users.images[first_two_of_each])


def test_that_only_the_later_half_is_scored_when_there_are_corrections(
    users: Dataset, tmp_path: Path
) -> None:
    model = shipped_models_dir() / "mlp-50-50.h5"
    n_of_half, _ = drawings(users, tmp_path).read(model, {"corrections": 0})
    n_of_all, right = drawings(users, tmp_path, has_corrections=False).read(model, {})
    assert (n_of_half, n_of_all) == (N / 2, N)
    assert 0 < right <= N


def test_that_nothing_is_corrected_without_corrections_and_too_many_are_an_error(
    users: Dataset, tmp_path: Path
) -> None:
    found = drawings(users, tmp_path)
    assert found.corrections({"corrections": 0}) == ()
    with pytest.raises(InputError, match="30 drawings to correct"):
        found.corrections({"corrections": 31})


def test_that_a_memory_knows_what_the_same_writer_drew_before(users: Dataset, tmp_path: Path) -> None:
    signs = tuple(f"sign {label}" for label in users.labels)
    twice = Dataset(
        "twice", np.repeat(users.images, 2, axis=0), tuple(np.repeat(signs, 2)), ("ada",) * (2 * N)
    )
    found = drawings(twice, tmp_path, has_corrections=False)
    model = shipped_models_dir() / "mlp-50-50.h5"
    assert found.read(model, {}) == (2 * N, 0)
    n, right = found.read(model, {"memory_alpha": 65.0, "memory_beta": 7.0, "memory_nearest": 1})
    assert (n, right >= N) == (2 * N, True)
    assert found.read(model, {"memory_alpha": 0.0})[1] < right


def test_that_the_window_shows_drawings_larger_and_off_centre(users: Dataset) -> None:
    seen = in_window(users.images)
    assert seen.dtype == np.uint8
    assert seen.shape == users.images.shape
    assert np.array_equal(seen, in_window(users.images))
    sides = [max(np.ptp(np.argwhere(image >= 128), axis=0)) + 1 for image in seen]
    assert np.mean(sides) == pytest.approx(22.6, abs=1)
    ink_kept = seen.sum(axis=(1, 2)) / users.images.sum(axis=(1, 2))
    assert np.all((ink_kept > 0.5) & (ink_kept < 2))
    blank = np.zeros((1, 28, 28), np.uint8)
    assert np.array_equal(in_window(blank), blank)
