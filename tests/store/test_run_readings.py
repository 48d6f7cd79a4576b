from __future__ import annotations

import numpy as np
import pytest

from qtdigits.core.score.metrics import ReadDrawings
from qtdigits.errors import InputError
from qtdigits.store.run_files import load_readings, save_readings


def some_readings():
    images = np.random.default_rng(2).integers(0, 256, (3, 28, 28), np.uint8)
    return ReadDrawings(
        ("0", "π"), images, np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([0.5, 0.9, 1], "f4")
    )


def test_that_readings_come_back_by_the_name_of_their_set(tmp_path):
    kept = some_readings()
    save_readings(tmp_path, "run-1", {"MNIST test": kept, "my hold-out": kept.take(np.array([1]))})
    found = load_readings(tmp_path, "run-1")
    assert list(found) == ["MNIST test", "my hold-out"]
    again = found["MNIST test"]
    assert again.classes == ("0", "π")
    for name in ("images", "truth", "answer", "confidence"):
        np.testing.assert_array_equal(getattr(again, name), getattr(kept, name))
    assert len(found["my hold-out"]) == 1


def test_that_a_run_without_readings_has_none(tmp_path):
    assert load_readings(tmp_path, "run-1") == {}


def test_that_a_run_cannot_reach_outside_its_folder(tmp_path):
    with pytest.raises(InputError, match="cannot be the id of a run"):
        load_readings(tmp_path, "../other")


@pytest.mark.parametrize("change", [{"truth": np.array([0, 1])}, {"answer": np.array([0, 0, 7])}])
def test_that_readings_that_do_not_fit_together_are_refused(tmp_path, change):
    kept = some_readings()
    fields = {name: getattr(kept, name) for name in ("images", "truth", "answer", "confidence")} | change
    save_readings(tmp_path, "run-1", {"set": ReadDrawings(kept.classes, **fields)})
    with pytest.raises(InputError, match="damaged"):
        load_readings(tmp_path, "run-1")


def test_that_half_a_file_is_refused(tmp_path):
    save_readings(tmp_path, "run-1", {"set": some_readings()})
    path = tmp_path / "runs" / "run-1" / "readings.npz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="not a usable"):
        load_readings(tmp_path, "run-1")
