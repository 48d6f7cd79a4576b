"""One stack of what a person did, whatever it was: the newest action is undone first, and can then be redone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from qtdigits.errors import QtDigitsError

MOST_UNDONE = 500
"""How many actions can be undone; the stack must not grow while somebody draws all day."""


class Action(Protocol):
    """Something that was done. One that is undone in the background calls `UndoStack.put_back` if that fails."""

    @property
    def name(self) -> str:
        """Such as "import of 12 drawings": it stands behind "Undo" in a menu."""

    def undo(self) -> None:
        """Raises `QtDigitsError`; then the action is not undone."""

    def redo(self) -> None:
        """Raises `QtDigitsError`; then the action is still undone."""


class UndoStack:
    """`on_change` is called whenever another action is the next to be undone or redone."""

    def __init__(self, *, on_change: Callable[[], None] = lambda: None) -> None:
        self._on_change = on_change
        self._done: deque[Action] = deque(maxlen=MOST_UNDONE)
        self._undone: list[Action] = []

    @property
    def actions(self) -> Sequence[Action]:
        """What can be undone or redone."""
        return (*self._done, *self._undone)

    @property
    def done(self) -> Sequence[Action]:
        """What can be undone, the newest last."""
        return tuple(self._done)

    @property
    def next_undone(self) -> Action | None:
        return self._done[-1] if self._done else None

    @property
    def next_redone(self) -> Action | None:
        return self._undone[-1] if self._undone else None

    def add(self, action: Action) -> None:
        """Something was done: what had been undone cannot be redone any more."""
        self._done.append(action)
        self._undone.clear()
        self._on_change()

    def undo(self) -> Action | None:
        """Undo the newest action and return it, None if there is none. Raises what the action raises."""
        if not self._done:
            return None
        action = self._done.pop()
        self._undone.append(action)
        return self._do(action, action.undo)

    def redo(self) -> Action | None:
        """Redo what was undone last and return it, None if there is nothing. Raises what the action raises."""
        if not self._undone:
            return None
        action = self._undone.pop()
        self._done.append(action)
        return self._do(action, action.redo)

    def put_back(self, action: Action) -> None:
        """An action could not be undone, or redone, after all."""
        if action in self._done:
            self._done.remove(action)
            self._undone.append(action)
        else:
            if action in self._undone:
                self._undone.remove(action)
            self._done.append(action)
        self._on_change()

    def remove(self, *actions: Action) -> None:
        """These can be neither undone nor redone any more."""
        kept = [action for action in self._done if action not in actions]
        self._done = deque(kept, maxlen=MOST_UNDONE)
        self._undone = [action for action in self._undone if action not in actions]
        self._on_change()

    def _do(self, action: Action, step: Callable[[], None]) -> Action:
        try:
            step()
        except QtDigitsError:
            if action in self.actions:  # it was not removed, as there is nothing left to undo
                self.put_back(action)
            raise
        self._on_change()
        return action
