from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from gui.stand_ins import Answers
from qtdigits.core.recipe import Recipe
from qtdigits.core.recipe_files import load_recipe
from qtdigits.gui.panels.training.recipe_form import RecipeForm
from qtdigits.gui.panels.training.recipe_page import NetworkTable, RecipeChoice, RecipePage
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.parts import ChoiceBox
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.samples import SampleStore


@pytest.fixture
def ask():
    return Answers()


@pytest.fixture
def session(data_dir, tmp_path):
    store = SampleStore.open(data_dir)
    session = Session(
        store=store, library=ModelLibrary(data_dir, shipped=tmp_path / "none"), data_dir=data_dir
    )
    yield session
    session.close()


@pytest.fixture
def page(qtbot, ask, session):
    form = RecipeForm()
    choice = RecipeChoice(box=ChoiceBox(), form=form, ask=ask)
    page = RecipePage(form=form, choice=choice, session=session, ask=ask)
    page.form, page.choice = form, choice
    choice.choose("quick")
    qtbot.addWidget(page)
    qtbot.addWidget(choice.parent())
    page.resize(900, 700)
    with qtbot.waitExposed(page):
        page.show()
    return page


def text(page, name):
    return page.findChild(QLabel, name).text()


def press(qtbot, page, name):
    qtbot.mouseClick(page.findChild(QPushButton, name), Qt.MouseButton.LeftButton)


def title(page, name):
    editor = page.form.editor(name)
    (found,) = (label for label in page.form.findChildren(QLabel) if label.buddy() is editor)
    return found.text()


def test_that_what_differs_from_the_default_is_marked(page):
    assert title(page, "optimizer") == "• Optimizer"
    assert title(page, "batch_size") == "Batch size"
    page.form.editor("batch_size").setValue(64)
    assert title(page, "batch_size") == "• Batch size"
    page.form.editor("batch_size").setValue(Recipe.batch_size)
    assert title(page, "batch_size") == "Batch size"


def test_that_changes_in_the_chosen_recipe_are_told_and_can_be_given_up(qtbot, page):
    assert not page.findChild(QPushButton, "restoreButton").isVisible()
    page.form.editor("epochs").setValue(5)
    page.form.editor("patience").setValue(3)
    assert (
        text(page, "recipeChanges")
        == "Changed in quick: epochs 5 instead of 2, patience 3 epochs instead of never"
    )
    press(qtbot, page, "restoreButton")
    page.form.editor("mnist_images").setValue(4000)
    assert text(page, "recipeChanges") == "Changed in quick: MNIST images 4,000 instead of 60,000"
    press(qtbot, page, "restoreButton")
    assert page.form.recipe() == load_recipe("quick")
    assert not page.findChild(QPushButton, "restoreButton").isVisible()


def test_that_a_saved_recipe_is_chosen_and_is_what_was_shown(qtbot, page, ask, tmp_path):
    page.form.editor("epochs").setValue(5)
    ask.reply = tmp_path / "patient"
    press(qtbot, page, "saveRecipeButton")
    saved = load_recipe(str(tmp_path / "patient.toml"))
    assert saved == load_recipe("quick").with_values(name="patient", epochs=5)
    assert page.choice.recipe == saved
    assert not page.choice.is_adjusted


def test_that_a_recipe_that_cannot_be_saved_is_told_of(qtbot, page, session, ask, tmp_path):
    ask.reply = tmp_path / "no such folder" / "mine.toml"
    with qtbot.waitSignal(session.problem_met) as found:
        press(qtbot, page, "saveRecipeButton")
    assert "no such folder" in str(found.args[0])
    assert page.choice.recipe.name == "quick"


def test_that_the_layers_of_the_network_are_shown_and_follow_the_form(qtbot, page):
    press(qtbot, page, "layersButton")
    table = page.findChild(NetworkTable)
    assert [table.item(0, column).text() for column in range(5)] == [
        *("Convolution 1", "5×5, every 2 px, batch norm, relu", "14×14×16", "464", "78,400"),
    ]
    page.form.editor("blocks").setText("4:3")
    assert [table.item(row, 0).text() for row in range(table.rowCount())] == ["Convolution 1", "Answer"]
    press(qtbot, page, "layersButton")
    assert not table.isVisible()


def test_that_costs_are_told_for_what_stands_in_the_form(page):
    page.form.editor("blocks").setText("")
    page.form.editor("dense").setText("50, 50")
    page.form.editor("pooling").setCurrentText("flatten")
    assert text(page, "recipeCosts") == (
        "42,200 multiply-adds for one reading · "
        "time of an epoch: known after the first training with such a network"
    )
    page.form.editor("dense").setText("50, fifty")
    assert text(page, "recipeCosts") == ""
    assert not page.findChild(QPushButton, "saveRecipeButton").isEnabled()


def test_that_the_field_that_has_the_keyboard_is_explained(qtbot, page):
    page.form.editor("batch_size").setFocus()
    qtbot.waitUntil(lambda: "images for one step" in text(page, "fieldHelp"))
    assert "a whole number from 1 to 8,192" in text(page, "fieldHelp")
    assert "Default: 128 images" in text(page, "fieldHelp")


def test_that_control_backspace_puts_a_field_back_to_its_default(qtbot, page):
    editor = page.form.editor("learning_rate")
    assert editor.value() == 0.01
    qtbot.keyClick(editor, Qt.Key.Key_Backspace, Qt.KeyboardModifier.ControlModifier)
    assert editor.value() == 0.0
    assert title(page, "learning_rate") == "Learning rate"
