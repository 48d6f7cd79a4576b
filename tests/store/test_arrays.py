from __future__ import annotations

import gzip
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from qtdigits.errors import InputError
from qtdigits.store.data.arrays import read_idx, read_npz

IMAGES = np.arange(2 * 28 * 28, dtype=np.uint32).reshape(2, 28, 28).astype(np.uint8)


def _npz(folder: Path, **arrays: object) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("names", [("x", "y"), ("x_test", "y_test")])
def test_that_both_kinds_of_names_are_read(tmp_path: Path, names: tuple[str, str]) -> None:
    path = _npz(tmp_path, **{names[0]: IMAGES, names[1]: np.array([3, 4])})
    images, labels = read_npz(path)
    assert np.array_equal(images, IMAGES)
    assert labels == ("3", "4")


@pytest.mark.parametrize(
    "images",
    [
        IMAGES.reshape(2, 784),
        IMAGES[..., None],
        IMAGES.astype(np.int64),
        IMAGES.astype(float),
        IMAGES / 255.0,
    ],
)
def test_that_the_usual_shapes_and_scales_are_understood(tmp_path: Path, images: np.ndarray) -> None:
    assert np.array_equal(read_npz(_npz(tmp_path, x=images, y=["A", "B"]))[0], IMAGES)


@pytest.mark.parametrize("labels", [np.array(["3", "π"]), np.array([3.0, 4.0]), np.array([b"3", b"A"])])
def test_that_labels_may_be_text_or_numbers(tmp_path: Path, labels: np.ndarray) -> None:
    assert read_npz(_npz(tmp_path, x=IMAGES, y=labels))[1][0] == "3"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": IMAGES}, "has neither x and y"),
        ({"x": IMAGES, "y": [1, 2, 3]}, r"has 2 images and labels of the shape \(3,\)"),
        ({"x": IMAGES, "y": ["1", ""]}, "label 1 is unusable"),
        ({"x": IMAGES, "y": [1.0, np.nan]}, "label 1 is unusable: it is nan"),
        ({"x": IMAGES, "y": [b"1", b"\xff"]}, "label 1 is not UTF-8"),
        ({"x": IMAGES[0, 0], "y": [1] * 28}, r"images of the shape \(28,\)"),
        ({"x": IMAGES.astype(float) - 1, "y": [1, 2]}, "not from 0 to 255"),
        ({"x": IMAGES * np.nan, "y": [1, 2]}, "not from 0 to 255"),
        ({"x": IMAGES.astype("M8[s]"), "y": [1, 2]}, "and type datetime64"),
    ],
)
def test_that_unusable_arrays_are_refused(tmp_path: Path, arrays: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_npz(_npz(tmp_path, **arrays))


def test_that_objects_are_not_unpickled(tmp_path: Path) -> None:
    path = _npz(tmp_path, x=np.array([{"a": 1}], object), y=[1])
    with pytest.raises(InputError, match=r"not a usable \.npz file"):
        read_npz(path)


def test_that_damaged_archives_are_refused(tmp_path: Path) -> None:
    path = _npz(tmp_path, x=IMAGES, y=[1, 2])
    whole = path.read_bytes()
    for content in (b"", b"junk", whole[:700], whole[:300] + bytes(500) + whole[800:]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"data\.npz"):
            read_npz(path)
    path.unlink()
    with pytest.raises(InputError, match="There is no file"):
        read_npz(path)


def test_that_an_array_that_claims_to_be_huge_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (10000000000000, 28, 28), }"
    header = header.ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
        archive.writestr("y.npy", b"")
    with pytest.raises(InputError, match=r"not a usable \.npz file"):
        read_npz(path)


def _idx(path: Path, magic: int, array: np.ndarray, *, cut: int = 0) -> Path:
    content = struct.pack(f">I{array.ndim}I", magic, *array.shape) + array.astype(np.uint8).tobytes()
    content = content[: len(content) - cut]
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_that_an_idx_pair_is_read(tmp_path: Path, ending: str) -> None:
    images = _idx(tmp_path / f"t10k-images-idx3-ubyte{ending}", 0x803, IMAGES)
    _idx(tmp_path / f"t10k-labels-idx1-ubyte{ending}", 0x801, np.array([5, 6]))
    found, labels = read_idx(images)
    assert np.array_equal(found, IMAGES)
    assert labels == ("5", "6")


def test_that_idx_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    images = _idx(tmp_path / "images", 0x803, IMAGES)
    with pytest.raises(InputError, match="no labels beside"):
        read_idx(images)
    other = _idx(tmp_path / "other", 0x801, np.array([5]))
    with pytest.raises(InputError, match=r"holds 2 images, .*other 1 labels"):
        read_idx(images, other)
    with pytest.raises(InputError, match="images is not an IDX file of labels"):
        read_idx(images, images)
    with pytest.raises(InputError, match="other is not an IDX file of images"):
        read_idx(other, other.with_name("images"))


@pytest.mark.parametrize("cut", [1, 784, 2 * 784 + 3])
def test_that_truncated_idx_files_are_refused(tmp_path: Path, cut: int) -> None:
    labels = _idx(tmp_path / "labels", 0x801, np.array([5, 6]))
    images = _idx(tmp_path / "images", 0x803, IMAGES, cut=cut)
    with pytest.raises(InputError, match="images"):
        read_idx(images, labels)


def test_that_an_idx_file_that_claims_to_be_huge_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(struct.pack(">4I", 0x803, 2**32 - 1, 28, 28))
    labels = _idx(tmp_path / "labels", 0x801, np.array([5, 6]))
    with pytest.raises(InputError, match=r"images has more than 2,000,000 drawings"):
        read_idx(path, labels)
