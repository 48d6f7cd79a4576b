"""The border between Qt and Python, which no exception crosses.

Qt has no use for a Python exception. When a method that overrides one of Qt's lets one out, PySide keeps it for the next return
to Python: the function that does so (`storePythonOverrideErrorOrPrint`) releases an object too often, and the process dies some
calls later. And the trace keeps the painter of a `paintEvent` alive beyond its event, which ends the process, too.

So every override in a class made from a Qt class is wrapped when the class is made: an exception goes to `sys.excepthook`, as
PySide itself sends there those of slots and timers; the objects of its frames are let go; and Qt gets what the overridden method
gives.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import traceback
from collections.abc import Callable
from types import FunctionType
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QGraphicsItem

OURS = "qtdigits."
CALLED_BY_QT = ("paint", "boundingRect", "shape")
"""Of the classes of other libraries, only these methods and the handlers of events are wrapped."""


def guard_overrides() -> None:
    """Wrap the overrides in every class that is made from a Qt class from now on."""
    for base in (QObject, QGraphicsItem):
        base.__init_subclass__ = classmethod(_guard)  # type: ignore[assignment, method-assign]


def _guard(cls: type[Any], /, **_options: object) -> None:
    for name, function in list(vars(cls).items()):
        if not isinstance(function, FunctionType) or name.startswith("_"):
            continue
        is_ours = function.__module__.startswith(OURS)
        if not (is_ours or name in CALLED_BY_QT or name.endswith("Event")):
            continue
        overridden = _method_of_qt(cls, name)
        if overridden is not None:
            setattr(cls, name, _guarded(function, overridden))


def _method_of_qt(cls: type, name: str) -> Callable[..., Any] | None:
    """Return the method of this name that a class of Qt itself has, None where there is none."""
    found = (vars(base)[name] for base in cls.__mro__[1:] if name in vars(base))
    return next((method for method in found if not isinstance(method, FunctionType)), None)


def _guarded(function: FunctionType, overridden: Callable[..., Any]) -> Callable[..., Any]:
    # Handlers of events, and a thread's work, give Qt nothing: what is overridden need not be done as well.
    gives_nothing = function.__name__.endswith("Event") or function.__name__ == "run"

    @functools.wraps(function)
    def call(self: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return function(self, *arguments, **options)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever it is
            report(error)
        if gives_nothing:
            return None
        with contextlib.suppress(Exception):  # it may be abstract
            return overridden(self, *arguments, **options)
        return None

    return call


def report(error: BaseException) -> None:
    """Hand an exception to `sys.excepthook`, then let go of what its frames hold, such as a painter."""
    sys.excepthook(type(error), error, error.__traceback__)
    traceback.clear_frames(error.__traceback__)
