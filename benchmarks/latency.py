"""Pen up → answer painted, 99th percentile over drawings made with mouse events."""

from __future__ import annotations

import sys
import time

import numpy as np

from benchmarks.common import Row, alternate, finish, labelled_drawings, open_window

N_DRAWINGS = 300


def measure() -> list[Row]:
    ours, theirs = alternate(2, "latency", ["litert"], ["keras"])
    beside = "`model.predict` on the same network"
    return [
        Row(
            "pen up → answer painted, p99", ours["p99_ms"], theirs["p99_ms"], "ms", beside, "≤ 1/10; ≤ 10 ms"
        ),
        Row("pen up → answer painted, median", ours["median_ms"], theirs["median_ms"], "ms", beside, ""),
    ]


def child(reader: str) -> None:
    from PySide6.QtCore import QEvent, QObject, QPoint, Qt
    from PySide6.QtTest import QTest

    from qtdigits.gui.background import wait_until

    app, window = open_window(reader)
    window.show()
    assert wait_until(lambda: bool(window.session.model_name), 60)
    window._quiet.stop()  # neither curves nor engine: only reading is measured here
    canvas = window.canvas
    painted: list[float] = []

    class PaintWatch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                painted.append(time.perf_counter())
            return False

    answer = window.drawing.findChild(QObject, "answerLabel")
    assert answer is not None
    watch = PaintWatch()
    waits = []
    for number, (strokes, label) in enumerate(labelled_drawings(N_DRAWINGS)):
        for stroke in strokes:
            points = [QPoint(round(x * canvas.width()), round(y * canvas.height())) for x, y in stroke]
            QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=points[0])
            for point in points[1:]:
                QTest.mouseMove(canvas, point)
            app.processEvents()
            painted.clear()
            answer.installEventFilter(watch)
            started = time.perf_counter()
            QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=points[-1])
            while not painted and time.perf_counter() - started < 0.5:
                app.processEvents()
            answer.removeEventFilter(watch)
            if painted and number >= 10:
                waits.append(painted[-1] - started)
        QTest.keyClicks(window.drawing.entry, label)
        QTest.keyClick(window.drawing.entry, Qt.Key.Key_Return)
        app.processEvents()
    finish(p99_ms=1000 * float(np.percentile(waits, 99)), median_ms=1000 * float(np.median(waits)))


if __name__ == "__main__":
    child(sys.argv[1])
