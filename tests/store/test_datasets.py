from __future__ import annotations

import os
import shutil
import struct
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qtdigits.core.drawing.images import normalise_image, normalise_images
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.raster import render
from qtdigits.core.drawing.samples import Origin
from qtdigits.errors import InputError, StoreError
from qtdigits.store.data.csv_pair import write_csv_pair
from qtdigits.store.data.datasets import Kind, kind_of, read_dataset, read_samples
from qtdigits.store.data.ink_files import LabelledInk, write_ink_jsonl
from qtdigits.store.model_files import save_model
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_model, a_sample, an_image, an_ink

UNIPEN = '.SEGMENT DIGIT 0 ? "8"\n.COMMENT 8 12 224\n.PEN_DOWN\n1 2\n30 4\n.PEN_UP\n'


@pytest.fixture
def ink_path(tmp_path: Path) -> Path:
    path = tmp_path / "drawings.jsonl"
    extra = {"device": "pen", "drawn_at": "2024-01-02T03:04:05.006+00:00"}
    write_ink_jsonl(
        path,
        [
            LabelledInk("1", "Bob", an_ink(), extra),
            LabelledInk("2", "", an_ink()),
            LabelledInk("3", "", Ink()),
        ],
    )
    return path


@pytest.fixture
def unnormalised() -> np.ndarray:
    """A dark bar on white paper, off the centre."""
    image = np.full((2, 28, 28), 255, np.uint8)
    image[:, 2:12, 3:6] = 0
    return image


def test_that_ink_is_rendered_and_keeps_its_writers(ink_path: Path) -> None:
    dataset = read_dataset(ink_path)
    assert dataset.name == "drawings.jsonl"
    assert dataset.labels == ("1", "2", "3")
    assert dataset.writers == ("Bob", "", "")
    assert dataset.images.any(axis=(1, 2)).tolist() == [True, True, False]


def test_that_ink_is_imported_as_ink(ink_path: Path) -> None:
    first, second = read_samples(ink_path, writer="Ada")
    assert (first.writer, first.device, first.origin) == ("Bob", "pen", Origin.INK_FILE)
    assert first.drawn_at == datetime.fromisoformat("2024-01-02T03:04:05.006+00:00")
    assert np.array_equal(first.raster, render(first.ink))
    assert second.writer == "Ada"


def test_that_what_is_exported_and_imported_again_is_known(tmp_path: Path) -> None:
    with SampleStore.open(tmp_path / "data") as store:
        store.add_samples(a_sample(str(i % 10)) for i in range(20))
        path = tmp_path / "mine.jsonl.gz"
        write_ink_jsonl(path, filter(None, map(LabelledInk.of, store.samples())))
        assert store.add_samples(read_samples(path, writer="somebody")).skipped == 20


def test_that_unipen_is_read(tmp_path: Path) -> None:
    path = tmp_path / "digits.tra"
    path.write_text(UNIPEN)
    dataset = read_dataset(path)
    assert (dataset.labels, dataset.writers) == (("8",), ("12",))
    (sample,) = read_samples(path, writer="Ada")
    assert (sample.writer, sample.origin) == ("12", Origin.INK_FILE)


