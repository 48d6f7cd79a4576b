"""Walking about in a grid with the arrow keys."""

from __future__ import annotations

from PySide6.QtCore import Qt

STEPS = {
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
}
"""By how many rows and columns a key leads on."""
