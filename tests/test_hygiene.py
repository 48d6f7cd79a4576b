"""The guards of conftest, tried on tests that misbehave: each of these has to be caught."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent

MISBEHAVING = """
import logging, os, socket, subprocess, sys, threading, time, warnings
import pytest

def test_thread():
    threading.Thread(target=time.sleep, args=(20,), daemon=True, name="sleeper").start()

def test_process():
    global kept
    kept = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(20)"])

def test_qthread(qapp):
    from PySide6.QtCore import QThread
    qapp.forgotten = QThread(objectName="worker")
    qapp.forgotten.start()

def test_timer(qapp):
    from PySide6.QtCore import QTimer
    qapp.ticking = QTimer(interval=1000, objectName="ticker")
    qapp.ticking.start()

def test_window(qapp):
    from PySide6.QtWidgets import QWidget
    qapp.shown = QWidget(objectName="stray")
    qapp.shown.show()

def test_log():
    logging.getLogger("somewhere").warning("the disk is full")

@pytest.mark.expects_log("disk is full")
def test_log_that_does_not_come():
    pass

def test_warning():
    warnings.warn("old", DeprecationWarning)

def test_qt_warning(qapp):
    from PySide6.QtCore import qWarning
    qWarning("QObject: something is wrong")

def test_network():
    socket.create_connection(("example.org", 80), timeout=5)

@pytest.mark.expects_log("disk is full")
def test_good_log():
    logging.getLogger("somewhere").warning("the disk is full")

def test_good_window(qtbot):
    from PySide6.QtCore import QThread, QTimer
    from PySide6.QtWidgets import QMainWindow
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setMinimumSize(300, 200)
    QTimer(window).start(5)
    window.show()
    window.raise_()
    thread = QThread()
    thread.start()
    thread.quit()
    assert thread.wait(60_000)

def test_good_server():
    server = socket.create_server(("127.0.0.1", 0))
    socket.create_connection(server.getsockname()).close()
    server.close()

def test_good_home():
    assert "qtdigits-tests-" in os.path.expanduser("~")
    assert "QTDIGITS_MNIST" not in os.environ

def test_good_data(mnist_path):
    assert mnist_path.exists()
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What pytest said about each of the tests above: its name -> the line of the summary."""
    root = tmp_path_factory.mktemp("misbehaving")
    (root / "tests").mkdir()
    shutil.copy(TESTS.parent / "pyproject.toml", root)
    for name in ("conftest.py", "patience.py"):
        shutil.copy(TESTS / name, root / "tests")
    hygiene = (TESTS / "hygiene.py").read_text(encoding="utf-8")
    (root / "tests" / "hygiene.py").write_text(
        re.sub(r"GRACE_S = .*", "GRACE_S = 0.2", hygiene), encoding="utf-8"
    )
    (root / "tests" / "test_misbehaving.py").write_text(MISBEHAVING, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "--tb=no", "-p", "no:cacheprovider"],
        cwd=root,
        env={**os.environ, "QTDIGITS_MNIST": str(root), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    said: dict[str, str] = {}
    for line in run.stdout.splitlines():
        if line.startswith(("PASSED", "FAILED", "ERROR")) and "::" in line:
            name = line.split("::")[1].split(" ")[0]
            said[name] = f"{said.get(name, '')} {line}"
    assert said, run.stdout + run.stderr
    return said


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("test_thread", "left behind: thread sleeper"),
        ("test_process", "left behind: child process"),
        ("test_qthread", "left behind: QThread QThread 'worker'"),
        ("test_timer", "left behind: timer QTimer 'ticker'"),
        ("test_window", "left behind: window QWidget 'stray'"),
        ("test_log", "unexpected log: WARNING somewhere: the disk is full"),
        ("test_log_that_does_not_come", "expected log that did not come: disk is full"),
        ("test_warning", "DeprecationWarning: old"),
        ("test_qt_warning", "FAILED"),
        ("test_network", "a test reached for the network: example.org"),
    ],
)
def test_that_misbehaviour_is_caught(outcomes: dict[str, str], name: str, complaint: str) -> None:
    assert "FAILED" in outcomes[name] or "ERROR" in outcomes[name]
    assert complaint in outcomes[name]


@pytest.mark.parametrize(
    "name", ["test_good_log", "test_good_window", "test_good_server", "test_good_home", "test_good_data"]
)
def test_that_good_behaviour_passes(outcomes: dict[str, str], name: str) -> None:
    assert outcomes[name].split()[0] == "PASSED"
    assert "ERROR" not in outcomes[name]
