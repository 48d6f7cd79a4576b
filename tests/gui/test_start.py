"""What a start of the window loads until it is painted and has read: nothing that can wait."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.running import python

START = """
import gc, json, sys
from qtdigits.cli.window import prepare_start
prepare_start()
from qtdigits.gui import app
application, window = app.create(sys.argv[1:])

def tell():
    modules = sorted(sys.modules)
    application.setStyleSheet("")  # it wraps the style
    told = {
        "modules": modules,
        "style": application.style().objectName(),
        "collects": gc.isenabled(),
        "frozen": gc.get_freeze_count(),
        "reads": window.session.model_name,
    }
    print(json.dumps(told))
    window.close()

window.became_ready.connect(tell)
window.show()
application.exec()
"""

AT_START = {
    "": "cli core engine errors gui paths quiet reader store",
    "cli": "window",
    "core": "drawing models network recipe run score texts",
    "core.drawing": "ink labels raster samples variation",
    "core.network": "networks",
    "core.recipe": "recipe_fields recipe_text recipes",
    "core.run": "history",
    "core.score": "metrics",
    "engine": "protocol",
    "gui": """
        app collaborators drawing engine jobs main_window menus models news preferences quick_import recipes results samples
        session status_line texts top_bar training widgets window_choices window_commands window_layout window_pages
        window_training
        """,
    "gui.drawing": "answer_panel canvas canvas_card class_bars guided_prompt guided_session label_entry preview",
    "gui.engine": "engine_controller followed_errand",
    "gui.models": "automatic_promotion champion kept_readings model_watch",
    "gui.recipes": "recipe_choice recipe_editors recipe_form",
    "gui.results": "knowledge",
    "gui.samples": "exchange label_checks",
    "gui.training": """
        closing followed_run queue_strip self_training training_controls training_messages training_pages training_panel
        training_queue training_requests verdict_place
        """,
    "gui.widgets": "ask choice_box ink_painting lazy_page message_bar naming overriding parts theme wrapping_row",
    "reader": "reader",
    "store": "files locks model rescue tables temporary",
    "store.model": "hdf5 library model_files",
    "store.tables": """
        backup database editing filters judgements names queue rows samples schema tallies tally_tables trouble
        """,
}
"""Ours, by package: what the first paint and the first reading need.

A module that is new here costs every start its time: import it where it is needed. Where it is needed at the start, it belongs
into this table.
"""

LIBRARIES = """
    asyncio concurrent.futures email keras multiprocessing pandas PIL pyqtgraph rich socket ssl subprocess tensorflow
    urllib.request
    """
"""What takes long, or brings much along; the engine and the pages that need one of these bring it later."""


def started(folder: Path, *options: str) -> dict[str, Any]:
    done = python("-c", START, "--data-dir", folder, *options, env={"QT_QPA_PLATFORM": "offscreen"})
    assert done.code == 0, done.err
    told: dict[str, Any] = json.loads(done.out)
    assert told["reads"]
    return told


def test_that_a_start_loads_what_it_needs_and_nothing_else(tmp_path: Path) -> None:
    modules = set(started(tmp_path)["modules"])
    wanted = {
        f"qtdigits.{package}.{name}" if package else f"qtdigits.{name}"
        for package, names in AT_START.items()
        for name in names.split()
    }
    ours = {name for name in modules if name.startswith("qtdigits.")}
    assert (sorted(ours - wanted), sorted(wanted - ours)) == ([], [])
    assert sorted(modules & set(LIBRARIES.split())) == []


def test_that_collections_begin_after_the_start_and_leave_out_what_it_made(tmp_path: Path) -> None:
    told = started(tmp_path)
    assert told["collects"]
    assert told["frozen"] > 10_000


@pytest.mark.parametrize(("options", "style"), [((), "fusion"), (("-style", "windows"), "windows")])
def test_that_the_window_has_its_style_or_the_one_that_the_person_names(
    tmp_path: Path, options: tuple[str, ...], style: str
) -> None:
    assert started(tmp_path, *options)["style"] == style
