"""The problem report: what went wrong in this session, versions and settings; no drawings, names, labels or paths.

It is written into a file that the person chooses. Nothing is sent anywhere.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import platform
import sys
import traceback
from collections import deque
from pathlib import Path
from typing import TextIO

from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication
from typing_extensions import override

from qtdigits.core.formatting import printable_lines
from qtdigits.errors import QtDigitsError
from qtdigits.gui.preferences import Preferences
from qtdigits.store.tables.samples import SampleStore
from qtdigits.version import __version__

MOST_RECORDS = 100
CRASH_FILE = "crash.log"
"""Where Python writes its stacks, which hold no values, if the process is ended by a fault in machine code."""
MOST_OF_CRASHES = 10_000
PACKAGES = (
    "PySide6-Essentials",
    "numpy",
    "ai-edge-litert",
    "h5py",
    "pyqtgraph",
    "msgspec",
    "tensorflow",
    "keras",
)
SETTINGS = ("theme", "promotion", "guided_half_width", "key_alone_corrects", "retrain_after", "curves")


class ErrorLog(logging.Handler):
    """Keeps the latest errors: when, of which kind, and the places in the program; not what they say, which may hold names."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.records: deque[str] = deque(maxlen=MOST_RECORDS)
        self.setFormatter(logging.Formatter("%(asctime)s"))

    @override
    def emit(self, record: logging.LogRecord) -> None:
        kind, _, trace = record.exc_info or (None, None, None)
        lines = [
            f"{self.format_time(record)} {record.levelname} {record.name} {kind.__name__ if kind else ''}"
        ]
        lines += [f"    {_within(at.filename)}:{at.lineno} {at.name}" for at in traceback.extract_tb(trace)]
        self.records.append("\n".join(lines))

    def format_time(self, record: logging.LogRecord) -> str:
        formatter = self.formatter
        return formatter.formatTime(record) if formatter else ""


class PrintableFormatter(logging.Formatter):
    """For the terminal: what an error quotes from a file may hold control characters."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        return printable_lines(super().format(record))


def keep_errors(data_dir: Path) -> ErrorLog:
    """Keep what the program logs from now on, and let Python write its stacks if the process is ended by a fault."""
    log = ErrorLog()
    logger = logging.getLogger("qtdigits")
    logger.addHandler(log)
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)
    terminal.setFormatter(PrintableFormatter())
    logger.addHandler(terminal)
    logger.propagate = False
    logger.setLevel(logging.INFO)
    with contextlib.suppress(OSError):
        faulthandler.enable(_opened(data_dir / CRASH_FILE))
    return log


def _opened(path: Path) -> TextIO:
    return path.open("a")  # open as long as the process lives


def problem_report(
    *, log: ErrorLog | None, store: SampleStore, preferences: Preferences, data_dir: Path
) -> str:
    """Return the text of the report."""
    parts = {
        "Versions": _versions(),
        "Screen": _screen(),
        "Settings": [f"{name}: {getattr(preferences, name)}" for name in SETTINGS],
        "Store": _store(store),
        "Errors in this session": list(log.records) if log and log.records else ["none"],
        "Earlier faults": [_crashes(data_dir) or "none"],
    }
    return "\n\n".join("\n".join((f"== {title}", *lines)) for title, lines in parts.items()) + "\n"


def _versions() -> list[str]:
    from importlib import metadata

    lines = [
        f"QtDigits {__version__}",
        f"Python {platform.python_version()} on {platform.system()} {platform.release()} {platform.machine()}",
        f"Qt {qVersion()}",
    ]
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            lines.append(f"{package} {metadata.version(package)}")
    return lines


def _screen() -> list[str]:
    screens = [
        f"{screen.size().width()}x{screen.size().height()} at {screen.devicePixelRatio():g}"
        for screen in QGuiApplication.screens()
    ]
    return [QGuiApplication.platformName(), *screens]


def _store(store: SampleStore) -> list[str]:
    """How much there is, and not what."""
    try:
        counts = {
            "writers": len(store.writers()),
            "drawings": store.count(),
            "classes": len(store.classes().labels),
            "runs": len(store.runs.records()),
            "damaged rows met": len(store.damaged),
        }
    except QtDigitsError as error:
        return [f"cannot be read: {type(error).__name__}"]
    return [f"{name}: {n:,}" for name, n in counts.items()]


def _crashes(data_dir: Path) -> str:
    with contextlib.suppress(OSError):
        lines = (data_dir / CRASH_FILE).read_text("utf-8", "replace")[-MOST_OF_CRASHES:].splitlines()
        return "\n".join(map(_without_folders, lines))
    return ""


def _without_folders(line: str) -> str:
    start, quote, rest = line.partition('File "')
    file, end, place = rest.partition('"')
    return f"{start}{quote}{_within(file)}{end}{place}"


def _within(file: str) -> str:
    """The name of a source file without the folders that it lies in on this machine."""
    for folder in (Path(__file__).parents[2], *map(Path, filter(None, sys.path))):
        with contextlib.suppress(ValueError):
            return Path(file).relative_to(folder).as_posix()
    return Path(file).name
