"""The window: PySide6. It knows nothing of TensorFlow and talks to the engine."""

from qtdigits.gui.border import guard_overrides

guard_overrides()
