"""The page of a recipe: the form, the changes made in it, the costs, and saving it as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHeaderView, QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.formatting import duration
from qtdigits.core.network_spec import LayerSummary, cost_of, layers_of
from qtdigits.core.recipe import FIELD_BY_NAME, Field, Recipe, Value, differences
from qtdigits.core.recipe_files import load_recipe, recipe_names, recipe_toml
from qtdigits.core.run.figures import Estimate, MeasuredSpeed, epoch_estimate, measured_speeds
from qtdigits.errors import InputError, QtDigitsError
from qtdigits.gui.panels.training.recipe_form import RecipeForm
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.parts import (
    LEFT,
    RIGHT,
    ChoiceBox,
    PlainTable,
    button,
    elided_label,
    label,
    scrolling,
)
from qtdigits.gui.widgets.wrapping_row import WrappingRow
from qtdigits.store.files import write_file
from qtdigits.store.model_files import load_header

OPEN_FILE = "Open file…"
KIND = "Recipes (*.toml)"


class RecipeChoice(QObject):
    """Fills the box with the names of recipes, and the form with the one that is chosen.

    `problem_found` carries what is wrong with a recipe that cannot be used; the one before stays chosen.
    """

    chosen = Signal()
    problem_found = Signal(str)

    def __init__(self, *, box: ChoiceBox, form: RecipeForm, ask: Ask) -> None:
        super().__init__(box)
        self._box = box
        self._form = form
        self._ask = ask
        self._recipe = form.recipe()
        self._opened: dict[str, Recipe] = {}
        box.addItems([*recipe_names(), OPEN_FILE])
        box.activated.connect(self._on_activated)

    @property
    def recipe(self) -> Recipe:
        """The chosen recipe, without the changes made in the form."""
        return self._recipe

    @property
    def is_adjusted(self) -> bool:
        """Whether the chosen recipe was changed in the form."""
        return bool(differences(self._form.recipe(), self._recipe))

    @Slot(str)
    def choose(self, name_or_path: str) -> None:
        try:
            recipe = self._opened.get(name_or_path) or load_recipe(name_or_path)
        except InputError as error:
            self._show_name(self._recipe.name)
            self.problem_found.emit(str(error))
            return
        if recipe.name not in recipe_names():
            self._opened[recipe.name] = recipe
        self._recipe = recipe
        self._show_name(recipe.name)
        self._form.set_recipe(recipe)
        self.chosen.emit()

    def _show_name(self, name: str) -> None:
        if self._box.findText(name) < 0:
            self._box.insertItem(self._box.count() - 1, name)
        self._box.setCurrentText(name)

    @Slot(int)
    def _on_activated(self, index: int) -> None:
        name = self._box.itemText(index)
        if name != OPEN_FILE:
            self.choose(name)
            return
        self._show_name(self._recipe.name)
        if path := self._ask.file_to_open("Open a recipe", KIND):
            self.choose(str(path))


TITLES = ("layer", "details", "output", "weights", "multiply-adds")


class NetworkTable(PlainTable):
    """A row for each layer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        sides = (LEFT, LEFT, RIGHT, RIGHT, RIGHT)
        super().__init__(
            TITLES, name="networkTable", title="Layers of the network", sides=sides, parent=parent
        )
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)

    def show_layers(self, layers: Sequence[LayerSummary]) -> None:
        self.fill(
            [
                (one.title, one.details, one.shape_text, f"{one.n_parameters:,}", f"{one.multiply_adds:,}")
                for one in layers
            ]
        )


LEAST_CHANGES_PX = 300
MOST_TOLD = 3


