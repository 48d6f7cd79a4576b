"""From the click on *Learn my hand* to the first reading by the new model: 200 judged drawings, the engine warm.

In the real window with the real engine and the model that the program ships. Beside it the obvious way: the same
network in Keras goes through MNIST and the drawings once more and is scored on the test set, TensorFlow and the data being loaded
already. Neither way is asked here how good the new model is: `qtdigits simulate` does that.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.common import Row, finish, open_window, run_child
from benchmarks.gaps import GapWatch

if TYPE_CHECKING:
    from qtdigits.core.drawing.samples import Dataset

N_DRAWINGS = 200


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="qtdigits-learning-") as folder:
        ours = run_child("learning", "ours", folder)
    plain = run_child("learning", "plain")
    return [
        Row(
            f"{N_DRAWINGS} drawings → a new model reads",
            ours["s"],
            plain["s"],
            "s",
            "MNIST and the drawings once more in Keras, scored",
            "≤ 15 s",
        )
    ]


def child(side: str, folder: str = "") -> None:
    finish(s=_ours(folder) if side == "ours" else _plain())


def _drawings() -> Dataset:
    from qtdigits.core.drawing.raster import render_many
    from qtdigits.core.drawing.samples import Dataset
    from qtdigits.core.drawing.synthetic import synthetic_digits

    inks, labels = synthetic_digits(N_DRAWINGS, seed=1)
    return Dataset("drawings", render_many(inks), tuple(map(str, labels)), inks=tuple(inks))


def _ours(folder: str) -> float:
    from qtdigits.core.drawing.samples import DEFAULT_WRITER, Sample
    from qtdigits.core.run.events import EngineReady, Event, RunFinished
    from qtdigits.store.tables.samples import SampleStore

    drawings = _drawings()
    with SampleStore.open(Path(folder)) as store:
        store.add_samples(
            Sample(label, raster, DEFAULT_WRITER, ink)
            for label, raster, ink in zip(drawings.labels, drawings.images, drawings.inks, strict=True)
        )
    app, window = open_window("litert", folder)
    heard: list[Event] = []
    window.trainer.process.event_received.connect(heard.append)
    window.show()
    watch = GapWatch(app)
    watch.until(lambda: any(isinstance(event, EngineReady) for event in heard), 300)
    watch.run_for(5)  # it loads its libraries when it is ready, before anybody asks
    started = time.perf_counter()
    window.trainer.learn_hand()
    watch.until(lambda: any(isinstance(event, RunFinished) for event in heard), 900)
    model = next(event.model for event in heard if isinstance(event, RunFinished))
    window.session.use_model(Path(model))
    assert window.session.reader is not None
    window.session.reader.read(drawings.images[0])
    return time.perf_counter() - started


def _plain() -> float:
    import numpy as np

    from qtdigits import paths
    from qtdigits.ml.models import from_model
    from qtdigits.store.data.mnist import find_mnist, load_mnist
    from qtdigits.store.model_files import load_model

    path = find_mnist(folder=paths.user_data_dir())
    if path is None:
        raise RuntimeError("there is no MNIST; set QTDIGITS_MNIST to mnist.npz")
    mnist, drawings = load_mnist(path), _drawings()
    network = from_model(load_model(paths.shipped_models_dir() / "default.h5"))
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = np.concatenate([mnist.training.images, drawings.images])[..., None] / np.float32(255)
    y = np.array([int(label) for label in mnist.training.labels + drawings.labels])
    x_test = mnist.test.images[..., None] / np.float32(255)
    y_test = np.array([int(label) for label in mnist.test.labels])
    network.fit(x[:128], y[:128], batch_size=128, verbose=0)  # compiled: that is warm, too
    started = time.perf_counter()
    network.fit(x, y, batch_size=128, epochs=1, verbose=0)
    network.evaluate(x_test, y_test, batch_size=1000, verbose=0)
    return time.perf_counter() - started


if __name__ == "__main__":
    child(*sys.argv[1:])
