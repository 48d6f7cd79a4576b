"""The window over every odd value of every field of the store and of a model's header: it opens, shows the rest, and goes on.

The fields are those of the schema and of a model file, so that a new one is tried without being named here.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QApplication, QDialog

from gui.models import saved_model
from qtdigits.core.recipe_files import load_recipe
from qtdigits.errors import ModelFileError
from qtdigits.gui.main_window import TABS, MainWindow
from qtdigits.store.hdf5 import digest_of_attributes
from qtdigits.store.model_files import load_header
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.report.writer import data_marks, writer_report
from qtdigits.training.run_comparison import compared, environment_of
from tests.store.odd_rows import BOMB, EMPTY_STROKE, NOT_FINITE
from tests.store.values import a_history, a_sample, a_trial

ODD: tuple[object, ...] = (
    *(None, -1, 0, 7, 2**62, -(2**63), 253402300799999, 0.5, 1e308, float("inf"), float("-inf")),
    *(
        "",
        "[",
        "[]",
        "{}",
        "perhaps",
        "9" * 400,
        "a" * 5000,
        "\x1b[31mred\x07",
        "\u202egnp.\n2",
        "שלום 👋🏽",
        "[" * 5000,
    ),
    *(
        '{"epochs": "many"}',
        '{"name": [1], "dense": {}}',
        '{"elapsed_s": 1e999}',
        '{"batches": 3, "epochs": []}',
    ),
    *(b"", b"\xff\x00", b"\x00" * 783, BOMB, EMPTY_STROKE, NOT_FINITE),
)
ROLES = (
    Qt.ItemDataRole.DisplayRole,
    Qt.ItemDataRole.ToolTipRole,
    Qt.ItemDataRole.AccessibleTextRole,
    Qt.ItemDataRole.UserRole,
)
STROKE = np.array([(300, 300, 0, 1), (500, 500, 50, 1), (300, 700, 90, 1)], np.float32)


def tables_of_the_schema() -> list[str]:
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        from qtdigits.store.tables.schema import MIGRATIONS

        for step in MIGRATIONS:
            step(db)
        found = db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        )
        return [name for (name,) in found]


def whole_store(folder: Path) -> None:
    """A store with a row in each table."""
    with SampleStore.open(folder) as store:
        for truth in ("7", "8", None):
            store.judge(a_sample(truth) if truth else None, a_trial(truth))
        store.runs.add(RunRecord("run1", load_recipe("quick").to_json()))
        store.runs.end("run1", state="completed", history=a_history())
        store.queue.add("run2", {})
        store.class_table.put_set("few", ["7"])


def add_odd_rows(file: Path, table: str) -> int:
    """For each column and each odd value that SQLite takes, add a row that has it; return how many there are."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        schema = db.execute("SELECT name, type, sql FROM sqlite_schema WHERE sql NOT NULL").fetchall()
        for name in [name for name, kind, _ in schema if kind == "trigger"]:
            db.execute(f"DROP TRIGGER {name}")
        db.execute("PRAGMA writable_schema = ON")
        db.execute(
            """UPDATE sqlite_schema SET sql = replace(replace(replace(sql, 'STRICT,', ''), 'STRICT', ''), 'NOT NULL', '')
                WHERE type = 'table'"""
        )
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.row_factory = sqlite3.Row
        columns = [row["name"] for row in db.execute(f"PRAGMA table_info({table})")]
        pattern = dict(db.execute(f"SELECT * FROM {table} LIMIT 1").fetchone())
        unique = {
            row["name"]
            for index in db.execute(f"PRAGMA index_list({table})").fetchall()
            if index["unique"]
            for row in db.execute(f"PRAGMA index_info({index['name']})")
        } | {row["name"] for row in db.execute(f"PRAGMA table_info({table})") if row["pk"]}
        n_added = 0
        for number, (column, value) in enumerate(itertools.product(columns, ODD), 1000):
            row = {**pattern, **{name: _another(pattern[name], number) for name in unique}, column: value}
            with contextlib.suppress(sqlite3.IntegrityError, sqlite3.OperationalError):
                db.execute(
                    f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
                    tuple(row.values()),
                )
                n_added += 1
        for _, kind, sql in schema:
            if kind == "trigger":
                db.execute(sql)
        db.execute("PRAGMA writable_schema = ON")
        for name, kind, sql in schema:
            if kind == "table":
                db.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (sql, name))
    return n_added


def _another(value: object, number: int) -> object:
    return number if isinstance(value, int) else f"{value}-{number}"


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qtdigits.gui.trainer.Trainer.start_engine", lambda self: None)


def look_at_everything(window: MainWindow, qapp: QApplication) -> dict[str, int]:
    """Turn to each tab and each dialog, choose each row and read all that it says; return how many rows each tab has."""
    window.top_bar.list_models()
    window.curves.make()
    window.training_panel.offer_interrupted()
    n_rows = {}
    for place, name in enumerate(TABS):
        window.tabs.setCurrentIndex(place)
        qapp.processEvents()
        views = window.tabs.currentWidget().findChildren(QAbstractItemView)
        n_rows[name] = max((look_at(view, qapp) for view in views), default=0)
        assert "Traceback" not in window.messages.text
    for open_dialog in (window.manage_classes, window.top_bar.writers_wanted.emit):
        open_dialog()
        qapp.processEvents()
        for dialog in window.findChildren(QDialog):
            for view in dialog.findChildren(QAbstractItemView):
                look_at(view, qapp)
            dialog.close()
    return n_rows


