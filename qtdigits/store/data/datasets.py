"""Any file of labelled drawings or images, as a dataset to score or train on, or as samples to import."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum, auto
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.images import normalise_image, normalise_images
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import Dataset, Origin, Sample, now
from qtdigits.errors import InputError
from qtdigits.limits import EARLIEST, LATEST
from qtdigits.store import hdf5
from qtdigits.store.data.arrays import read_idx, read_npz
from qtdigits.store.data.csv_pair import read_csv_pair
from qtdigits.store.data.image_files import read_image_folder
from qtdigits.store.data.ink_files import LabelledInk, read_ink_jsonl, read_unipen
from qtdigits.store.tables import database
from qtdigits.store.tables.samples import SampleStore
from qtdigits.untrusted import open_plain_or_gzip


class Kind(Enum):
    """The kind of a file, by its content."""

    INK = auto()
    UNIPEN = auto()
    CSV_PAIR = auto()
    NPZ = auto()
    IDX = auto()
    IMAGE_FOLDER = auto()
    STORE = auto()


_INK_READERS: dict[Kind, Callable[[Path], Iterator[LabelledInk]]] = {
    Kind.INK: read_ink_jsonl,
    Kind.UNIPEN: read_unipen,
}
_BATCH = 512
MOST_OF_DEVICE = 200


def read_dataset(path: Path, *, labels: Path | None = None) -> Dataset:
    """Read a file, a folder of pictures or a `samples.db`, preprocessed for the networks.

    `labels` is the other half of a CSV or IDX pair, by default the one beside it. `writers` is set where the data names them.
    Raises `InputError` (file, line, remedy) and, for a `samples.db`, `StoreError`.
    """
    kind = kind_of(path, labels=labels)
    if kind is Kind.STORE:
        with _open_store(path) as store:
            found = replace(store.dataset(), name=path.name)
            _refuse_damaged(store, path)
    elif kind in _INK_READERS:
        found = _dataset_of_ink(path, list(_INK_READERS[kind](path)))
    else:
        images, names = _pictures(kind, path, labels)
        found = Dataset(path.name, images, names)
    if not len(found):
        raise InputError(f"{path} holds no drawings.", "Choose another file.")
    return found


def read_samples(path: Path, *, labels: Path | None = None, writer: str) -> Iterator[Sample]:
    """Read the same as samples to import: ink stays ink. Blank drawings are left out.

    `writer` drew what has no writer in the file. Raises as `read_dataset`, in part during iteration.
    """
    kind = kind_of(path, labels=labels)
    if kind is Kind.STORE:
        return _stored_samples(path)
    if kind in _INK_READERS:
        return _ink_samples(_INK_READERS[kind](path), writer)
    return _picture_samples(kind, path, labels, writer)


def kind_of(path: Path, *, labels: Path | None = None) -> Kind:
    """Return what a file is. Raises `InputError` for an unknown kind, and for `labels` that the kind does not need."""
    kind = _kind_of_folder(path) if path.is_dir() else _kind_of_content(path)
    if labels is not None and kind not in {Kind.CSV_PAIR, Kind.IDX}:
        raise InputError(f"{path} holds its labels itself.", f"Leave out {labels}.")
    return kind


def _kind_of_folder(path: Path) -> Kind:
    return Kind.STORE if (path / database.FILE_NAME).is_file() else Kind.IMAGE_FOLDER


def _kind_of_content(path: Path) -> Kind:
    if database.is_in_use(path):
        return Kind.STORE
    with open_plain_or_gzip(path) as stream:
        start = stream.read(512)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise InputError(f"{path} is empty.", "Choose another file.")
    if start.startswith(database.MAGIC):
        return Kind.STORE
    if start.startswith(b"PK\x03\x04"):
        return Kind.NPZ
    if start.startswith(b"\0\0\x08"):
        return Kind.IDX
    if text.startswith(b"{"):
        return Kind.INK
    if text.startswith(b"."):
        return Kind.UNIPEN
    if path.suffix.lower() == ".csv" or text[:1].isdigit():
        return Kind.CSV_PAIR
    raise _unknown(path, start)


def _unknown(path: Path, start: bytes) -> InputError:
    if start.startswith((b"\x89PNG", b"\xff\xd8")):
        return InputError(
            f"{path} is one picture, without a label.", "Give a folder of pictures named by their labels."
        )
    if start.startswith(hdf5.MAGIC):
        return InputError(f"{path} is a model, not a set of drawings.", "Give a file of drawings or images.")
    return InputError(
        f"{path} is of no kind that can be read.",
        "Give ink (.jsonl, .jsonl.gz, UNIPEN), images (images.csv, .npz, IDX, a folder of PNGs) or a samples.db.",
    )


def _pictures(kind: Kind, path: Path, labels: Path | None) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return normalised images `(n, 28, 28)` and their labels."""
    if kind is Kind.IMAGE_FOLDER:
        pictures, names = read_image_folder(path)
        return np.stack([normalise_image(picture) for picture in pictures]), names
    if kind is Kind.CSV_PAIR:
        images, names = read_csv_pair(path, labels or _labels_beside(path))
    elif kind is Kind.IDX:
        images, names = read_idx(path, labels)
    else:
        images, names = read_npz(path)
    return normalise_images(images), names


