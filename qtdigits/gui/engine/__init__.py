"""The window's end of the engine: a QThread that owns its process, and a controller that says what happens there."""
