"""Exported models against the model itself, on all of MNIST's test set, each file read in its own runtime.

`python -m benchmarks.exports [MODEL…] [--formats onnx …]` prints the largest difference of a probability and how many labels
differ. MNIST is searched for as everywhere (`QTDIGITS_MNIST`). safetensors is read with numpy, drawing by drawing: minutes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from qtdigits.core.folding import reading_network
from qtdigits.litert import constants_of
from qtdigits.paths import user_data_dir
from qtdigits.reader import Reader
from qtdigits.store.data.mnist import find_mnist, load_mnist
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model
from qtdigits.training.export.export_model import write_and_read
from qtdigits.training.export.formats import FORMAT_NAMES, Exported, format_of

PART = 1000
"""So many drawings at a time."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["default", "cnn-32-64", "mlp-50-50"])
    parser.add_argument("--formats", nargs="+", choices=FORMAT_NAMES, default=FORMAT_NAMES)
    args = parser.parse_args()
    path = find_mnist(explicit=None, folder=user_data_dir(None))
    if path is None:
        parser.error("MNIST was not found; set QTDIGITS_MNIST")
    images = load_mnist(path).test.images
    for name in args.models:
        model = load_model(ModelLibrary(user_data_dir(None)).find(name))
        expected = Reader(model).read_many(images)
        exported = Exported(model, reading_network(model, constants_of(model.flatbuffer)))
        for format_name in args.formats:
            chosen = format_of(Path("x"), format_name)
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, f"model{chosen.suffix}")
                parts = [images[first : first + PART] for first in range(0, len(images), PART)]
                found = np.concatenate([write_and_read(exported, chosen, file, part)[0] for part in parts])
            difference = float(np.abs(found - expected).max())
            n_labels = int((found.argmax(axis=1) != expected.argmax(axis=1)).sum())
            print(f"{name} {format_name}: {difference:.1e}, {n_labels} labels of {len(images):,}", flush=True)


if __name__ == "__main__":
    main()
