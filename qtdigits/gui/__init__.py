"""The window: PySide6 and pyqtgraph. It knows nothing of TensorFlow and talks to the engine."""
