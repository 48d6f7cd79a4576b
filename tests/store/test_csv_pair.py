from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtdigits.errors import InputError, StoreError
from qtdigits.store.data.csv_pair import read_csv_pair, write_csv_pair

ROW = ",".join(["0", "255", *["7"] * 782])


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "images.csv", tmp_path / "labels.csv"


def _write(pair: tuple[Path, Path], images: str, labels: str) -> None:
    pair[0].write_bytes(images.encode())
    pair[1].write_bytes(labels.encode())


def test_that_the_report_s_own_form_is_read(pair: tuple[Path, Path]) -> None:
    _write(pair, f"{ROW}\r\n{ROW}\r\n", "3\r\n3.0\r\n")
    images, labels = read_csv_pair(*pair)
    assert labels == ("3", "3")
    assert images.shape == (2, 28, 28)
    assert images[1].ravel()[:3].tolist() == [0, 255, 7]


@pytest.mark.parametrize("ending", ["", "\n", "\n\n", "\r\n \n"])
def test_that_the_end_of_the_file_may_be_anyhow(pair: tuple[Path, Path], ending: str) -> None:
    _write(pair, ROW + ending, "A" + ending)
    assert read_csv_pair(*pair)[1] == ("A",)


def test_that_whole_numbers_may_be_written_with_a_point(pair: tuple[Path, Path]) -> None:
    _write(pair, "\ufeff" + ROW.replace("255", " 255.0"), "\ufeff7")
    images, labels = read_csv_pair(*pair)
    assert images[0, 0, 1] == 255
    assert labels == ("7",)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (ROW + ",0", "images.csv, line 2 has 785 values instead of 784"),
        ("", "images.csv, line 2 has 1 values instead of 784"),
        (ROW.replace("255", "256"), "line 2, value 2: '256' is not from 0 to 255"),
        (ROW.replace("255", "-1"), "line 2, value 2: '-1' is not from 0 to 255"),
        (ROW.replace("255", "nan"), "line 2, value 2: 'nan' is not from 0 to 255"),
        (ROW.replace("255", "0.5"), "line 2, value 2: '0.5' is not a whole number"),
        (ROW.replace("255", "1e999"), "line 2, value 2: '1e999' is not from 0 to 255"),
        (ROW.replace("255", "pixel1"), "line 2, value 2: 'pixel1' is not a number"),
        (ROW.replace("255", ""), "line 2, value 2: '' is not a number"),
        (ROW.replace("255", "\udcff"), "line 2, value 2: '\N{REPLACEMENT CHARACTER}' is not a number"),
    ],
)
def test_that_a_bad_row_is_named(pair: tuple[Path, Path], row: str, message: str) -> None:
    _write(pair, "", "1\n2\n3\n")
    pair[0].write_bytes(f"{ROW}\n{row}\n{ROW}\n".encode(errors="surrogateescape"))
    with pytest.raises(InputError) as caught:
        read_csv_pair(*pair)
    assert message in caught.value.message
    assert "784 whole numbers from 0 to 255" in caught.value.remedy


def test_that_truths_are_no_grey_levels(pair: tuple[Path, Path]) -> None:
    _write(pair, ",".join(["True"] * 784), "1\n")
    with pytest.raises(InputError, match="line 1, value 1: 'True' is not a number"):
        read_csv_pair(*pair)


@pytest.mark.parametrize("label", ["", "x" * 33, "\x00"])
def test_that_a_bad_label_is_named(pair: tuple[Path, Path], label: str) -> None:
    _write(pair, f"{ROW}\n{ROW}\n{ROW}\n", f"1\n{label}\n3\n")
    with pytest.raises(InputError, match=r"labels\.csv, line 2"):
        read_csv_pair(*pair)


def test_that_files_that_do_not_match_are_refused(pair: tuple[Path, Path]) -> None:
    _write(pair, f"{ROW}\n", "1\n2\n")
    with pytest.raises(InputError, match=r"images\.csv has 1 rows, .*labels\.csv has 2"):
        read_csv_pair(*pair)


def test_that_the_pair_may_be_packed(pair: tuple[Path, Path]) -> None:
    for path, text in zip(pair, (f"{ROW}\n", "7\n"), strict=True):
        path.write_bytes(gzip.compress(text.encode()))
    images, labels = read_csv_pair(*pair)
    assert (images[0, 0, 1], labels) == (255, ("7",))


def test_that_missing_and_empty_files_are_named(pair: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match=r"There is no file .*images\.csv"):
        read_csv_pair(*pair)
    _write(pair, "\n", "1\n")
    with pytest.raises(InputError, match=r"images\.csv is empty"):
        read_csv_pair(*pair)


@settings(max_examples=20)
@given(
    labels=st.lists(st.sampled_from(["7", "π", "A,B", '"', "10"]), min_size=1, max_size=4),
    seed=st.integers(0, 2**32 - 1),
)
def test_that_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, labels: list[str], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    rasters = np.random.default_rng(seed).integers(0, 256, (len(labels), 28, 28), np.uint8)
    pair = folder / "images.csv", folder / "labels.csv"
    assert write_csv_pair(*pair, rasters, labels) == len(labels)
    images, found = read_csv_pair(*pair)
    assert np.array_equal(images, rasters)
    assert found == tuple(labels)


def test_that_neither_file_changes_when_one_cannot_be_written(pair: tuple[Path, Path]) -> None:
    _write(pair, "old", "old")
    pair[1].unlink()
    pair[1].mkdir()
    with pytest.raises(StoreError, match=r"labels\.csv is not a file"):
        write_csv_pair(*pair, np.zeros((1, 28, 28), np.uint8), ["7"])
    assert pair[0].read_text() == "old"
    assert sorted(path.name for path in pair[0].parent.iterdir()) == ["images.csv", "labels.csv"]


def test_that_the_report_s_corrections_are_read(report_csv_dir: Path) -> None:
    images, labels = read_csv_pair(report_csv_dir / "images.csv", report_csv_dir / "labels.csv")
    assert images.shape == (1666, 28, 28)
    assert len(labels) == 1666
    assert set(labels) == set("0123456789")
