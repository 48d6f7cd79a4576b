"""Object names: tests and assistive tools find widgets by them."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import QObject

AnyObject = TypeVar("AnyObject", bound=QObject)


def named(thing: AnyObject, name: str) -> AnyObject:
    """`thing`, with its object name set. (Qt takes `objectName=` in constructors, but its type stubs do not know that.)"""
    thing.setObjectName(name)
    return thing
