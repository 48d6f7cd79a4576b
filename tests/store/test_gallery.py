from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qtdigits.errors import StoreError
from qtdigits.store.data.image_files import COLUMNS, read_image, write_gallery


def test_that_every_drawing_has_a_place_and_is_dark_on_light(tmp_path: Path) -> None:
    images = np.zeros((COLUMNS + 1, 28, 28), np.uint8)
    images[:, 10:18, 10:18] = 255
    write_gallery(tmp_path / "sheet.png", images, [f"{number}" for number in range(len(images))])
    sheet = read_image(tmp_path / "sheet.png")
    height, width = sheet.shape
    assert width > COLUMNS * 84
    assert (sheet[: height // 2] < 30).sum() > (sheet[height // 2 :] < 30).sum() > 0


def test_that_no_drawings_give_an_empty_sheet(tmp_path: Path) -> None:
    write_gallery(tmp_path / "sheet.png", np.empty((0, 28, 28), np.uint8), [])
    assert read_image(tmp_path / "sheet.png").min() == 255


def test_that_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        write_gallery(tmp_path / "nowhere" / "sheet.png", np.empty((0, 28, 28), np.uint8), [])
