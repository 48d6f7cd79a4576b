"""Who draws and which model reads: what the top bar offers, what the person chooses there, and the session, kept alike."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from qtdigits.gui.collaborators import Collaborators
from qtdigits.gui.panels.writers_dialog import WritersDialog
from qtdigits.gui.session import Champion
from qtdigits.gui.top_bar import TopBar


class WindowChoices(QObject):
    """`chosen`: somebody has, and draws on.

    Until `list_models` the one in use stands alone: a list takes a look into every file.
    """

    chosen = Signal()

    def __init__(
        self,
        *,
        top_bar: TopBar,
        shared: Collaborators,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._top_bar = top_bar
        self._session = session = shared.session
        self._preferences = preferences = shared.preferences
        self._ask = shared.ask
        self._are_models_listed = False
        top_bar.writer_chosen.connect(self._choose_writer)
        top_bar.writer_wanted.connect(self._add_writer)
        top_bar.writers_wanted.connect(self._manage_writers)
        top_bar.model_chosen.connect(self.use_model)
        session.writer_changed.connect(self._on_writer_changed)
        session.champion_changed.connect(self._on_champion_changed)
        session.models_changed.connect(self.list_models)
        if preferences.writer:
            session.set_writer(preferences.writer)
        self._on_writer_changed(session.writer)

    @property
    def are_models_listed(self) -> bool:
        return self._are_models_listed

    @Slot()
    def list_models(self) -> None:
        self._are_models_listed = True
        entries, in_use = self._session.library.entries(), self._session.model_path
        self._top_bar.show_models([(entry.name, entry.path) for entry in entries if not entry.error], in_use)

    @Slot(str)
    def use_model(self, path: str) -> None:
        self._session.use_model(Path(path))
        self.chosen.emit()

    @Slot(str)
    def _choose_writer(self, name: str) -> None:
        self._session.set_writer(name)
        self.chosen.emit()

    @Slot()
    def _add_writer(self) -> None:
        name = self._ask.text("A new writer", "Who is going to draw?")
        if name:
            self._session.set_writer(name)
        self._on_writer_changed(self._session.writer)
        self.chosen.emit()

    @Slot()
    def _manage_writers(self) -> None:
        self._on_writer_changed(self._session.writer)
        WritersDialog(session=self._session, ask=self._ask, parent=self._top_bar.window()).open()

    @Slot(str)
    def _on_writer_changed(self, name: str) -> None:
        """The box says who draws, also where somebody has just chosen one of its entries that are no writers."""
        self._preferences.writer = name
        self._top_bar.show_writers(self._session.store.writers(), name)

    @Slot(object)
    def _on_champion_changed(self, champion: Champion) -> None:
        if self._are_models_listed:
            self.list_models()
        else:
            self._top_bar.show_models([(champion.name, champion.path)], champion.path)
