"""Help → Save a problem report: what went wrong, versions and settings, and nothing that tells who drew what."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from gui.stand_ins import action
from qtdigits.gui.main_window import MainWindow
from qtdigits.gui.problem_report import ErrorLog
from qtdigits.version import __version__

STROKE = np.array([(300, 300, 0, 1), (500, 500, 50, 1)], np.float32)


@pytest.mark.expects_log("unexpected")
def test_that_the_report_tells_what_went_wrong_and_nothing_that_was_drawn(
    window: MainWindow, tmp_path: Path
) -> None:
    window.session.set_writer("Wilhelmina")
    window.session.add_stroke(STROKE, "mouse")
    window.session.judge("4")
    log = logging.getLogger("qtdigits.test")
    window.error_log = ErrorLog()
    log.addHandler(window.error_log)
    try:
        raise ValueError("Wilhelmina drew a Zeta")
    except ValueError:
        log.exception("unexpected")
    log.removeHandler(window.error_log)
    path = tmp_path / "report.txt"
    window.ask.reply = path
    action(window, "Save a problem report…").trigger()
    said = path.read_text()
    assert f"QtDigits {__version__}" in said
    assert "theme: system" in said
    assert "drawings: 1" in said
    assert "ERROR qtdigits.test ValueError" in said
    assert "test_problem_report.py:" in said
    for secret in ("Wilhelmina", "Zeta", str(Path.home()), str(tmp_path), str(window.session.data_dir)):
        assert secret not in said
    assert str(path) in window.messages.text
