"""Import and export of samples: whole files, all or nothing.

Each function opens the store itself, so it may run in any thread or process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.samples import Sample
from qtdigits.errors import InputError
from qtdigits.store.data.csv_pair import write_csv_pair
from qtdigits.store.data.datasets import read_samples
from qtdigits.store.data.ink_files import LabelledInk, write_ink_jsonl
from qtdigits.store.tables.editing import Added
from qtdigits.store.tables.rows import EVERYTHING, SampleFilter, clean_name
from qtdigits.store.tables.samples import SampleStore

INK_SUFFIXES = (".jsonl", ".jsonl.gz")


def import_samples(data_dir: Path, path: Path, *, writer: str, labels: Path | None = None) -> Added:
    """Read `path` (any kind that `read_samples` knows) into the store; `writer` where the file names none."""
    return add_drawings(data_dir, read_drawings(path, writer=writer, labels=labels))


def read_drawings(path: Path, *, writer: str, labels: Path | None = None) -> tuple[Sample, ...]:
    """Read what `import_samples` would add."""
    return tuple(_with_checked_writers(path, read_samples(path, labels=labels, writer=writer)))


def add_drawings(data_dir: Path, drawings: Iterable[Sample]) -> Added:
    """Add drawings to the store, all or none."""
    with SampleStore.open(data_dir) as store:
        return store.add_samples(drawings)


def export_ink(data_dir: Path, path: Path, chosen: SampleFilter = EVERYTHING) -> int:
    """Write the drawings as ink JSONL (`.gz`: compressed), without imported images, which have no ink."""
    if not path.name.endswith(INK_SUFFIXES):
        raise InputError(f"{path.name} is not the name of an ink file.", "Let it end in .jsonl or .jsonl.gz.")
    with SampleStore.open_to_read(data_dir) as store:
        return write_ink_jsonl(
            path, (_labelled(s, s.ink) for s in store.samples(chosen) if s.ink is not None)
        )


def export_csv_pair(data_dir: Path, images: Path, labels: Path, chosen: SampleFilter = EVERYTHING) -> int:
    """Write rasters and labels as the 2022 report's CSV pair, in the order in which they were stored."""
    with SampleStore.open_to_read(data_dir) as store:
        pairs = [(sample.raster, sample.label) for sample in store.samples(chosen)]
    rasters = np.stack([raster for raster, _ in pairs]) if pairs else np.empty((0, 28, 28), np.uint8)
    return write_csv_pair(images, labels, rasters, [label for _, label in pairs])


def _with_checked_writers(path: Path, samples: Iterable[Sample]) -> Iterator[Sample]:
    """Yield `samples` of the file `path`. Raises `InputError` that names the drawing whose writer the store would refuse."""
    for number, sample in enumerate(samples, 1):
        try:
            clean_name(sample.writer)
        except InputError as error:
            raise InputError(f"{path}, drawing {number}: {error.message}", error.remedy) from error
        yield sample


def _labelled(sample: Sample, ink: Ink) -> LabelledInk:
    return LabelledInk(sample.label, sample.writer, ink, {"source": sample.origin.value})
