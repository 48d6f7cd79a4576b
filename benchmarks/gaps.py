"""Gaps in the window's event loop while a CNN trains flat out: a 10 ms timer, and how late it comes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import Row, finish, labelled_drawings, open_window, run_child

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import QThread
    from PySide6.QtWidgets import QApplication

    from qtdigits.gui.main_window import MainWindow

WATCH_S = 20.0
PERIOD_MS = 10
HELD_S = 3.0
"""How long another process holds the store's lock at a time."""
LOOK_S = 2.0
"""How long somebody looks at a page before he turns to the next."""
MOVE_MS = 16
"""Between two points of a pen, as a mouse sends them."""


def measure() -> list[Row]:
    idle, engine, thread, live = (run_child("gaps", where) for where in ("idle", "engine", "thread", "live"))
    locked, waiting = (run_child("gaps", where) for where in ("locked", "waiting"))
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
        Row("gap with curves, drawing, activations and training all live, p99", live["p99_ms"], idle["p99_ms"], "ms",
            "idle window", "≤ 16 ms"),
        Row("the same, longest", live["max_ms"], idle["max_ms"], "ms", "idle window", "≤ 60 ms"),
        Row("longest gap of somebody who draws and judges while another process holds the store's lock", locked["max_ms"],
            waiting["max_ms"], "ms", f"the window waits for the lock, which is held {HELD_S:.0f} s at a time", "≤ 60 ms"),
        Row("the same without the time in which the window's thread waits for a processor", locked["own_max_ms"],
            waiting["own_max_ms"], "ms", "the same", "≤ 60 ms"),
        Row("drawings judged meanwhile", locked["n_judged"], waiting["n_judged"], "", "the same", ""),
    ]  # fmt: skip


def child(where: str) -> None:
    """Measure one of the situations, in a process of its own."""
    if where in ("locked", "waiting"):
        beside_another_writer(is_waiting=where == "waiting")
    else:
        while_training(where)


def while_training(where: str) -> None:
    """`where` the CNN is trained: "engine" as the program does it, "thread": a QThread of the window, "idle": nowhere.

    "study": a study trains it, and its tab is in sight.

    "live" is "engine" with somebody who draws all the time, judges each drawing, and looks at the curves and into the network in
    turn. All kinds of training feed the same curves. `cold_ms` is the longest gap between the click and the first batch.
    """
    app, window = open_window("litert", tempfile.mkdtemp() if where == "study" else None)
    start_engine = window.trainer.start_engine
    window.trainer.start_engine = lambda: None  # type: ignore[method-assign] # the click starts it
    window.show()
    watch = GapWatch(app)
    watch.until(
        lambda: bool(window.curves.are_made and window.learning_panel and window.learning_panel.has_charts),
        60,
    )  # all plots are made
    watch.run_for(1)
    cold_ms = 0.0
    if where != "idle":
        window.training_panel.choose_recipe("cnn-32-64")
        watch.forget()
        if where == "thread":
            keep = train_in_thread(window)  # noqa: F841 - a thread lives as long as its object
        else:
            window.trainer.start_engine = start_engine  # type: ignore[method-assign]
            if where == "study":
                follow_study(window, watch)
            else:
                window.training_panel.start_training()
        watch.until(lambda: where == "study" or len(window.trainer.history.batches) > 0, 120)
        cold_ms = watch.longest_ms
    if where == "live":
        somebody = Somebody(window)
        somebody.turn_to("Network")
        watch.run_for(2)  # the page is made when it is first looked at
    watch.run_for(1)
    watch.forget()
    if where == "live":
        for turn in range(round(WATCH_S / LOOK_S)):
            somebody.turn_to(("Training", "Network")[turn % 2])
            watch.run_for(LOOK_S)
    else:
        watch.run_for(WATCH_S)
    gaps = watch.gaps_ms
    finish(p99_ms=float(np.percentile(gaps, 99)), max_ms=float(gaps.max()), cold_ms=cold_ms)


def follow_study(window: MainWindow, watch: GapWatch) -> None:
    """Begin a study of the CNN, and look at it; return when its first training is at work."""
    from qtdigits.core.recipe_files import load_recipe
    from qtdigits.core.search import Search
    from qtdigits.core.study import StudySpec
    from qtdigits.gui.main_window import TABS

    rates = Search.parse("learning_rate=0.0003..0.003:log")
    spec = StudySpec(load_recipe("cnn-32-64"), (rates,), trials=100, use_drawings=False)
    said: list[object] = []
    window.trainer.job_progressed.connect(said.append)
    window.trainer.work_on_study("gaps", spec.to_json())
    window.tabs.setCurrentIndex(TABS.index("Studies"))
    watch.until(lambda: bool(said), 300)


HOLDER = """
import sqlite3, sys, time
store = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
while True:
    store.execute("BEGIN IMMEDIATE")
    time.sleep(float(sys.argv[2]))
    store.execute("COMMIT")
    time.sleep(0.5)
"""


