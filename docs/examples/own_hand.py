"""A hand of one's own, without a window: read, judge, train, compare.

Usage: own_hand.py [INK.jsonl.gz [WRITER]]. The drawings of one writer of an ink file (by default of its first; synthetic ones if
no file is given) are read and judged in their order, as a person at the canvas would do it; then a network learns from them.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import qtdigits

# %% The drawings: the first two thirds are judged, the rest is only read at the end.

if len(sys.argv) > 1:
    opened = gzip.open if sys.argv[1].endswith(".gz") else open
    with opened(sys.argv[1], "rt", encoding="utf-8") as lines:
        drawings = [json.loads(line) for line in lines]
    writer = sys.argv[2] if len(sys.argv) > 2 else drawings[0]["writer"]
    drawings = [drawing for drawing in drawings if drawing.get("writer") == writer]
else:
    from qtdigits.core.drawing.synthetic import synthetic_digits

    writer = "synthetic"
    inks, labels = synthetic_digits(90, seed=7)
    drawings = [{"label": label, "strokes": ink.to_lists()} for ink, label in zip(inks, labels, strict=True)]

n_judged = 2 * len(drawings) // 3
judged, later = drawings[:n_judged], drawings[n_judged:]

with TemporaryDirectory() as folder:
    # %% Read and judge. Each drawing is read before it is judged; what was judged is remembered at once.

    store = qtdigits.SampleStore.open(Path(folder))
    store.add_writer(writer)
    reader, memory = qtdigits.Reader.open("mlp-50-50"), qtdigits.Memory()
    judging = qtdigits.Judging(store=store, writer=writer, reader=reader, memory=memory)
    errors_of_network = 0
    for drawing in judged:
        for stroke in qtdigits.Ink.of(drawing["strokes"]).strokes:
            judging.add_stroke(stroke)
        assert judging.reading is not None
        errors_of_network += reader.read(judging.ink).label != drawing["label"]
        judging.judge(drawing["label"])

    trials = store.trials_frame()
    errors = int((trials["answer"] != trials["truth"]).sum())
    print(
        f"{len(judged)} drawings by {writer}: {errors_of_network} misread by the network alone, {errors} with memory."
    )

    # %% Train on them, from the model that read them. `on_event=print` shows everything that happens.

    store.close()
    run = qtdigits.train("my-hand", data_dir=folder, base=str(reader.path), writer=writer)
    print(f"Trained: {run.outcome} after {run.epochs} epochs, {run.elapsed_s:.0f} s.")

    # %% Compare on the drawings that were never judged.

    rasters = np.stack([qtdigits.render(qtdigits.Ink.of(drawing["strokes"])) for drawing in later])
    truth = np.array([drawing["label"] for drawing in later])
    for name, model in (("before", reader), ("after", qtdigits.Reader.open(run.model))):
        labels_known = np.array(model.label_set.labels)
        alone = labels_known[model.read_many(rasters).argmax(axis=1)]
        print(
            f"{name}: {(alone == truth).sum()} of {len(later)} later drawings read right by the network alone."
        )
    remembered = [reader.read(raster, memory=memory).label for raster in rasters]
    print(f"with memory, before any training: {(np.array(remembered) == truth).sum()} of {len(later)}.")
