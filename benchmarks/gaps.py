"""Gaps in the window's event loop while a CNN trains flat out: a 10 ms timer, and how late it comes."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.common import Row, finish, open_window, run_child

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
    ]


def child(where: str) -> None:
    """`where` the CNN is trained: "engine" as the program does it, "thread": a QThread of the window, "idle": nowhere."""
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtTest import QTest

    from qtdigits.core.events import BatchEnded
    from qtdigits.gui.engine_controller import EngineState
    from qtdigits.gui.waiting import wait_until

    app, window = open_window("litert")
    window.show()
    assert wait_until(lambda: window.training_panel.has_curves, 60)
    trainer = None
    if where == "thread":
        window.controller.start = lambda: None  # type: ignore[method-assign]
        trainer = _train_in_thread(window)
    else:
        assert wait_until(lambda: window.controller.state == EngineState.READY, 120)
    if where == "engine":
        started: list[object] = []
        window.controller.event_received.connect(started.append)
        window.training_panel.choose_recipe("cnn-32-64")
        window.training_panel.start_training()
        assert wait_until(lambda: any(isinstance(e, BatchEnded) for e in started), 120)
    QTest.qWait(1000)
    gaps = watch_gaps(app, QTimer(timerType=Qt.TimerType.PreciseTimer, interval=PERIOD_MS))
    if trainer is None:
        window.controller.shutdown()
    finish(p99_ms=float(np.percentile(gaps, 99)), max_ms=float(gaps.max()))


def watch_gaps(app: object, timer: object) -> np.ndarray:
    """Milliseconds between two successive ticks of `timer` over `WATCH_S` of the event loop."""
    ticks: list[float] = []
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start()
    end = time.perf_counter() + WATCH_S
    from PySide6.QtCore import QEventLoop

    while time.perf_counter() < end:
        app.processEvents(
            QEventLoop.ProcessEventsFlag.AllEvents | QEventLoop.ProcessEventsFlag.WaitForMoreEvents
        )
    timer.stop()
    return 1000 * np.diff(ticks)


def _train_in_thread(window: object):
    """The obvious way: `model.fit` on MNIST (or synthetic ink) in a QThread of the window's process."""
    from PySide6.QtCore import QThread

    from qtdigits.core.recipes import load_recipe
    from qtdigits.store.mnist import find_mnist, load_mnist

    network = load_recipe("cnn-32-64").network
    path = find_mnist(folder=Path("unused"))
    images = (
        load_mnist(path).training.images
        if path
        else np.random.default_rng(1).integers(0, 255, (20_000, 28, 28))
    )
    steps: list[int] = []

    class Trainer(QThread):
        def run(self) -> None:
            import keras

            from qtdigits.ml.networks import build_network

            model = build_network(network, 10)
            model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
            x = (np.asarray(images) / np.float32(255)).astype(np.float32)[..., None]
            y = np.eye(10, dtype=np.float32)[np.arange(len(x)) % 10]
            counter = keras.callbacks.LambdaCallback(on_train_batch_end=lambda b, logs: steps.append(b))
            model.fit(x, y, batch_size=128, epochs=10, verbose=0, callbacks=[counter])

    trainer = Trainer()
    trainer.start()
    assert wait_until(lambda: len(steps) > 5, 120)
    return trainer


if __name__ == "__main__":
    child(sys.argv[1])