class RecipePage(QWidget):
    """Compares the form with the chosen recipe while it is visible. A saved recipe becomes the chosen one."""

    def __init__(
        self,
        *,
        form: RecipeForm,
        choice: RecipeChoice,
        session: Session,
        ask: Ask,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._form, self._choice = form, choice
        self._session, self._ask = session, ask
        self._costs = RecipeCosts(session=session)
        self._table: NetworkTable | None = None
        self._changes = elided_label(role="muted", name="recipeChanges")
        self._restore = button("Undo changes", "restoreButton", "Go back to the recipe as it was chosen")
        self._layers = button("Layers", "layersButton", "Show the layers of the network")
        self._layers.setCheckable(True)
        self._save = button(
            "Save…", "saveRecipeButton", "Save this recipe as a file, to use it again or to share it"
        )
        self._cost = label(role="muted", name="recipeCosts", wraps=True)
        self._help = label(role="muted", name="fieldHelp", wraps=True)
        self._lay_out()
        self._layers.toggled.connect(self._on_layers)
        self._restore.clicked.connect(self._on_restore)
        self._save.clicked.connect(self._on_save)
        form.changed.connect(self._refresh)
        form.field_entered.connect(self._on_field)
        choice.chosen.connect(self._refresh)
        session.models_changed.connect(self._on_models_changed)

    def _lay_out(self) -> None:
        top = WrappingRow()
        top.add_stretching(self._changes, least_px=LEAST_CHANGES_PX)
        top.add(self._restore, self._layers, self._save)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 4, 0, 0)
        box.addLayout(top)
        box.addWidget(self._cost)
        content = QWidget()
        self._table_place = QVBoxLayout(content)
        self._table_place.setContentsMargins(0, 0, 8, 0)
        self._form.prepare()
        self._table_place.addWidget(self._form)
        self._form.show()
        box.addWidget(scrolling(content), 1)
        box.addWidget(self._help)

    @Slot()
    def _refresh(self) -> None:
        if not self.isVisible():
            return
        is_valid = self._form.is_valid
        self._save.setEnabled(is_valid)
        self._layers.setEnabled(is_valid)
        if not is_valid:
            self._changes.setText("This recipe cannot be used as it stands.")
            self._cost.clear()
            return
        recipe = self._form.recipe()
        before = self._choice.recipe
        self._changes.setText(changes_text(recipe, before))
        self._restore.setVisible(bool(differences(recipe, before)))
        layers = layers_of(recipe.network, self._form.n_classes)
        parts = [f"{cost_of(layers):,} multiply-adds for one reading", self._costs.text(recipe)]
        self._cost.setText(" · ".join(filter(None, parts)))
        if self._table is not None:
            self._table.show_layers(layers)

    @Slot(bool)
    def _on_layers(self, is_open: bool) -> None:
        if self._table is None:
            self._table = NetworkTable()
            self._table_place.insertWidget(0, self._table)
        self._table.setVisible(is_open)
        self._layers.setText("Hide layers" if is_open else "Layers")
        self._refresh()

    @Slot()
    def _on_restore(self) -> None:
        self._choice.choose(self._choice.recipe.name)

    @Slot()
    def _on_save(self) -> None:
        recipe = self._form.recipe()
        path = self._ask.file_to_save("Save the recipe", f"{recipe.name}.toml", KIND)
        if path is None:
            return
        path = path if path.suffix else path.with_suffix(".toml")
        try:
            write_recipe(recipe, path)
        except QtDigitsError as error:
            self._session.report(error)
        else:
            self._choice.choose(str(path))

    @Slot()
    def _on_models_changed(self) -> None:
        """Another training may have ended, whose speed tells more."""
        self._costs.forget()
        self._refresh()

    @Slot(str)
    def _on_field(self, name: str) -> None:
        self._help.setText(help_text(name))

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()


def write_recipe(recipe: Recipe, path: Path) -> None:
    """Write a recipe, under the name of the file. Raises `StoreError`."""
    write_file(path, recipe_toml(replace(recipe, name=path.stem)).encode())