def _labels_beside(images: Path) -> Path:
    beside = images.with_name(images.name.replace("images", "labels"))
    if beside == images or not beside.is_file():
        raise InputError(
            f"There are no labels beside {images}.", "Give the file of the labels with --labels."
        )
    return beside


def _dataset_of_ink(path: Path, drawings: Sequence[LabelledInk]) -> Dataset:
    writers = tuple(drawing.writer for drawing in drawings)
    return Dataset(
        path.name,
        render_many(drawing.ink for drawing in drawings),
        tuple(drawing.label for drawing in drawings),
        writers if any(writers) else (),
        tuple(None if drawing.ink.is_blank else drawing.ink for drawing in drawings),
    )


def _open_store(path: Path) -> SampleStore:
    return SampleStore.open_read_only(path / database.FILE_NAME if path.is_dir() else path, is_foreign=True)


def _refuse_damaged(store: SampleStore, path: Path) -> None:
    for what, why in store.damaged.items():
        raise InputError(
            f"{path}: {what} is damaged: {why}.",
            "To take the rest, use qtdigits samples merge --skip-damaged.",
        )


def _stored_samples(path: Path) -> Iterator[Sample]:
    with _open_store(path) as store:
        for sample in store.samples():
            yield replace(sample, id=None)
        _refuse_damaged(store, path)


def _ink_samples(drawings: Iterator[LabelledInk], writer: str) -> Iterator[Sample]:
    while batch := list(islice(drawings, _BATCH)):
        inked = [drawing for drawing in batch if not drawing.ink.is_blank]
        for drawing, raster in zip(inked, render_many(drawing.ink for drawing in inked), strict=True):
            yield Sample(
                label=drawing.label,
                raster=raster,
                writer=drawing.writer or writer,
                ink=drawing.ink,
                origin=Origin.INK_FILE,
                device=str(drawing.extra.get("device", ""))[:MOST_OF_DEVICE],
                drawn_at=_moment(drawing.extra.get("drawn_at")),
            )


def _picture_samples(kind: Kind, path: Path, labels: Path | None, writer: str) -> Iterator[Sample]:
    images, names = _pictures(kind, path, labels)
    origin = Origin.CSV_PAIR if kind is Kind.CSV_PAIR else Origin.IMAGE
    for image, label in zip(images, names, strict=True):
        if image.any():
            yield Sample(label=label, raster=image, writer=writer, origin=origin)


def _moment(text: Any) -> datetime:
    """Return the time in a file, or the present one when there is none, or none that can be stored."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.astimezone()
    except (TypeError, ValueError, OverflowError, OSError):
        return now()
    return moment if EARLIEST <= moment <= LATEST else now()
