"""The obvious way to train on MNIST: a plain Keras script. `python -m benchmarks.plain_training NAME mnist.npz EPOCHS`.

`report-cnn` is the 2022 report's network, `convnet` that of Keras's own example; both with Adam at Keras's rate,
batches of 128 and the arrays in memory. Scored on the test set after each epoch, until 99.0 % are right.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from benchmarks.common import finish

BATCH_SIZE = 128
MARK = 0.990


def seconds_since_process_start() -> float:
    """Of this process, by the kernel's clock (Linux): importing is part of what is measured."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    uptime_s = float(Path("/proc/uptime").read_text().split()[0])
    return uptime_s - int(fields[19]) / os.sysconf("SC_CLK_TCK")


def child(name: str, mnist: str, epochs: int) -> None:
    before_s, started = seconds_since_process_start(), time.perf_counter()
    import keras
    import numpy as np

    with np.load(mnist) as file:
        x_train, x_test = (file[part].astype("float32")[..., None] / 255 for part in ("x_train", "x_test"))
        y_train, y_test = file["y_train"], file["y_test"]
    layers = keras.layers
    convolutions = {
        "report-cnn": [
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.5),
        ],
        "convnet": [
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
        ],
    }
    network = keras.Sequential(
        [keras.Input((28, 28, 1)), *convolutions[name], layers.Dense(10, activation="softmax")]
    )
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    accuracy, epoch = 0.0, 0
    while accuracy < MARK and epoch < epochs:
        network.fit(x_train, y_train, batch_size=BATCH_SIZE, epochs=epoch + 1, initial_epoch=epoch, verbose=0)
        _, accuracy = network.evaluate(x_test, y_test, batch_size=1000, verbose=0)
        epoch += 1
    finish(seconds=before_s + time.perf_counter() - started, accuracy=float(accuracy), epochs=epoch)


if __name__ == "__main__":
    child(sys.argv[1], sys.argv[2], int(sys.argv[3]))
