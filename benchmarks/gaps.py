"""Gaps in the window's event loop while a CNN trains flat out: a 10 ms timer, and how late it comes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import Row, finish, open_window, run_child

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import QThread
    from PySide6.QtWidgets import QApplication

    from qtdigits.gui.main_window import MainWindow

WATCH_S = 20.0
PERIOD_MS = 10


def measure() -> list[Row]:
    idle, engine, thread = (run_child("gaps", where) for where in ("idle", "engine", "thread"))
    beside = "the same training inside a QThread"
    return [
        Row(
            "event-loop gap while training, p99", engine["p99_ms"], thread["p99_ms"], "ms", beside, "≤ 16 ms"
        ),
        Row(
            "event-loop gap while training, longest",
            engine["max_ms"],
            thread["max_ms"],
            "ms",
            beside,
            "≤ 60 ms",
        ),
        Row(
            "the same p99 beside the idle window's",
            engine["p99_ms"],
            idle["p99_ms"],
            "ms",
            "idle window",
            "≤ 1.5",
        ),
        Row(
            "longest gap from the click on, TensorFlow not yet loaded",
            engine["cold_ms"],
            thread["cold_ms"],
            "ms",
            beside,
            "",
        ),
    ]


def child(where: str) -> None:
    """`where` the CNN is trained: "engine" as the program does it, "thread": a QThread of the window, "idle": nowhere.

    Both kinds of training feed the same curves. `cold_ms` is the longest gap between the click and the first batch.
    """
    app, window = open_window("litert")
    window.controller.start, start_engine = (lambda: None), window.controller.start  # the click starts it
    window.show()
    watch = Watch(app)
    watch.until(lambda: window.training_panel.has_curves, 60)
    watch.run_for(1)
    cold_ms = 0.0
    if where != "idle":
        window.controller.start = start_engine
        window.training_panel.choose_recipe("cnn-32-64")
        watch.forget()
        if where == "engine":
            window.training_panel.start_training()
        else:
            keep = train_in_thread(window)  # noqa: F841 - a thread lives as long as its object
        watch.until(lambda: len(window.training_panel.history.batches) > 0, 120)
        cold_ms = watch.longest_ms
    watch.run_for(1)
    watch.forget()
    watch.run_for(WATCH_S)
    gaps = watch.gaps_ms
    finish(p99_ms=float(np.percentile(gaps, 99)), max_ms=float(gaps.max()), cold_ms=cold_ms)


class Watch:
    """A 10 ms timer in the window's event loop, and when it came."""

    def __init__(self, app: QApplication) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._app = app
        self._ticks: list[float] = []
        self._timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=PERIOD_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    @property
    def gaps_ms(self) -> NDArray[np.float64]:
        """Milliseconds between two successive ticks."""
        return 1000 * np.diff(self._ticks)

    @property
    def longest_ms(self) -> float:
        return float(self.gaps_ms.max())

    def forget(self) -> None:
        self._ticks.clear()

    def run_for(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        self.until(lambda: time.perf_counter() > end, seconds + 60)

    def until(self, condition: Callable[[], bool], timeout_s: float) -> None:
        from PySide6.QtCore import QEventLoop

        end = time.perf_counter() + timeout_s
        while not condition():
            if time.perf_counter() > end:
                raise TimeoutError("the benchmark waited in vain")
            self._app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def _tick(self) -> None:
        self._ticks.append(time.perf_counter())


def train_in_thread(window: MainWindow) -> QThread:
    """The obvious way: `model.fit` on MNIST (or noise) in a QThread of the window's process, its batches sent as signals."""
    from PySide6.QtCore import QThread, Signal

    from qtdigits.core.events import BatchEnded, RunStarted
    from qtdigits.core.recipes import load_recipe
    from qtdigits.store.mnist import find_mnist, load_mnist

    network = load_recipe("cnn-32-64").network
    path = find_mnist(folder=Path("unused"))
    images = (
        load_mnist(path).training.images
        if path
        else np.random.default_rng(1).integers(0, 255, (20_000, 28, 28))
    )

    class Trainer(QThread):
        said = Signal(object)

        def run(self) -> None:
            import keras

            from qtdigits.ml.networks import build_network

            model = build_network(network, 10)
            model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
            x = (np.asarray(images) / np.float32(255)).astype(np.float32)[..., None]
            y = np.eye(10, dtype=np.float32)[np.arange(len(x)) % 10]
            steps = -(-len(x) // 128)
            self.said.emit(
                RunStarted("t", {}, tuple("0123456789"), {"MNIST": len(x)}, len(x), 0, steps, 10, 1)
            )

            def tell(batch: int, logs: dict[str, float]) -> None:
                self.said.emit(
                    BatchEnded("t", batch + 1, 1, logs["loss"], logs["accuracy"], batch / 20, 1, 1)
                )

            teller = keras.callbacks.LambdaCallback(on_train_batch_end=tell)
            model.fit(x, y, batch_size=128, epochs=10, verbose=0, callbacks=[teller])

    trainer = Trainer()
    trainer.said.connect(window.controller.event_received)
    window.training_panel._begin()
    trainer.start()
    return trainer


if __name__ == "__main__":
    child(sys.argv[1])
