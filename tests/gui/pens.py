"""Pens, and the events that they send."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QInputDevice, QPointingDevice, QPointingDeviceUniqueId, QTabletEvent
from PySide6.QtWidgets import QApplication

LEFT = Qt.MouseButton.LeftButton


def pen_device(kind=QPointingDevice.PointerType.Pen):
    return QPointingDevice(
        "a pen\x01",  # as X11 names one
        7,
        QInputDevice.DeviceType.Stylus,
        kind,
        QInputDevice.Capability.Position | QInputDevice.Capability.Pressure,
        1,
        3,
        "seat",
        QPointingDeviceUniqueId(),
    )


def pen(canvas, device, kind, x, y, pressure, buttons=LEFT):
    button = LEFT if kind != QEvent.Type.TabletMove else Qt.MouseButton.NoButton
    event = QTabletEvent(
        kind,
        device,
        QPointF(x, y),
        QPointF(x, y),
        pressure,
        0,
        0,
        0,
        0,
        0,
        Qt.KeyboardModifier.NoModifier,
        button,
        buttons,
    )
    QApplication.sendEvent(canvas, event)
    return event
