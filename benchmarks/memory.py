"""Resident memory of the window's process after ten minutes of drawing, and whether it grows."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.common import Row, alternate, finish, labelled_drawings, open_window

DRAWINGS = 1200
"""Ten minutes at two drawings a second, which nobody keeps up."""


def measure() -> list[Row]:
    ours, theirs = alternate(1, "memory", ["litert"], ["keras"])
    beside = "the same with TensorFlow inside"
    growth = "not growing"
    return [
        Row(
            "window's memory after 1,200 drawings",
            ours["after_mb"],
            theirs["after_mb"],
            "MB",
            beside,
            "≤ 200 MB",
        ),
        Row("growth over the last 800 of them", ours["growth_mb"], theirs["growth_mb"], "MB", beside, growth),
    ]


def resident_mb() -> float:
    """Resident set of this process; Linux."""
    fields = Path("/proc/self/statm").read_text("ascii").split()
    return int(fields[1]) * 4096 / 1e6


def child(reader: str) -> None:
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest

    from qtdigits.gui.background import wait_until

    app, window = open_window(reader)
    window.trainer.start_engine = lambda: None  # type: ignore[method-assign]  # the engine is another process
    window.show()
    assert wait_until(lambda: bool(window.session.model_name) and window.curves.are_made, 60)
    canvas, left = window.canvas, Qt.MouseButton.LeftButton
    early = 0.0
    for number, (strokes, label) in enumerate(labelled_drawings(DRAWINGS)):
        for stroke in strokes:
            points = [QPoint(round(x * canvas.width()), round(y * canvas.height())) for x, y in stroke]
            QTest.mousePress(canvas, left, pos=points[0])
            for point in points[1:]:
                QTest.mouseMove(canvas, point)
            QTest.mouseRelease(canvas, left, pos=points[-1])
        app.processEvents()
        QTest.keyClicks(window.drawing.entry, label)
        QTest.keyClick(window.drawing.entry, Qt.Key.Key_Return)
        app.processEvents()
        if number == DRAWINGS // 3:
            early = resident_mb()
    after = resident_mb()
    finish(after_mb=after, growth_mb=after - early)


if __name__ == "__main__":
    child(sys.argv[1])
