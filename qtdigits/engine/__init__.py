"""The engine: a child process in which TensorFlow lives, spoken to in JSON lines. `client` is for those who start it."""
