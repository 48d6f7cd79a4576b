"""Errors that are shown to a person: what happened, and what to do about it.

Every error that the program expects is a `QtDigitsError`. Its `message` names the file, the line or the field;
its `remedy` says what the person can do. Both are shown unchanged, so they are whole sentences.
"""

from __future__ import annotations


class QtDigitsError(Exception):
    """Base of all expected errors.

    `kind` travels with events between processes (`core.run.events.RunFailed`); `exit_code` is that of the command line.
    """

    kind = "error"
    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class InputError(QtDigitsError):
    """Something given to the program cannot be used: a file, a line in it, a field, an option."""

    kind = "input"
    exit_code = 2


class ModelFileError(InputError):
    """A model file is missing, truncated, foreign, tampered with, or from a newer version."""

    kind = "model file"


class DataMissingError(InputError):
    """Data that a job needs (MNIST, ink, images) was not found."""

    kind = "data missing"


class DataChangedError(InputError):
    """The data of an interrupted run has changed since."""

    kind = "data changed"


class StoreError(QtDigitsError):
    """The store or the data folder cannot be opened, read or written."""

    kind = "store"
    exit_code = 2


class DamagedStoreError(StoreError):
    """The store's file is damaged."""


class NotStoredError(StoreError):
    """Something is not in the store any more."""


class StoreBusyError(StoreError):
    """Another process is writing into the store; what was to be done can be tried again."""


class EngineError(QtDigitsError):
    """The engine process could not be started, died, or does not answer."""

    kind = "engine"


class TrainingError(QtDigitsError):
    """A training run cannot continue (divergence, no memory, nothing to train on)."""

    kind = "training"


class CancelledError(QtDigitsError):
    """The person cancelled the work."""

    kind = "cancelled"
    exit_code = 130
