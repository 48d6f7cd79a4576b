"""The tabs beside *Training*: each page is made when it is first looked at, and imports only then what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QTabWidget, QWidget

from qtdigits.gui.collaborators import Collaborators
from qtdigits.gui.session import SampleSelection
from qtdigits.gui.widgets.colours import Theme
from qtdigits.gui.widgets.pages import LazyPage

if TYPE_CHECKING:
    from qtdigits.gui.panels.samples.samples_panel import SamplesPanel


TABS = ("Training", "Accuracy", "Drawings", "Models", "Runs", "Writers", "Network")


class WindowPages(QObject):
    """Adds the pages to `tabs`."""

    def __init__(
        self,
        *,
        tabs: QTabWidget,
        shared: Collaborators,
        theme: Theme,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tabs = tabs
        self._shared = shared
        makers = {
            "Accuracy": self._make_accuracy_panel,
            "Drawings": self._make_drawings_panel,
            "Models": self._make_models_panel,
            "Runs": self._make_runs_panel,
            "Writers": self._make_writers_panel,
            "Network": self._make_network_panel,
        }
        self._pages = {name: LazyPage(make, theme=theme) for name, make in makers.items()}
        for name, page in self._pages.items():
            tabs.addTab(page, name)

    @property
    def shows_drawings(self) -> bool:
        return self._tabs.currentWidget() is self._pages["Drawings"]

    def show_drawings(self) -> SamplesPanel:
        """The panel, made where nobody has looked at it yet."""
        page = self._pages["Drawings"]
        self._tabs.setCurrentWidget(page)
        return cast("SamplesPanel", page.content)

    def show_among(self, title: str, ids: tuple[int, ...]) -> None:
        """These drawings alone, in their tab: to look at, relabel, delete, weigh."""
        self.show_drawings().show_among(title, ids)

    @Slot(object)
    def show_selection(self, selection: SampleSelection) -> None:
        self.show_among(selection.title, selection.ids)

    def set_theme(self, theme: Theme) -> None:
        for page in self._pages.values():
            page.set_theme(theme)

    def _make_accuracy_panel(self, _theme: Theme) -> QWidget:
        from qtdigits.gui.panels.learning import LearningPanel

        panel = LearningPanel(session=self._shared.session, guided=self._shared.guided)
        panel.guided_wanted.connect(self._shared.guided.toggle)
        panel.learning_wanted.connect(self._shared.trainer.learn_hand)
        return panel

    def _make_drawings_panel(self, _theme: Theme) -> QWidget:
        from qtdigits.gui.panels.samples.samples_panel import SamplesPanel

        return SamplesPanel(
            session=self._shared.session,
            exchange=self._shared.import_export,
            trainer=self._shared.trainer,
            ask=self._shared.ask,
        )

    def _make_models_panel(self, _theme: Theme) -> QWidget:
        from qtdigits.gui.panels.models import ModelsPanel

        return ModelsPanel(session=self._shared.session)

    def _make_runs_panel(self, _theme: Theme) -> QWidget:
        from qtdigits.gui.panels.runs.runs_panel import RunsPanel

        return RunsPanel(
            session=self._shared.session,
            trainer=self._shared.trainer,
            preferences=self._shared.preferences,
            ask=self._shared.ask,
        )

    def _make_writers_panel(self, _theme: Theme) -> QWidget:
        from qtdigits.gui.panels.writers_panel import WritersPanel

        return WritersPanel(session=self._shared.session, trainer=self._shared.trainer, ask=self._shared.ask)

    def _make_network_panel(self, _theme: Theme) -> QWidget:
        from qtdigits.gui.panels.network.network_panel import NetworkPanel

        return NetworkPanel(session=self._shared.session)
