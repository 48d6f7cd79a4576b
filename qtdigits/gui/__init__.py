"""The window: PySide6. It knows nothing of TensorFlow and talks to the engine."""
