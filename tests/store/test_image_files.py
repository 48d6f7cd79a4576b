from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageDraw, ImageOps

from qtdigits.core.drawing.images import normalise_image
from qtdigits.errors import InputError, StoreError
from qtdigits.store.data.image_files import GALLERY_COLUMNS, read_image, read_image_folder, write_gallery


@pytest.fixture
def grey() -> np.ndarray:
    return np.arange(12 * 20, dtype=np.uint8).reshape(12, 20)


def test_that_a_grey_picture_is_read_as_it_is(tmp_path: Path, grey: np.ndarray) -> None:
    Image.fromarray(grey).save(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png"), grey)


def test_that_jpeg_and_colour_are_read(tmp_path: Path) -> None:
    Image.new("RGB", (30, 20), (255, 0, 0)).save(tmp_path / "a.jpg")
    image = read_image(tmp_path / "a.jpg")
    assert image.shape == (20, 30)
    assert abs(int(image[5, 5]) - 76) <= 2


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_that_transparent_is_white(tmp_path: Path, mode: str) -> None:
    picture = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    picture.putpixel((1, 2), (0, 0, 0, 255))
    picture.convert(mode).save(tmp_path / "a.png", **({"transparency": 0} if mode == "P" else {}))
    image = read_image(tmp_path / "a.png")
    assert image[0, 0] == 255
    assert mode == "P" or image[2, 1] == 0


def test_that_sixteen_bits_are_scaled(tmp_path: Path) -> None:
    deep = np.array([[0, 257, 65535]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").tolist() == [[0, 1, 255]]


def test_that_black_and_white_pictures_are_read(tmp_path: Path) -> None:
    Image.new("1", (3, 2), 1).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").tolist() == [[255] * 3] * 2


@pytest.mark.parametrize(
    "content", [b"", b"no picture", b"GIF89a" + bytes(50), b"\x89PNG\r\n\x1a\n" + bytes(50)]
)
def test_that_a_file_that_is_no_picture_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.png is (not a PNG or JPEG|a damaged) picture"):
        read_image(path)


def test_that_truncated_pictures_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    noise = np.random.default_rng(1).integers(0, 256, (40, 40), np.uint8)
    Image.fromarray(noise).save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 20, 97):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"a\.png"):
            read_image(path)


@pytest.mark.parametrize("size", [(8000, 8000), (1, 20_001)])
def test_that_a_picture_that_is_too_large_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("1", size).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a\.png has more than .* pixels"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("mode", ["L", "RGBA", "I;16", "1"])
def test_that_a_large_picture_is_reduced_evenly(tmp_path: Path, mode: str) -> None:
    levels = np.full(
        (2501, 4003), 65535 if mode == "I;16" else 255, np.uint16 if mode == "I;16" else np.uint8
    )
    levels[1000:2000, 3000:] = 0
    Image.fromarray(levels).convert(mode).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.shape == (834, 1335)
    expected = np.full_like(image, 255)
    expected[334:666, 1000:] = 0
    assert np.array_equal(image[335:665], expected[335:665])
    assert np.array_equal(image[:333], expected[:333])
    assert np.array_equal(image[668:], expected[668:])


@pytest.mark.parametrize("size", [(4000, 3000), (1600, 1200)])
def test_that_a_small_digit_on_a_large_sheet_is_read_as_on_a_small_one(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    rasters = []
    for number, (sheet, at) in enumerate(((size, (1200, 700)), ((180, 180), (60, 60)))):
        picture = Image.new("L", sheet, 235)
        points = [(at[0] + x, at[1] + y) for x, y in ((0, 0), (45, 2), (20, 60))]
        ImageDraw.Draw(picture).line(points, fill=40, width=4)
        picture.save(tmp_path / f"{number}.png")
        rasters.append(normalise_image(read_image(tmp_path / f"{number}.png")).astype(int))
    assert rasters[0].any()
    assert np.abs(rasters[0] - rasters[1]).mean() < 2


@pytest.mark.parametrize("orientation", range(10))
def test_that_a_picture_is_turned_as_the_camera_was_held(tmp_path: Path, orientation: int) -> None:
    picture = Image.new("L", (16, 8))
    picture.paste(255, (0, 0, 8, 4))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    picture.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened))
    assert np.array_equal(read_image(tmp_path / "a.png"), expected)


def test_that_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read_image(tmp_path / "a.png")


def test_that_labels_come_from_folders_or_from_names(tmp_path: Path) -> None:
    for name in ("7_001.png", "8-b_c.PNG", "9.jpg", "A/x_1.png", "A/deeper/π/1.jpeg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (5, 6)).save(path)
    (tmp_path / "readme.txt").write_text("not a picture")
    images, labels = read_image_folder(tmp_path)
    assert labels == ("7", "8", "9", "π", "A")
    assert [image.shape for image in images] == [(6, 5)] * 5


def test_that_a_folder_without_pictures_or_with_nameless_ones_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no PNG or JPEG"):
        read_image_folder(tmp_path)
    Image.new("L", (5, 6)).save(tmp_path / "_1.png")
    with pytest.raises(InputError, match=r"_1\.png does not say what it shows"):
        read_image_folder(tmp_path)


def test_that_every_drawing_has_a_place_and_is_dark_on_light(tmp_path: Path) -> None:
    images = np.zeros((GALLERY_COLUMNS + 1, 28, 28), np.uint8)
    images[:, 10:18, 10:18] = 255
    write_gallery(tmp_path / "sheet.png", images, [f"{number}" for number in range(len(images))])
    sheet = read_image(tmp_path / "sheet.png")
    height, width = sheet.shape
    assert width > GALLERY_COLUMNS * 84
    assert (sheet[: height // 2] < 30).sum() > (sheet[height // 2 :] < 30).sum() > 0


def test_that_no_drawings_give_an_empty_sheet(tmp_path: Path) -> None:
    write_gallery(tmp_path / "sheet.png", np.empty((0, 28, 28), np.uint8), [])
    assert read_image(tmp_path / "sheet.png").min() == 255


def test_that_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        write_gallery(tmp_path / "nowhere" / "sheet.png", np.empty((0, 28, 28), np.uint8), [])