def beside_another_writer(*, is_waiting: bool) -> None:
    """Somebody draws and judges while another process holds the store's lock most of the time.

    `is_waiting`: each judgement waits for the lock in the event loop, as a plain write into the store does.
    """
    from qtdigits.store.tables.database import BUSY_TIMEOUT_S

    app, window = open_window("litert", tempfile.mkdtemp())
    window.trainer.start_engine = lambda: None  # type: ignore[method-assign]
    if is_waiting:
        store = window.session.store
        store.wait_at_most(BUSY_TIMEOUT_S)
        store.wait_at_most = lambda seconds: None  # type: ignore[method-assign]
    window.show()
    watch = GapWatch(app)
    watch.until(
        lambda: bool(window.curves.are_made and window.learning_panel and window.learning_panel.has_charts),
        60,
    )
    watch.run_for(1)
    path = str(window.session.store.path)
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, path, str(HELD_S)])
    somebody = Somebody(window)  # noqa: F841 - draws as long as the object lives
    watch.run_for(2)
    watch.forget()
    n_before = window.session.store.count()
    watch.run_for(WATCH_S)
    gaps = watch.gaps_ms
    holder.kill()
    finish(
        p99_ms=float(np.percentile(gaps, 99)),
        max_ms=float(gaps.max()),
        own_max_ms=float(watch.own_gaps_ms.max()),
        processor_max_ms=float(watch.processor_ms.max()),
        n_judged=window.session.store.count() - n_before,
    )


class GapWatch:
    """A 10 ms timer in the window's event loop, when it came, and what the thread had used and waited for by then."""

    def __init__(self, app: QApplication) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._app = app
        self._ticks: list[tuple[float, float, float]] = []
        self._timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=PERIOD_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    @property
    def gaps_ms(self) -> NDArray[np.float64]:
        """Milliseconds between two successive ticks."""
        return self._between[:, 0]

    @property
    def own_gaps_ms(self) -> NDArray[np.float64]:
        """The same without the time in which the thread could have run, but other programs had the processors."""
        return self._between[:, 0] - self._between[:, 2]

    @property
    def processor_ms(self) -> NDArray[np.float64]:
        """Processor time of the thread between two successive ticks."""
        return self._between[:, 1]

    @property
    def _between(self) -> NDArray[np.float64]:
        return 1000 * np.diff(np.array(self._ticks), axis=0)

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
        self._ticks.append((time.perf_counter(), time.thread_time(), waited_for_processor_s()))


def waited_for_processor_s() -> float:
    """So long this thread has been ready to run without running, where the system counts that; else 0."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


class Somebody:
    """Draws one digit after the other with the mouse, a point every 16 ms, and judges it by its label.

    While a judgement waits to be stored he draws the next digit, and then looks on until that can be judged.
    """

    def __init__(self, window: MainWindow) -> None:
        from PySide6.QtCore import QTimer

        self._window = window
        self._moves = self._endless_moves()
        self._timer = QTimer(interval=MOVE_MS)
        self._timer.timeout.connect(self._move)
        self._timer.start()

    def turn_to(self, tab: str) -> None:
        from qtdigits.gui.main_window import TABS

        self._window.tabs.setCurrentIndex(TABS.index(tab))

    def _move(self) -> None:
        next(self._moves)()

    def _endless_moves(self) -> Iterator[Callable[[], object]]:
        from PySide6.QtCore import QPoint, Qt
        from PySide6.QtTest import QTest

        canvas, session, left = self._window.canvas, self._window.session, Qt.MouseButton.LeftButton
        for strokes, label in cycle(labelled_drawings(50)):
            for stroke in strokes:
                points = [QPoint(round(x * canvas.width()), round(y * canvas.height())) for x, y in stroke]
                yield partial(QTest.mousePress, canvas, left, pos=points[0])
                yield from (partial(QTest.mouseMove, canvas, point) for point in points[1:])
                yield partial(QTest.mouseRelease, canvas, left, pos=points[-1])
            while session.is_saving:
                yield lambda: None
            yield partial(session.judge, label)


def train_in_thread(window: MainWindow) -> QThread:
    """The obvious way: `model.fit` on MNIST (or noise) in a QThread of the window's process, its batches sent as signals."""
    from PySide6.QtCore import QThread, Signal

    from qtdigits.core.recipe_files import load_recipe
    from qtdigits.core.run.events import BatchEnded, EngineReady, RunStarted
    from qtdigits.store.data.mnist import find_mnist, load_mnist

    network = load_recipe("cnn-32-64").network
    path = find_mnist(folder=Path("unused"))
    images = (
        load_mnist(path).training.images
        if path
        else np.random.default_rng(1).integers(0, 255, (20_000, 28, 28), np.uint8)
    )

    class Trainer(QThread):
        said = Signal(object)

        def run(self) -> None:
            import keras

            from qtdigits.ml.networks import build_network

            model = build_network(network, 10)
            model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
            x = (images / np.float32(255)).astype(np.float32)[..., None]
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
    process = window.trainer.process
    process.event_received.emit(EngineReady(0))
    window.training_panel.start_training()
    trainer.said.connect(process.event_received)
    trainer.start()
    return trainer


if __name__ == "__main__":
    child(sys.argv[1])