def changes_text(recipe: Recipe, before: Recipe) -> str:
    """Such as "Changed in default: epochs 3 instead of 14, seed 2 instead of 1"."""
    changes = differences(recipe, before)
    if not changes:
        return f"The recipe {recipe.name}. A dot marks what differs from the defaults."
    told = [_change_text(FIELD_BY_NAME[name], now, then) for name, (now, then) in changes.items()]
    more = f" and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    return f"Changed in {before.name}: {', '.join(told[:MOST_TOLD])}{more}"


def _change_text(field: Field, now: Value, then: Value) -> str:
    """Such as "MNIST images 4,000 instead of 60,000": the unit is not repeated, and capitals stay."""
    title = field.title if field.title[:2].isupper() else field.title[0].lower() + field.title[1:]
    unit = f" {field.unit}" if field.unit and title.endswith(field.unit) else ""
    said, before = (field.value_text(value).removesuffix(unit) for value in (now, then))
    return f"{title} {said} instead of {before}"


def help_text(name: str) -> str:
    """Return what a field means, its range and its default."""
    field = FIELD_BY_NAME[name]
    return f"{field.title}: {field.full_help}; Ctrl+Backspace goes back to it."


N_TIMED = 5
"""The fastest counts: something else slowed the others."""


class RecipeCosts:
    """Says what a recipe will cost. The store is read once until `forget`; a model is timed once, reading a blank."""

    def __init__(self, *, session: Session) -> None:
        self._session = session
        self._paces: list[MeasuredSpeed] | None = None
        self._timed: tuple[object, float, int] | None = None

    def forget(self) -> None:
        """Read the store again: another training was made."""
        self._paces = None

    def text(self, recipe: Recipe) -> str:
        """Such as "about 2.1 ms, going by default · an epoch took 0:42 in my run"."""
        try:
            return " · ".join(filter(None, (self._reading_text(recipe), self._epoch_text(recipe))))
        except QtDigitsError:  # an estimate is not worth a message
            return ""

    def _reading_text(self, recipe: Recipe) -> str:
        timed = self._model_in_use()
        if timed is None:
            return ""
        _, seconds, cost = timed
        own = cost_of(layers_of(recipe.network, len(self._session.label_set)))
        if own == cost:
            return f"{1e3 * seconds:.1f} ms, measured with {self._session.model_name}"
        return f"about {1e3 * seconds * own / cost:.2g} ms, going by {self._session.model_name}"

    def _epoch_text(self, recipe: Recipe) -> str:
        store = self._session.store
        if self._paces is None:
            runs = [(run.title, run.recipe, run.figures) for run in store.runs.records()]
            self._paces = measured_speeds(runs, len(self._session.label_set))
        found = epoch_estimate(
            recipe,
            self._paces,
            n_classes=len(self._session.label_set),
            n_drawings=store.count(held_out=False, is_suspect=False),
        )
        return epoch_text(found, epochs=recipe.epochs)

    def _model_in_use(self) -> tuple[object, float, int] | None:
        """Return the reader, its seconds for one reading, and its multiply-adds."""
        reader, path = self._session.reader, self._session.model_path
        if reader is None or path is None:
            return None
        if self._timed is None or self._timed[0] is not reader:
            network = load_header(path).network
            blank, times = np.zeros((28, 28), np.uint8), []
            for _ in range(N_TIMED):
                began = perf_counter()
                reader.probabilities(blank)
                times.append(perf_counter() - began)
            self._timed = reader, min(times), cost_of(layers_of(network, len(reader.label_set)))
        return self._timed


def epoch_text(found: Estimate | None, *, epochs: int) -> str:
    """Say how long an epoch and the whole run will take, and how that is known."""
    if found is None:
        return "time of an epoch: known after the first training with such a network"
    whole = f", all {epochs} in {duration(epochs * found.seconds)}" if epochs > 1 else ""
    how = f"measured in the run {found.title}" if found.is_measured else f"going by the run {found.title}"
    about = "" if found.is_measured else "about "
    return f"an epoch in {about}{duration(found.seconds)}{whole}, {how}"