def test_that_images_of_every_kind_are_normalised(tmp_path: Path, unnormalised: np.ndarray) -> None:
    expected = normalise_images(unnormalised)
    write_csv_pair(tmp_path / "images.csv", tmp_path / "labels.csv", unnormalised, ["1", "1"])
    np.savez(tmp_path / "data.npz", x=unnormalised, y=[1, 1])
    (tmp_path / "t-images-idx3-ubyte").write_bytes(
        struct.pack(">4I", 0x803, 2, 28, 28) + unnormalised.tobytes()
    )
    (tmp_path / "t-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, 2) + b"\1\1")
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, image in enumerate(unnormalised):
        Image.fromarray(image).save(folder / f"1_{number}.png")
    for name in ("images.csv", "data.npz", "t-images-idx3-ubyte", "pictures"):
        dataset = read_dataset(tmp_path / name)
        assert np.array_equal(dataset.images, expected), name
        assert (dataset.labels, dataset.writers) == (("1", "1"), ())


def test_that_pictures_of_different_sizes_make_one_dataset(tmp_path: Path, unnormalised: np.ndarray) -> None:
    for number, image in enumerate((unnormalised[0], np.pad(unnormalised[0], 20, constant_values=255))):
        Image.fromarray(image).save(tmp_path / f"1_{number}.png")
    dataset = read_dataset(tmp_path)
    assert np.array_equal(dataset.images[0], normalise_image(unnormalised[0]))
    assert dataset.images.shape == (2, 28, 28)


def test_that_the_csv_pair_is_imported_as_such(tmp_path: Path, unnormalised: np.ndarray) -> None:
    paths = tmp_path / "pictures.csv", tmp_path / "truth.csv"
    write_csv_pair(*paths, np.concatenate([unnormalised, np.zeros((1, 28, 28), np.uint8)]), ["1", "7", "2"])
    first, second = read_samples(paths[0], labels=paths[1], writer="Ada")
    assert (first.origin, first.ink, first.writer) == (Origin.CSV_PAIR, None, "Ada")
    assert (first.label, second.label) == ("1", "7")
    with pytest.raises(InputError, match=r"no labels beside .*--labels"):
        read_dataset(paths[0])


def test_that_a_store_or_the_folder_it_is_in_can_be_read(tmp_path: Path) -> None:
    with SampleStore.open(tmp_path) as store:
        store.add_samples([a_sample("1", "Ada"), an_image("2", "Bob")])
    moved = tmp_path / "backup.of.mine"
    shutil.copy(tmp_path / "samples.db", moved)
    for path in (tmp_path, tmp_path / "samples.db", moved):
        dataset = read_dataset(path)
        assert (dataset.name, dataset.labels, dataset.writers) == (path.name, ("1", "2"), ("Ada", "Bob"))
    samples = list(read_samples(moved, writer="nobody"))
    assert [(sample.writer, sample.id) for sample in samples] == [("Ada", None), ("Bob", None)]


def test_that_a_damaged_store_is_reported(tmp_path: Path) -> None:
    with SampleStore.open(tmp_path):
        pass
    path = tmp_path / "samples.db"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(StoreError, match="is damaged"):
        read_dataset(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"Dear Sir or Madam", "of no kind that can be read.*Give ink"),
        (b"\x89PNG\r\n\x1a\n", "one picture, without a label"),
        (b'{"label": "7"', "line 1: it is not JSON"),
        (b".INCLUDE x\n", "has no .SEGMENT"),
        (b"PK\x03\x04", "not a usable .npz file"),
    ],
)
def test_that_unusable_files_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "data"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_dataset(path)


def test_that_a_model_is_not_taken_for_data(tmp_path: Path) -> None:
    save_model(a_model(), tmp_path / "m.h5")
    with pytest.raises(InputError, match="is a model, not a set of drawings"):
        read_dataset(tmp_path / "m.h5")


def test_that_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read_dataset(tmp_path / "data")


@pytest.mark.skipif(os.name == "nt", reason="pipes have no place among files there")
def test_that_a_pipe_is_refused_without_waiting_for_what_comes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"pipe is a pipe\. Save what it holds"):
        read_dataset(tmp_path / "pipe")


def test_that_an_empty_store_is_no_dataset(tmp_path: Path) -> None:
    with SampleStore.open(tmp_path):
        pass
    with pytest.raises(InputError, match="holds no drawings"):
        read_dataset(tmp_path)


def test_that_labels_for_what_has_its_own_are_refused(ink_path: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds its labels itself"):
        read_dataset(ink_path, labels=tmp_path / "labels.csv")


def test_that_a_csv_file_with_a_header_is_told_apart_from_nonsense(tmp_path: Path) -> None:
    (tmp_path / "images.csv").write_text("pixel1,pixel2\n")
    (tmp_path / "labels.csv").write_text("label\n")
    assert kind_of(tmp_path / "images.csv") is Kind.CSV_PAIR
    with pytest.raises(InputError, match="line 1 has 2 values instead of 784"):
        read_dataset(tmp_path / "images.csv")


def test_that_many_drawings_are_imported_without_loss(tmp_path: Path) -> None:
    path = tmp_path / "ink.jsonl"
    inks = [Ink.of([[(0, 0), (n + 1, 30)]]) for n in range(1100)]
    write_ink_jsonl(path, (LabelledInk("1", "", ink) for ink in inks))
    assert [sample.ink for sample in read_samples(path, writer="Ada")] == inks


def test_that_mnist_passes_unchanged(mnist_path: Path) -> None:
    dataset = read_dataset(mnist_path)
    with np.load(mnist_path) as arrays:
        same = (dataset.images == arrays["x_test"]).all(axis=(1, 2)).mean()
    assert same > 0.99


def test_that_pendigits_is_whole(ink_dir: Path) -> None:
    dataset = read_dataset(ink_dir / "pendigits-orig.tra")
    assert len(dataset) == 7494
    assert len(set(dataset.writers)) == 30
