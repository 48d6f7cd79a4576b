"""The recipe as a page: the form, what was changed in it, what it costs, and a file to share it by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.network.network_summary import cost_of, layers_of
from qtdigits.core.recipe.recipe_fields import FIELD_BY_NAME, Field, Value
from qtdigits.core.recipe.recipe_text import help_of, recipe_toml, value_text
from qtdigits.core.recipe.recipes import Recipe, differences
from qtdigits.errors import QtDigitsError
from qtdigits.gui.recipes.network_table import NetworkTable
from qtdigits.gui.recipes.recipe_choice import RecipeChoice
from qtdigits.gui.recipes.recipe_form import RecipeForm
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.parts import button, elided_label, label, scrolling
from qtdigits.gui.widgets.wrapping_row import WrappingRow
from qtdigits.store.files import write_file

LEAST_CHANGES_PX = 300
MOST_TOLD = 3


class RecipePage(QWidget):
    """`saved` carries the path of a recipe that was written, `problem_found` why it could not be.

    `cost_text` says what a recipe will cost on this machine; it is asked while the page is visible only.
    """

    saved = Signal(str)
    problem_found = Signal(str)

    def __init__(
        self, *, form: RecipeForm, ask: Ask, cost_text: Callable[[Recipe], str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._form = form
        self._ask = ask
        self._cost_text = cost_text
        self._choice: RecipeChoice | None = None
        self._table: NetworkTable | None = None
        self._changes = elided_label(role="muted", name="recipeChanges")
        self._restore = button("As it was", "restoreButton", "Give up what was changed in this recipe")
        self._layers = button("Layers", "layersButton", "Show what the network consists of")
        self._layers.setCheckable(True)
        self._save = button(
            "Save…", "saveRecipeButton", "Keep this recipe as a file, to use it again or to share it"
        )
        self._costs = label(role="muted", name="recipeCosts", wraps=True)
        self._help = label(role="muted", name="fieldHelp", wraps=True)
        self._lay_out()
        self._layers.toggled.connect(self._on_layers)
        self._restore.clicked.connect(self._on_restore)
        self._save.clicked.connect(self._on_save)
        form.changed.connect(self._refresh)
        form.field_entered.connect(self._on_field)

    def follow(self, choice: RecipeChoice) -> None:
        """Tell what differs from the recipe that is chosen there; what is saved is chosen there."""
        self._choice = choice
        choice.chosen.connect(self._refresh)
        self.saved.connect(choice.choose)

    def _lay_out(self) -> None:
        top = WrappingRow()
        top.add_stretching(self._changes, least_px=LEAST_CHANGES_PX)
        top.add(self._restore, self._layers, self._save)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 4, 0, 0)
        box.addLayout(top)
        box.addWidget(self._costs)
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
            self._costs.clear()
            return
        recipe = self._form.recipe()
        before = self._choice.recipe if self._choice else recipe
        self._changes.setText(changes_text(recipe, before))
        self._restore.setVisible(bool(differences(recipe, before)))
        layers = layers_of(recipe.network, self._form.n_classes)
        parts = [f"{cost_of(layers):,} multiply-adds for one reading", self._cost_text(recipe)]
        self._costs.setText(" · ".join(filter(None, parts)))
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
        if self._choice is not None:
            self._choice.choose(self._choice.recipe.name)

    @Slot()
    def _on_save(self) -> None:
        recipe = self._form.recipe()
        path = self._ask.file_to_save("Keep the recipe", f"{recipe.name}.toml", "Recipes (*.toml)")
        if path is None:
            return
        path = path if path.suffix else path.with_suffix(".toml")
        try:
            write_recipe(recipe, path)
        except QtDigitsError as error:
            self.problem_found.emit(str(error))
        else:
            self.saved.emit(str(path))

    @Slot(str)
    def _on_field(self, name: str) -> None:
        self._help.setText(help_text(name))

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()


def write_recipe(recipe: Recipe, path: Path) -> None:
    """The recipe gets the name of its file. Raises `StoreError`."""
    write_file(path, recipe_toml(replace(recipe, name=path.stem)).encode())


def changes_text(recipe: Recipe, before: Recipe) -> str:
    """Such as "Changed in default: epochs 3 instead of 14, seed 2 instead of 1"."""
    changes = differences(recipe, before)
    if not changes:
        return f"The recipe {recipe.name}; what differs from the defaults is marked with a dot."
    told = [_change_text(FIELD_BY_NAME[name], now, then) for name, (now, then) in changes.items()]
    more = f" and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    return f"Changed in {before.name}: {', '.join(told[:MOST_TOLD])}{more}"


def _change_text(field: Field, now: Value, then: Value) -> str:
    """MNIST images 4,000 instead of 60,000: the unit is not said twice, and what is written in capitals stays so."""
    title = field.title if field.title[:2].isupper() else field.title[0].lower() + field.title[1:]
    unit = f" {field.unit}" if field.unit and title.endswith(field.unit) else ""
    said, before = (value_text(field, value).removesuffix(unit) for value in (now, then))
    return f"{title} {said} instead of {before}"


def help_text(name: str) -> str:
    """What a field means, what it takes, and what it is when nobody says anything."""
    field = FIELD_BY_NAME[name]
    return f"{field.title}: {help_of(field)}; Ctrl+Backspace goes back to it."
