"""What the fixtures in conftest look for after each test: log lines, threads, timers, processes, windows, network."""

from __future__ import annotations

import contextlib
import gc
import ipaddress
import logging
import multiprocessing
import os
import re
import signal
import socket
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

# How long something that is ending already may take to end: only what never ends takes as long.
GRACE_S = 30.0

# Log lines of other people's libraries that tell a test nothing: (logger, pattern), and why.
FOREIGN_LOGS = (
    # Keras advises against its own old format, which QtDigits exports on request,
    ("absl", r"^You are saving your model as an HDF5 file"),
    # and against files without optimizer state, which a network for reading does not need.
    ("absl", r"^No training configuration found in the save file"),
)


class LogWatch(logging.Handler):
    """Collects records of level WARNING and above, and tells the expected ones from the others."""

    def __init__(self, expected: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._patterns = expected
        self._seen: set[str] = set()
        self.unexpected: list[str] = []

    @property
    def missing(self) -> list[str]:
        return [pattern for pattern in self._patterns if pattern not in self._seen]

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        matching = [pattern for pattern in self._patterns if re.search(pattern, message)]
        self._seen.update(matching)
        foreign = any(record.name == name and re.search(pattern, message) for name, pattern in FOREIGN_LOGS)
        if not matching and not foreign:
            self.unexpected.append(f"{record.levelname} {record.name}: {message}")

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        logging.getLogger().removeHandler(self)


class Leftovers:
    """Compares what runs after a test with what ran before it.

    `watch` before, `collect` after. `collect` gives what is ending a moment to end, says what is left, and ends it so
    that the next test starts clean.
    """

    def __init__(self) -> None:
        self._threads = set(threading.enumerate())
        self._children = _child_processes()
        self._windows = {id(window) for window in _windows()}

    def watch(self) -> None:
        _tracked_threads.clear()
        _tracked_timers.clear()
        if "PySide6.QtCore" in sys.modules:
            _track_qt()

    def collect(self) -> list[str]:
        _delete_later_now()
        found = [
            *_left("QThread", _running_qthreads, _end_qthread, grace_s=GRACE_S),
            *_left("thread", self._new_threads, None, grace_s=GRACE_S),
            *_left("child process", self._new_children, _end_process, grace_s=GRACE_S),
            *_left("timer", _active_timers, lambda timer: timer.stop()),
            *_left("window", self._new_windows, lambda window: window.deleteLater()),
        ]
        _delete_later_now()
        return found

    def _new_threads(self) -> list[threading.Thread]:
        # A QThread that has called into Python shows up as a _DummyThread; as QThread it is looked at above.
        return [
            thread
            for thread in threading.enumerate()
            if thread not in self._threads and not isinstance(thread, threading._DummyThread)
        ]

    def _new_children(self) -> list[int]:
        return [pid for pid in _child_processes() if pid not in self._children]

    def _new_windows(self) -> list[Any]:
        return [window for window in _windows() if id(window) not in self._windows]


def _left(
    what: str, find: Callable[[], list[Any]], end: Callable[[Any], object] | None, *, grace_s: float = 0.0
) -> list[str]:
    """What `find` still finds once garbage is gone and `grace_s` is over, in words; then ended by `end`."""
    if not find():
        return []
    gc.collect()
    _delete_later_now()
    deadline = time.monotonic() + grace_s
    while (found := find()) and time.monotonic() < deadline:
        time.sleep(0.02)
        _delete_later_now()
    descriptions = [f"{what} {_describe(thing)}" for thing in found]
    if end:
        for thing in found:
            end(thing)
    return descriptions


_tracked_threads: weakref.WeakSet[Any] = weakref.WeakSet()
_tracked_timers: weakref.WeakSet[Any] = weakref.WeakSet()


def _track_qt() -> None:
    """Remember (weakly) every QThread and QTimer that is started from Python."""
    from PySide6.QtCore import QThread, QTimer

    for cls, tracked in ((QThread, _tracked_threads), (QTimer, _tracked_timers)):
        original = cls.start
        if getattr(original, "tracks", False):
            continue

        def start(self: Any, *args: Any, _original: Any = original, _tracked: Any = tracked) -> None:
            _tracked.add(self)
            _original(self, *args)

        start.tracks = True
        cls.start = start


def _running_qthreads() -> list[Any]:
    return [thread for thread in _valid(_tracked_threads) if thread.isRunning()]


def _active_timers() -> list[Any]:
    return [timer for timer in _valid(_tracked_timers) if timer.isActive()]


def _valid(tracked: weakref.WeakSet[Any]) -> Iterator[Any]:
    if not tracked:
        return
    import shiboken6

    yield from (thing for thing in list(tracked) if shiboken6.isValid(thing))


def _windows() -> list[Any]:
    """Main windows and dialogs, shown or not, and whatever else is on the screen by itself.

    Hidden menus and pop-ups without a parent die with whatever made them.
    """
    application = _application()
    if application is None:
        return []
    from PySide6.QtWidgets import QDialog, QMainWindow

    return [
        widget
        for widget in application.topLevelWidgets()
        if widget.parent() is None and (widget.isVisible() or isinstance(widget, QMainWindow | QDialog))
    ]


def _application() -> Any | None:
    widgets = sys.modules.get("PySide6.QtWidgets")
    return widgets.QApplication.instance() if widgets else None


def _delete_later_now() -> None:
    if _application() is None:
        return
    from PySide6.QtCore import QCoreApplication, QEvent

    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()


def _end_qthread(thread: Any) -> None:
    thread.requestInterruption()
    thread.quit()
    thread.wait(int(GRACE_S * 1000))


def _end_process(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
    with contextlib.suppress(ChildProcessError, OSError):
        os.waitpid(pid, 0)


def _child_processes() -> set[int]:
    """The processes that this one has started, finished but never waited for ones included."""
    try:
        lists = [(task / "children").read_text() for task in Path("/proc/self/task").iterdir()]
    except OSError:
        found = _child_processes_by_scan()
    else:
        found = {int(pid) for pid in " ".join(lists).split()}
    return {pid for pid in found if not _is_resource_tracker(pid)}


def _child_processes_by_scan() -> set[int]:
    """The same for kernels without `children` files, and as far as it goes for systems without /proc."""
    children = {child.pid for child in multiprocessing.active_children() if child.pid}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # pid (name) state ppid …, and the name may hold blanks and brackets
            parent = stat.read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                children.add(int(stat.parent.name))
    return children


def _is_resource_tracker(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return b"multiprocessing.resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _describe(thing: Any) -> str:
    if isinstance(thing, int):
        with contextlib.suppress(OSError):
            command = (
                Path(f"/proc/{thing}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            )
            return f"{thing} ({command.strip() or 'finished, not waited for'})"
        return str(thing)
    if isinstance(thing, threading.Thread):
        return thing.name
    name = thing.objectName()
    return f"{type(thing).__name__} {name!r}" if name else type(thing).__name__


def refuse_network() -> None:
    """Let sockets reach this machine only. Children are stopped by a proxy that is not there."""
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _check_address(self.family, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _check_address(self.family, address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        _check_host(host)
        return getaddrinfo(host, *args, **kwargs)

    socket.socket.connect = guarded_connect
    socket.socket.connect_ex = guarded_connect_ex
    socket.getaddrinfo = guarded_getaddrinfo
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        os.environ[name] = "http://127.0.0.1:9"
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = "localhost,127.0.0.1,::1"


def _check_address(family: int, address: Any) -> None:
    if family in {socket.AF_INET, socket.AF_INET6}:
        _check_host(address[0])


def _check_host(host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(name).is_loopback:
            return
    raise RuntimeError(f"a test reached for the network: {name}")
