"""The whole loop in the real window with the real engine: draw, read, correct, retrain, kill, retrain, use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QSpinBox

from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.core.run.events import BatchEnded, EngineLost, RunFinished
from qtdigits.gui import app as gui_app
from qtdigits.gui.closing import ClosingChoice
from qtdigits.gui.engine_process import EngineState

LEFT = Qt.MouseButton.LeftButton
PATIENCE_MS = 240_000
"""For a slow machine; each wait ends as soon as its condition holds."""


@pytest.fixture
def small_mnist(tmp_path, monkeypatch):
    """A file of MNIST's form with 1,500 + 200 synthetic digits, so that a training takes seconds."""
    inks, labels = synthetic_digits(1700, seed=5)
    images, digits = render_many(inks), np.array([int(label) for label in labels], np.uint8)
    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=images[200:], y_train=digits[200:], x_test=images[:200], y_test=digits[:200])
    monkeypatch.setenv("QTDIGITS_MNIST", str(path))


@pytest.fixture
def window(qtbot, data_dir, small_mnist):
    _, window = gui_app.create(["--data-dir", str(data_dir), "--theme", "light"])
    with qtbot.waitSignal(window.became_ready, timeout=PATIENCE_MS):
        window.show()
    yield window
    window.ask.yes = lambda *_: True
    window.ask.one_of = lambda *_, **__: str(ClosingChoice.LATER)
    window.close()
    window.deleteLater()


def draw(window, ink):
    canvas = window.canvas
    left, top, right, bottom = ink.bounds
    scale = 0.6 * min(canvas.width(), canvas.height()) / max(right - left, bottom - top)
    for stroke in ink.strokes:
        xy = (stroke[:, :2] - [left, top]) * scale + 60
        points = [QPoint(round(x), round(y)) for x, y in xy.tolist()]
        QTest.mousePress(canvas, LEFT, pos=points[0])
        for point in points[1:]:
            QTest.mouseMove(canvas, point)
        QTest.mouseRelease(canvas, LEFT, pos=points[-1])


def click(window, *names):
    found = [b for name in names for b in window.findChildren(QPushButton, name)]
    button = next(b for b in found if b.isVisible() and b.isEnabled())
    QTest.mouseClick(button, LEFT)


def other_than(answer):
    return "8" if answer != "8" else "3"


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.timeout(900)
def test_that_a_person_can_do_the_whole_job(window, qtbot):
    entry, panel, session = window.drawing.entry, window.training_panel, window.session
    answer = window.findChild(QLabel, "answerLabel")

    # Draw, read, correct: one key and Enter.
    inks, _ = synthetic_digits(12, seed=9)
    for ink in inks:
        draw(window, ink)
        read = answer.text()
        assert read in session.label_set
        QTest.keyClicks(window.focusWidget(), other_than(read))
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    assert session.store.count() == len(inks)
    assert (session.accuracy().correct, session.accuracy().n) == (0, len(inks))

    # Train, and kill the engine in the middle.
    window.tabs.setCurrentWidget(panel)
    events = []
    window.trainer.process.event_received.connect(events.append)
    panel.choose_recipe("mlp-50-50")
    window.findChild(QSpinBox, "epochsSpin").setValue(500)
    champion = session.library.champion_path()
    click(window, "trainButton")
    qtbot.waitUntil(lambda: any(isinstance(e, BatchEnded) for e in events), timeout=PATIENCE_MS)
    os.kill(window.trainer.process.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: isinstance(events[-1], EngineLost), timeout=PATIENCE_MS)
    assert session.library.champion_path() == champion
    draw(window, inks[0])
    assert answer.text()
    QTest.keyClick(entry, Qt.Key.Key_Escape)

    # The next training works; its curves move; it is stopped, and the best weights are kept.
    events.clear()
    click(window, "trainButton")
    qtbot.waitUntil(lambda: len(window.trainer.history.epochs) >= 2, timeout=PATIENCE_MS)
    n_points = len(window.trainer.history.batches)
    qtbot.waitUntil(lambda: len(window.trainer.history.batches) > n_points, timeout=PATIENCE_MS)
    click(window, "stopButton")
    qtbot.waitUntil(lambda: isinstance(events[-1], RunFinished), timeout=PATIENCE_MS)
    finished = events[-1]
    assert finished.outcome == "stopped"
    assert finished.scores["MNIST test"]["n"] == 200
    assert window.trainer.state is EngineState.READY

    # One click, and the new model reads.
    before = session.model_name
    click(window, "useButton", "verdictUseButton")
    assert session.model_name != before
    assert str(session.library.champion_path()) == finished.model
    draw(window, inks[1])
    assert answer.text() in session.label_set


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.timeout(900)
def test_that_the_demo_plays_from_the_first_digit_to_a_retrained_model(tmp_path, data_dir, small_mnist):
    out = tmp_path / "demo"
    command = [sys.executable, "-m", "qtdigits", "demo", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=800, check=False)
    assert done.returncode == 0, done.stderr
    summary = (out / "summary.md").read_text("utf-8")
    assert "corrected with a key and Enter" in summary
    assert "♥: read as" in summary
    assert "the next one as ♥" in summary
    assert "Training: completed" in summary
    names = sorted(path.name.split("-", 1)[1] for path in out.glob("*.png"))
    wanted = "accuracy dark drawings heart-1 heart-2 hooked-one-1 hooked-one-2 network start trained training"
    reopened = "run-curves run-curves-dark run-result run-result-dark"
    assert names == sorted(f"{name}.png" for name in f"{wanted} {reopened}".split())
    assert list(data_dir.iterdir()) == []
