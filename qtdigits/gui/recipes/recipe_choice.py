"""Which recipe is chosen: one that travels with the program, or one from a file."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from qtdigits.core.recipe.recipes import Recipe, differences, load_recipe, recipe_names
from qtdigits.errors import InputError
from qtdigits.gui.recipes.recipe_form import RecipeForm
from qtdigits.gui.widgets.choice_box import ChoiceBox

OPEN_FILE = "Open file…"


def ask_recipe_path(parent: QWidget) -> str:
    """The path of a recipe that the person chose, "" for none."""
    return QFileDialog.getOpenFileName(parent, "Open a recipe", "", "Recipes (*.toml)")[0]


class RecipeChoice(QObject):
    """Fills the box with the names of recipes, and the form with the one that is chosen.

    `problem_found` carries what is wrong with a recipe that could not be taken; the one before stays.
    """

    chosen = Signal()
    problem_found = Signal(str)

    def __init__(self, *, box: ChoiceBox, form: RecipeForm, ask_path: Callable[[QWidget], str]) -> None:
        super().__init__(box)
        self._box = box
        self._form = form
        self._ask_path = ask_path
        self._recipe = form.recipe()
        self._opened: dict[str, Recipe] = {}
        box.addItems([*recipe_names(), OPEN_FILE])
        box.activated.connect(self._on_activated)

    @property
    def recipe(self) -> Recipe:
        """The one that was chosen, as it was before anything was changed in the form."""
        return self._recipe

    @property
    def is_adjusted(self) -> bool:
        """The form says something else than the recipe that was chosen."""
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
        if path := self._ask_path(self._box):
            self.choose(path)
