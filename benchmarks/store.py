"""A store of 100,000 judged drawings: keeping one more, taking them in, reading them all, and opening the window on them.

The drawings are synthetic ink, all of them different, judged by one writer with one model: the worst case for what is shown
after every judgement. A judgement is measured as the person waits for it, from Enter to the next empty canvas.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.common import Row, finish, run_child
from benchmarks.startup import start_s

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qtdigits.core.drawing.samples import Sample
    from qtdigits.gui.session import Session

N_STORED = 100_000
N_SHAPES = 2_000
ROUNDS, JUDGED_A_ROUND, REWRITTEN_A_ROUND = 20, 50, 1
N_STARTS = 5
MODEL = "default"


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="qtdigits-store-") as place:
        full, empty = Path(place, "full"), Path(place, "empty")
        figures = run_child("store", str(full), str(empty))
        starts = [(start_s("litert", full), start_s("litert", empty)) for _ in range(N_STARTS)]
    full_s, empty_s = (sorted(side)[N_STARTS // 2] for side in zip(*starts, strict=True))
    n = f"{N_STORED:,}"
    rewriting = "appending to an .npz of as many images"
    return [
        Row(f"judge one drawing, {n} stored, p99", figures["full_p99_ms"], figures["empty_p99_ms"], "ms",
            "an empty store", "≤ 10 ms"),
        Row("judge one drawing, median", figures["full_ms"], figures["rewriting_ms"], "ms", rewriting, ""),
        Row(f"take in {n} drawings", figures["adding_s"], None, "s", "", ""),
        Row(f"read {n} drawings to train on", figures["reading_s"], figures["npz_s"], "s", "reading the .npz", ""),
        Row(f"start → able to read, {n} stored", full_s, empty_s, "s", "an empty store", "1.0"),
    ]  # fmt: skip


def child(full: Path, empty: Path) -> None:
    import numpy as np

    from qtdigits.store.tables.samples import SampleStore

    adding_s = _seconds(partial(_fill, full, list(_samples())))
    SampleStore.open(empty).close()
    with SampleStore.open(full) as store:
        reading_s = _seconds(store.dataset)
        stored = store.dataset().images
    file = full / "images.npz"
    rewriting = _seconds_of_rewriting(stored, file)
    npz_s = _seconds(lambda: np.load(file)["images"])
    waits = _waits(full, empty)
    finish(
        full_p99_ms=1000 * float(np.percentile(waits[full], 99)),
        empty_p99_ms=1000 * float(np.percentile(waits[empty], 99)),
        full_ms=1000 * float(np.median(waits[full])),
        rewriting_ms=1000 * rewriting,
        adding_s=adding_s,
        reading_s=reading_s,
        npz_s=npz_s,
    )


def _samples() -> Iterator[Sample]:
    import numpy as np

    from qtdigits.core.drawing.ink import Ink
    from qtdigits.core.drawing.raster import render_many
    from qtdigits.core.drawing.samples import DEFAULT_WRITER, Sample
    from qtdigits.core.drawing.synthetic import synthetic_digits

    inks, labels = synthetic_digits(N_SHAPES, seed=1)
    rasters = render_many(inks)
    for number in range(N_STORED):
        shape, shift = number % N_SHAPES, 0.001 * number
        moved = tuple(stroke + np.array([shift, 0, 0, 0], np.float32) for stroke in inks[shape].strokes)
        yield Sample(str(labels[shape]), rasters[shape], DEFAULT_WRITER, ink=Ink.of(moved), device="mouse")


def _fill(folder: Path, samples: list[Sample]) -> None:
    from qtdigits.store.tables.classes import label_set_id
    from qtdigits.store.tables.samples import SampleStore

    with SampleStore.open(folder) as store:
        store.add_samples(samples)
        # One statement: a hundred thousand judgements one by one would take as many waits for the disk.
        with store._db.transaction():
            labels = label_set_id(store._db, store.classes().labels)
            store._db.execute(
                """INSERT INTO trials (writer_id, model, answer, verdict, truth, judged_at, sample_id,
                    label_set_id, probabilities)
                    SELECT writer_id, ?, class_id, CASE WHEN id % 10 THEN 'confirmed' ELSE 'corrected' END,
                        class_id, drawn_at, id, ?, zeroblob(80) FROM samples""",
                (MODEL, labels),
            )


def _waits(*folders: Path) -> dict[Path, NDArray[np.float64]]:
    """Seconds of single judgements, by folder, in turn; the first of each round, which come after a pause, count too."""
    import numpy as np

    sessions = {folder: _session(folder) for folder in folders}
    waits: dict[Path, list[float]] = {folder: [] for folder in folders}
    drawn = 0
    for _ in range(ROUNDS):
        for folder, session in sessions.items():
            for _ in range(JUDGED_A_ROUND):
                drawn += 1
                session.add_stroke(
                    np.array([[300, 200, 0, 1], [300 + drawn / 10, 800, 50, 1]], np.float32), "mouse"
                )
                waits[folder].append(_seconds(session.judge))
    for session in sessions.values():
        session.close()
    return {folder: np.array(seconds) for folder, seconds in waits.items()}


def _session(folder: Path) -> Session:
    from qtdigits.gui.session import Session
    from qtdigits.store.library import ModelLibrary
    from qtdigits.store.tables.samples import SampleStore

    store = SampleStore.open(folder)
    session = Session(store=store, library=ModelLibrary(folder), data_dir=folder)
    session.ensure_champion()
    # what the window asks for after each of them
    session.samples_changed.connect(lambda: store.count(held_out=False))
    return session


def _seconds_of_rewriting(images: NDArray[np.uint8], file: Path) -> float:
    """The median of appending one image to a file of all of them, as safely: written beside it, synced, renamed."""
    import numpy as np

    def append() -> None:
        part = file.with_suffix(".part")
        with part.open("wb") as stream:
            np.savez(stream, images=np.concatenate([images, images[:1]]))
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)

    return float(np.median([_seconds(append) for _ in range(REWRITTEN_A_ROUND * ROUNDS)]))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    child(*map(Path, sys.argv[1:]))
