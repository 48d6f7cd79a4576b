from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from qtdigits.core.recipe import FIELDS, Recipe
from qtdigits.core.recipe_files import load_recipe, recipe_names
from qtdigits.errors import InputError
from qtdigits.gui.panels.training.recipe_form import NumberEdit, RecipeForm


@pytest.fixture
def form(qtbot: QtBot) -> RecipeForm:
    form = RecipeForm()
    form.prepare()
    qtbot.addWidget(form)
    return form


def label(form: RecipeForm, name: str) -> QLabel:
    found = form.findChild(QLabel, name)
    assert isinstance(found, QLabel)
    return found


def dense(form: RecipeForm) -> QLineEdit:
    editor = form.editor("dense")
    assert isinstance(editor, QLineEdit)
    return editor


def test_that_a_fresh_form_is_the_default_recipe(form: RecipeForm) -> None:
    assert form.recipe() == Recipe()


@pytest.mark.parametrize("name", recipe_names())
def test_that_named_recipes_come_back_as_they_were(form: RecipeForm, name: str) -> None:
    recipe = load_recipe(name)
    form.set_recipe(recipe)
    assert form.recipe() == recipe


def test_that_every_field_comes_back_from_its_editor(form: RecipeForm) -> None:
    recipe = Recipe(
        name="mine",
        blocks="8:5:2:0.1:elu",
        dense="30:tanh, 20",
        optimizer="sgd",
        learning_rate=0.0125,
        loss="mean_squared_error",
        epochs=3,
        batch_size=32,
        patience=2,
        mnist_images=1_000,
        drawings_weight=0,
        validation_fraction=0.25,
        seed=7,
    )
    form.set_recipe(recipe)
    assert form.recipe() == recipe


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_that_every_field_has_an_editor_with_its_help(form: RecipeForm, field: object) -> None:
    name, title, text = (getattr(field, part) for part in ("name", "title", "help"))
    editor = form.editor(name)
    assert editor.accessibleName() == title
    assert text in editor.accessibleDescription()
    assert text[1:] in editor.toolTip()
    if isinstance(editor, QSpinBox):
        assert (editor.minimum(), editor.maximum()) == (field.minimum, field.maximum)  # type: ignore[attr-defined]


def test_that_zero_is_shown_in_words_and_units_as_suffix(form: RecipeForm) -> None:
    patience, rate = form.editor("patience"), form.editor("learning_rate")
    assert isinstance(patience, QSpinBox)
    assert isinstance(rate, NumberEdit)
    assert patience.text() == "never"
    patience.setValue(5)
    assert patience.text() == "5 epochs"
    assert rate.text() == "the optimizer's own"
    rate.setValue(0.001)
    assert rate.text() == "0.001"


def test_that_the_network_is_summed_up_as_it_is_typed(form: RecipeForm) -> None:
    assert form.summary_text == "MLP 50-50 · 42,310 weights"
    dense(form).setText("30")
    assert form.summary_text == "MLP 30 · 23,860 weights"
    form.set_n_classes(36)
    assert form.summary_text == "MLP 30 · 24,666 weights"


def test_that_a_mistake_in_the_layers_is_named_where_it_was_made(form: RecipeForm) -> None:
    dense(form).setText("50, x")
    note = label(form, "denseNote")
    assert "Dense layer 2 ('x')" in note.text()
    assert note.property("role") == "error"
    assert not form.is_valid
    with pytest.raises(InputError):
        form.recipe()
    dense(form).setText("50, 20")
    assert note.property("role") == "muted"
    assert "neurons" in note.text()
    assert form.is_valid


def test_that_layers_which_do_not_fit_together_are_named(form: RecipeForm) -> None:
    blocks = form.editor("blocks")
    assert isinstance(blocks, QLineEdit)
    blocks.setText("8:3:8, 8:3:8")
    assert "convolution block 2" in form.summary_text
    assert not form.is_valid


def test_that_an_edit_is_announced(qtbot: QtBot, form: RecipeForm) -> None:
    with qtbot.waitSignal(form.changed):
        dense(form).setText("7")


def test_that_setting_a_recipe_is_announced_once(qtbot: QtBot, form: RecipeForm) -> None:
    announced: list[bool] = []
    form.changed.connect(lambda: announced.append(True))
    form.set_recipe(load_recipe("cnn-32-64"))
    assert announced == [True]


def test_that_the_epochs_can_stand_elsewhere_and_still_count(qtbot: QtBot) -> None:
    form, elsewhere = RecipeForm(apart=("epochs",)), QWidget()
    qtbot.addWidget(form)
    qtbot.addWidget(elsewhere)
    spin = form.editor("epochs")
    assert isinstance(spin, QSpinBox)
    assert spin.objectName() == "epochsSpin"
    assert not form.isAncestorOf(spin)
    spin.setParent(elsewhere)
    spin.setValue(4)
    assert form.recipe().epochs == 4
