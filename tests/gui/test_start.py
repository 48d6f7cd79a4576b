"""A start of the window: it is painted before anything large is loaded, and it has its style."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.running import python

START = """
import json, sys
from qtdigits.cli.window import prepare_start
prepare_start()
from qtdigits.gui import app
application, window = app.create(sys.argv[1:])
told = {}
paint = window.paintEvent

def on_paint(event):
    paint(event)
    told.setdefault("modules", sorted(sys.modules))

def on_ready():
    application.setStyleSheet("")  # it wraps the style
    told["style"] = application.style().objectName()
    told["reads"] = window.session.model_name
    print(json.dumps(told))
    window.close()

window.paintEvent = on_paint
window.became_ready.connect(on_ready)
window.show()
application.exec()
"""

LARGE = {"keras", "pandas", "pyqtgraph", "tensorflow"}


LEFT_ALONE = """
import json, sys, threading
from qtdigits.gui import app
in_window = []

def on_import(event, details):
    if event == "import" and details[0] == "pyqtgraph":
        in_window.append(threading.current_thread() is threading.main_thread())

sys.addaudithook(on_import)
application, window = app.create(sys.argv[1:])
window.trainer.start_engine = application.quit
window.show()
application.exec()
from pyqtgraph import PlotWidget
plots = [len(window.findChildren(PlotWidget, name)) for name in ("lossPlot", "accuracyPlot")]
print(json.dumps({"first import in the window's thread": in_window[0], "plots": plots}))
window.close()
"""
"""A window where nobody draws: it ends when the engine would be started."""


def started(folder: Path, *options: str) -> dict[str, Any]:
    done = python("-c", START, "--data-dir", folder, *options, env={"QT_QPA_PLATFORM": "offscreen"})
    assert done.code == 0, done.err
    told: dict[str, Any] = json.loads(done.out)
    assert told["reads"]
    return told


def test_that_nothing_large_is_loaded_before_the_first_paint(tmp_path: Path) -> None:
    modules = set(started(tmp_path)["modules"])
    assert "PySide6.QtWidgets" in modules
    assert modules & LARGE == set()


@pytest.mark.parametrize(("options", "style"), [((), "fusion"), (("-style", "windows"), "windows")])
def test_that_the_window_has_its_style_or_the_one_that_the_person_names(
    tmp_path: Path, options: tuple[str, ...], style: str
) -> None:
    assert started(tmp_path, *options)["style"] == style


def test_that_plots_are_loaded_in_a_thread_when_nobody_draws(tmp_path: Path) -> None:
    done = python("-c", LEFT_ALONE, "--data-dir", tmp_path, env={"QT_QPA_PLATFORM": "offscreen"})
    assert done.code == 0, done.err
    assert json.loads(done.out) == {"first import in the window's thread": False, "plots": [1, 1]}