def look_at(view: QAbstractItemView, qapp: QApplication) -> int:
    model = view.model()
    n = 0 if model is None else model.rowCount(QModelIndex())
    for row in range(n):
        first = model.index(row, 0)
        view.setCurrentIndex(first)
        for index in iter_row(first):
            for role in ROLES:
                index.data(role)
        if row % 8 == 0:
            qapp.processEvents()
    qapp.processEvents()
    view.grab()
    return n


def iter_row(first: QModelIndex) -> Iterator[QModelIndex]:
    for column in itertools.count():
        index = first.siblingAtColumn(column)
        if not index.isValid():
            return
        yield index


def judge_one(window: MainWindow) -> None:
    """Whatever is odd, somebody can draw and judge."""
    before = window.session.store.count(writer=window.session.writer)
    window.session.add_stroke(STROKE, "mouse")
    window.drawing.judge("7")
    assert window.session.ink.is_blank, window.messages.text
    assert window.session.store.count(writer=window.session.writer) == before + 1


@pytest.mark.parametrize("table", tables_of_the_schema())
def test_that_the_window_shows_all_else_whatever_is_odd_in_a_table(
    table: str, data_dir: Path, open_window: Callable[[], MainWindow], qapp: QApplication
) -> None:
    whole_store(data_dir)
    assert add_odd_rows(data_dir / "samples.db", table) > 0
    window = open_window()
    n_rows = look_at_everything(window, qapp)
    assert n_rows["Drawings"] >= 2
    assert n_rows["Runs"] >= 1
    if table in {"samples", "trials"}:
        tuple(
            window.session.store.trials()
        )  # the window reads tallies; whoever exports judgements meets each
        window.session.tell_damaged()
        assert "is damaged" in window.messages.text
        assert "samples check --repair" in window.messages.text
    judge_one(window)


def odd_headers(file: Path) -> Iterator[tuple[str, Any]]:
    """Every attribute of a model file, each with every odd value; those that are JSON also with odd values inside."""
    with h5py.File(file) as whole:
        attributes = dict(whole.attrs)
    for name, value in attributes.items():
        yield from ((name, odd) for odd in (-1, 0.5, 2**62, "", "[", "perhaps", "\x1b[31m", "a" * 5000))
        with contextlib.suppress(TypeError, ValueError):
            inside = json.loads(value)
            yield from ((name, json.dumps(one)) for one in with_odd_values(inside))


def with_odd_values(values: Any, *, deep: int = 2) -> Iterator[Any]:
    """The same JSON with one odd value in the place of another, at each place."""
    if not isinstance(values, dict) or not deep:
        yield from (
            None,
            -1,
            1e308,
            10**400,
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            [],
            {},
            "\x1b[31m",
        )
        return
    for key, value in values.items():
        for odd in with_odd_values(value, deep=deep - 1):
            yield {**values, key: odd}


def written_oddly(whole: Path, path: Path, name: str, value: object) -> bool:
    """Copy a model file with another attribute and the digest that belongs to it; return whether HDF5 has taken it."""
    path.write_bytes(whole.read_bytes())
    try:
        with h5py.File(path, "r+") as file:
            file.attrs[name] = np.bytes_(value.encode()) if isinstance(value, str) else value
            told = {
                attribute: given.decode() if isinstance(given, bytes) else given
                for attribute, given in file.attrs.items()
                if attribute != "sha256"
            }
            file.attrs["sha256"] = np.bytes_(digest_of_attributes(told).encode())
    except (TypeError, ValueError, OSError):
        path.unlink()
        return False
    return True


def test_that_the_window_lists_all_models_whatever_is_odd_in_the_header_of_one(
    data_dir: Path, open_window: Callable[[], MainWindow], qapp: QApplication
) -> None:
    whole = data_dir / "models" / "whole.h5"
    saved_model(whole, drawn_accuracy=0.9, writer="me")
    provenance = {"created_at": "2026-11-22T17:00:00+00:00", "drawings": {"writer": "me"}}
    assert written_oddly(whole, whole, "provenance", json.dumps(provenance))
    n = sum(
        written_oddly(whole, whole.with_name(f"odd-{number}.h5"), name, value)
        for number, (name, value) in enumerate(odd_headers(whole))
    )
    window = open_window()
    n_rows = look_at_everything(window, qapp)
    assert n_rows["Models"] > n > 0
    judge_one(window)


@pytest.mark.parametrize("table", ["samples", "trials", "classes", "label_sets", "runs"])
def test_that_a_report_is_written_whatever_is_odd_in_a_table(table: str, data_dir: Path) -> None:
    whole_store(data_dir)
    assert add_odd_rows(data_dir / "samples.db", table) > 0
    html = writer_report(data_dir).html
    assert "drawings by" in html
    assert not {"\x1b", "\u202e"} & set(html)


def test_that_a_report_is_written_whatever_is_odd_in_the_header_of_a_model(data_dir: Path) -> None:
    whole = data_dir / "models" / "whole.h5"
    saved_model(whole, drawn_accuracy=0.9, writer="me")
    sources = [{"name": "MNIST", "n_training": 9, "sha256": "ab"}]
    provenance = {"sources": sources, "libraries": {"keras": "3"}, "program": "QtDigits", "base": "whole"}
    assert written_oddly(whole, whole, "provenance", json.dumps(provenance))
    odd = whole.with_name("odd.h5")
    n = 0
    for name, value in odd_headers(whole):
        if written_oddly(whole, odd, name, value):
            with contextlib.suppress(ModelFileError):  # it is refused
                n += bool("".join(data_marks((load_header(odd),))))
    assert n > 10
    environments = [environment_of(data_dir, RunRecord("run", {}, model=str(path))) for path in (whole, odd)]
    compared([RunRecord("a", {}), RunRecord("b", {})], environments=environments)
